package dev.reweave.target.base;

import dev.reweave.tensor.TensorSpec;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Finds a prefix that names have on one side alone, and the rule that mends it. */
final class PrefixHint {
  private static final List<String> WRAPPERS =
      List.of("module.", "_orig_mod.", "model.", "transformer.", "unet.");

  private final Difference difference;

  PrefixHint(Difference difference) {
    this.difference = difference;
  }

  Optional<String> find() {
    Set<String> ours = names(difference.unexpected());
    Set<String> theirs = names(difference.base().values());
    for (String prefix : prefixes(ours)) {
      if (mends(ours, theirs, prefix)) {
        return Optional.of(
            "names have the prefix "
                + prefix
                + " that the base's do not have: "
                + rule(prefix, ""));
      }
    }
    Set<String> lacking = names(difference.missing());
    for (String prefix : prefixes(lacking)) {
      if (mends(lacking, names(difference.result().values()), prefix)) {
        return Optional.of(
            "names lack the prefix " + prefix + " that the base's have: " + rule("", prefix));
      }
    }
    return Optional.empty();
  }

  /** A whole mapping file, to be copied from the message. */
  private static String rule(String taken, String given) {
    String rule =
        taken.isEmpty()
            ? "{\"match\": \"(.*)\", \"rename\": \"%s$1\"}".formatted(given)
            : "{\"prefix\": \"%s\", \"rename\": \"%s\"}".formatted(taken, given);
    return "give --mapping a file with {\"name\": \"prefix\", \"description\": \"prefix\","
        + " \"rules\": ["
        + rule
        + "]}";
  }

  /** Whether most names match without the prefix. */
  private static boolean mends(Set<String> names, Set<String> others, String prefix) {
    long matching =
        names.stream()
            .filter(name -> name.startsWith(prefix))
            .filter(name -> others.contains(name.substring(prefix.length())))
            .count();
    return 2 * matching > names.size();
  }

  /** Wrappers' own prefixes, and the first one to three parts of a name. */
  private static Set<String> prefixes(Set<String> names) {
    Set<String> prefixes = new LinkedHashSet<>(WRAPPERS);
    names.stream()
        .findFirst()
        .ifPresent(
            name -> {
              int end = 0;
              for (int parts = 0; parts < 3 && (end = name.indexOf('.', end) + 1) > 0; parts++) {
                prefixes.add(name.substring(0, end));
              }
            });
    return prefixes;
  }

  private static Set<String> names(Iterable<TensorSpec> tensors) {
    Set<String> names = new LinkedHashSet<>();
    tensors.forEach(tensor -> names.add(tensor.name()));
    return names;
  }
}
