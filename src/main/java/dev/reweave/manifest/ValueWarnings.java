package dev.reweave.manifest;

import dev.reweave.common.FirstNames;
import dev.reweave.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;

/** What a user should hear of values that are written: one line for each kind of illness. */
public final class ValueWarnings {
  /** One subnormal number in so many is more than training leaves. */
  private static final int MANY = 10;

  private final List<WrittenTensor> tensors;
  private final List<String> lines = new ArrayList<>();

  private ValueWarnings(List<WrittenTensor> tensors) {
    this.tensors = tensors;
  }

  /** The warnings of a result, the worst first; none of a sound one. */
  public static List<String> of(List<WrittenTensor> tensors) {
    ValueWarnings warnings = new ValueWarnings(tensors);
    warnings.add(WrittenTensor::nans, "NaN");
    warnings.add(t -> t.infinities() - t.overflows(), "infinite in the checkpoint");
    warnings.addCast(WrittenTensor::overflows, "became infinite");
    warnings.addAll(WrittenTensor::zero, "zero throughout");
    warnings.addAll(WrittenTensor::constant, "one value throughout");
    warnings.addCast(WrittenTensor::underflows, "became zero");
    warnings.addSubnormal();
    return List.copyOf(warnings.lines);
  }

  private void add(ToLongFunction<WrittenTensor> count, String what) {
    Map<String, Long> counts = counts(tensors, count);
    if (!counts.isEmpty()) {
      lines.add(
          "warning "
              + values(counts)
              + (sum(counts) == 1 ? " is " : " are ")
              + what
              + ": "
              + names(counts));
    }
  }

  private void addCast(ToLongFunction<WrittenTensor> count, String what) {
    Map<String, Long> counts = counts(tensors, count);
    if (!counts.isEmpty()) {
      boolean half =
          tensors.stream()
              .anyMatch(t -> count.applyAsLong(t) > 0 && t.dtype().equals(DType.F16.torchName()));
      lines.add(
          "warning "
              + values(counts)
              + " "
              + what
              + " in the cast: "
              + names(counts)
              + (half
                  ? "; --dtype bfloat16 or float32 holds them"
                  : "; --dtype keep leaves them as they are"));
    }
  }

  private void addAll(Predicate<WrittenTensor> is, String what) {
    List<String> names =
        tensors.stream()
            .filter(t -> t.isWeight() && is.test(t))
            .map(WrittenTensor::name)
            .sorted()
            .toList();
    if (!names.isEmpty()) {
      lines.add(
          "warning "
              + tensors(names.size())
              + (names.size() == 1 ? " is " : " are ")
              + what
              + ": "
              + FirstNames.of(names));
    }
  }

  private void addSubnormal() {
    Map<String, String> shares = new TreeMap<>();
    for (WrittenTensor tensor : tensors) {
      long elements = tensor.elements().orElse(0L);
      if (tensor.subnormals() > elements / MANY) {
        double percent = 100.0 * tensor.subnormals() / elements;
        shares.put(tensor.name(), String.format(Locale.ROOT, "%.0f %%", percent));
      }
    }
    if (!shares.isEmpty()) {
      lines.add(
          "warning many values of "
              + tensors(shares.size())
              + " are subnormal, and so less exact than others: "
              + names(shares));
    }
  }

  private static Map<String, Long> counts(
      List<WrittenTensor> tensors, ToLongFunction<WrittenTensor> count) {
    Map<String, Long> counts = new TreeMap<>();
    for (WrittenTensor tensor : tensors) {
      if (count.applyAsLong(tensor) > 0) {
        counts.put(tensor.name(), count.applyAsLong(tensor));
      }
    }
    return counts;
  }

  /** How many values of how many tensors. */
  public static String values(Map<String, Long> counts) {
    long values = sum(counts);
    return values + (values == 1 ? " value" : " values") + " of " + tensors(counts.size());
  }

  private static long sum(Map<String, Long> counts) {
    return counts.values().stream().mapToLong(Long::longValue).sum();
  }

  private static String tensors(int count) {
    return count + (count == 1 ? " tensor" : " tensors");
  }

  /** The first names, each with what belongs to it. */
  public static String names(Map<String, ?> byName) {
    return FirstNames.of(
        new TreeMap<>(byName)
            .entrySet().stream().map(e -> e.getKey() + " (" + e.getValue() + ")").toList());
  }

  /**
   * What is wrong with weights that should all be finite; empty if they are.
   *
   * @param place by name, what is known of where a tensor's first such value comes from
   */
  public static Optional<String> nonfinite(List<WrittenTensor> tensors, Map<String, String> place) {
    Map<String, String> ill = new TreeMap<>();
    for (WrittenTensor tensor : tensors) {
      if (tensor.nonfinite() > 0) {
        List<String> facts = new ArrayList<>();
        addCount(facts, tensor.nans(), "NaN");
        addCount(facts, tensor.infinities() - tensor.overflows(), "infinite");
        addCount(facts, tensor.overflows(), "made infinite by the cast");
        String from = place.getOrDefault(tensor.name(), "");
        ill.put(tensor.name(), String.join(", ", facts) + (from.isEmpty() ? "" : "; " + from));
      }
    }
    if (ill.isEmpty()) {
      return Optional.empty();
    }
    Map<String, Long> counts = counts(tensors, WrittenTensor::nonfinite);
    return Optional.of(
        values(counts) + (sum(counts) == 1 ? " is" : " are") + " not finite: " + names(ill));
  }

  private static void addCount(List<String> facts, long count, String what) {
    if (count > 0) {
      facts.add(count + " " + what);
    }
  }
}
