package dev.reweave.target.base;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Compares how many layers the two models have. */
final class LayerHint {
  private static final Pattern LAYER = Pattern.compile("([^0-9]+)\\.(\\d{1,6})\\..+");

  private final Difference difference;

  LayerHint(Difference difference) {
    this.difference = difference;
  }

  Optional<String> find() {
    if (difference.missing().isEmpty() && difference.unexpected().isEmpty()) {
      return Optional.empty();
    }
    Map<String, Integer> own = counts(difference.result().keySet());
    Map<String, Integer> base = counts(difference.base().keySet());
    List<String> differing = new ArrayList<>();
    own.forEach(
        (list, count) -> {
          int other = base.getOrDefault(list, 0);
          boolean isExplained = other > count ? !difference.missing().isEmpty() : other > 0;
          if (other != count && isExplained) {
            differing.add("%d %s where the base has %d".formatted(count, list, other));
          }
        });
    return differing.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "the checkpoint has "
                + Shortened.list(differing)
                + ": name the base of a model of that size");
  }

  /** The highest number in each list of modules, and one more. */
  private static Map<String, Integer> counts(Set<String> names) {
    Map<String, Integer> counts = new TreeMap<>();
    for (String name : names) {
      Matcher layer = LAYER.matcher(name);
      if (layer.matches()) {
        counts.merge(layer.group(1), Integer.parseInt(layer.group(2)) + 1, Math::max);
      }
    }
    return counts;
  }
}
