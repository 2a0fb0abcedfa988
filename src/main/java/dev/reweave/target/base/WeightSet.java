package dev.reweave.target.base;

import dev.reweave.target.base.WeightFile.Role;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/** The weight files of one folder that are one model: same stem, same variant. */
final class WeightSet {
  // A folder can hold other weights beside those that the libraries look for.
  private static final List<String> KNOWN_STEMS =
      List.of("diffusion_pytorch_model", "model", "pytorch_model");

  private final WeightNames names;
  private final Map<Role, String> files = new EnumMap<>(Role.class);

  private WeightSet(WeightNames names) {
    this.names = names;
  }

  /**
   * Chooses among the weights of a folder: the variant that is asked for, or else the weights
   * without one, or else the only variant.
   */
  static WeightSet choose(List<String> fileNames, Optional<String> variant, String place) {
    return best(ofVariant(all(fileNames, place), variant, place), place);
  }

  /** Chooses without regard to variants. */
  static WeightSet any(List<String> fileNames, String place) {
    return best(all(fileNames, place), place);
  }

  private static WeightSet best(List<WeightSet> sets, String place) {
    WeightSet chosen =
        Collections.min(sets, Comparator.comparingInt((WeightSet set) -> set.preference()));
    List<String> stems = sets.stream().map(set -> set.names.stem()).distinct().sorted().toList();
    if (stems.size() > 1 && chosen.preference() == KNOWN_STEMS.size()) {
      throw BaseFailures.severalModels(stems, place);
    }
    if (chosen.index().isEmpty() && chosen.file(Role.SINGLE).isEmpty()) {
      throw BaseFailures.noIndex(chosen.names.index(), place);
    }
    return chosen;
  }

  WeightNames names() {
    return names;
  }

  Optional<String> file(Role role) {
    return Optional.ofNullable(files.get(role));
  }

  /** The index to follow; where there is a whole file too, transformers takes that one. */
  Optional<String> index() {
    boolean single = files.containsKey(Role.SINGLE) && names.stem().equals("model");
    return single ? Optional.empty() : file(Role.INDEX);
  }

  private int preference() {
    int known = KNOWN_STEMS.indexOf(names.stem());
    return known < 0 ? KNOWN_STEMS.size() : known;
  }

  private static List<WeightSet> all(List<String> fileNames, String place) {
    Map<WeightNames, WeightSet> sets = new HashMap<>();
    for (String name : fileNames) {
      WeightFile.parse(name)
          .ifPresent(
              file ->
                  sets.computeIfAbsent(file.names(), WeightSet::new).files.put(file.role(), name));
    }
    if (sets.isEmpty()) {
      throw fileNames.stream()
          .filter(WeightFile::isWeights)
          .findFirst()
          .map(name -> BaseFailures.pickledComponent(name, place))
          .orElseGet(() -> BaseFailures.componentWithoutWeights(place));
    }
    return new ArrayList<>(sets.values());
  }

  private static List<WeightSet> ofVariant(
      List<WeightSet> sets, Optional<String> variant, String place) {
    TreeSet<String> variants = new TreeSet<>();
    sets.forEach(set -> set.names.variant().ifPresent(variants::add));
    List<WeightSet> plain = with(sets, Optional.empty());
    List<WeightSet> chosen = variant.isPresent() ? with(sets, variant) : plain;
    if (variant.isEmpty() && plain.isEmpty() && variants.size() == 1) {
      return sets;
    }
    if (chosen.isEmpty()) {
      throw variant
          .map(wanted -> BaseFailures.noVariant(wanted, variants, place))
          .orElseGet(() -> BaseFailures.severalVariants(variants, place));
    }
    return chosen;
  }

  private static List<WeightSet> with(List<WeightSet> sets, Optional<String> variant) {
    return sets.stream().filter(set -> set.names.variant().equals(variant)).toList();
  }
}
