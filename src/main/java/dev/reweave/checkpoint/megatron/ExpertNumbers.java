package dev.reweave.checkpoint.megatron;

import java.util.Collection;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The numbers of experts in names, which each expert-parallel rank counts from 0: {@code
 * mlp.experts.local_experts.0.linear_fc1.weight}, or {@code mlp.experts.linear_fc1.weight0} where
 * Transformer Engine multiplies all of them at once.
 *
 * @param before what stands before the number
 * @param number of the expert on its rank
 * @param after what follows it
 */
record ExpertNumbers(String before, int number, String after) {
  private static final Pattern EXPERT =
      Pattern.compile(
          "(?<before>.*\\.mlp\\.experts\\.(?:local_experts\\.|linear_fc[12]\\.(?:weight|bias)))"
              + "(?<number>\\d{1,6})(?<after>(?:\\..+)?)");

  private static final Pattern ANY = Pattern.compile(".*\\.mlp\\.experts\\..*");

  /** Empty if it is no name of an expert's tensor. */
  static Optional<ExpertNumbers> of(String name) {
    Matcher expert = EXPERT.matcher(name);
    return expert.matches()
        ? Optional.of(
            new ExpertNumbers(
                expert.group("before"),
                Integer.parseInt(expert.group("number")),
                expert.group("after")))
        : Optional.empty();
  }

  /** Whether a tensor holds all experts of a rank, in a way that the name does not tell. */
  static boolean isOfAll(String name) {
    return ANY.matcher(name).matches() && of(name).isEmpty();
  }

  /** How many experts a rank has. */
  static int count(Collection<String> names) {
    return names.stream()
        .flatMap(name -> of(name).stream())
        .mapToInt(expert -> expert.number() + 1)
        .max()
        .orElse(0);
  }

  /** The name with the number of the expert in the whole layer. */
  String shifted(int others) {
    return before + (number + others) + after;
  }
}
