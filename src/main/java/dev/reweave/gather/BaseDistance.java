package dev.reweave.gather;

import dev.reweave.common.FirstNames;
import dev.reweave.tensor.Agreement;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * How far the weights went from those of the model that training began with. That proves no layout,
 * but shows what is grossly out of place: training changes a tensor by a part of its magnitude, and
 * another tensor is farther away than the whole of it.
 */
public final class BaseDistance {
  /** Two unrelated tensors are about 1.4 times their magnitude apart. */
  private static final double UNRELATED = 1;

  /** Where most tensors changed by no more than this, the model did begin with the base. */
  private static final double RELATED = 0.25;

  private final Map<String, Agreement> outcomes;

  /** The distance by what was found out of each tensor, of which there is at least one. */
  public BaseDistance(Map<String, Agreement> outcomes) {
    this.outcomes = outcomes;
  }

  /** What can be said, in words. */
  public String text() {
    List<Map.Entry<String, Agreement>> ascending =
        outcomes.entrySet().stream()
            .sorted(
                Map.Entry.comparingByValue((a, b) -> Double.compare(a.relative(), b.relative())))
            .toList();
    long same = outcomes.values().stream().filter(o -> o.differing() == 0).count();
    double median = ascending.get(ascending.size() / 2).getValue().relative();
    Map.Entry<String, Agreement> most = ascending.get(ascending.size() - 1);
    String text =
        "no second copy of the weights in the files; against the base, "
            + same
            + (same == 1 ? " is" : " are")
            + " unchanged, half changed by at most "
            + percent(median)
            + " of their magnitude, "
            + most.getKey()
            + " by "
            + percent(most.getValue().relative());
    List<String> unrelated =
        ascending.stream()
            .filter(e -> e.getValue().relative() >= UNRELATED)
            .map(Map.Entry::getKey)
            .toList();
    return unrelated.isEmpty() || median > RELATED
        ? text
        : text
            + "; as far from the base as another tensor, so newly made or out of place: "
            + FirstNames.of(unrelated);
  }

  private static String percent(double part) {
    return String.format(Locale.ROOT, "%.3g %%", 100 * part);
  }
}
