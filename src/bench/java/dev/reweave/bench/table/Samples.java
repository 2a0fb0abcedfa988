package dev.reweave.bench.table;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleBinaryOperator;
import java.util.function.ToDoubleFunction;

/**
 * What several sides gave that were run in turn, A B A B: what slows the machine down for a minute
 * slows down all of them.
 */
final class Samples<T> {
  /** One side: is run once in each round. */
  @FunctionalInterface
  interface Side<T> {
    T run() throws Exception;
  }

  private final Map<String, List<T>> taken = new LinkedHashMap<>();

  private Samples() {}

  /**
   * Runs all sides in turn.
   *
   * @param rounds how often each side counts
   * @param warming rounds before these that do not count
   */
  static <T> Samples<T> inTurn(int rounds, int warming, Map<String, Side<T>> sides)
      throws Exception {
    Samples<T> samples = new Samples<>();
    for (int round = -warming; round < rounds; round++) {
      for (Map.Entry<String, Side<T>> side : sides.entrySet()) {
        T one = side.getValue().run();
        if (round >= 0) {
          samples.taken.computeIfAbsent(side.getKey(), s -> new ArrayList<>()).add(one);
        }
      }
    }
    return samples;
  }

  boolean has(String side) {
    return taken.containsKey(side);
  }

  /** A number of a side in each round; none of a side that was not run. */
  List<Double> values(String side, ToDoubleFunction<T> number) {
    return taken.getOrDefault(side, List.of()).stream().map(number::applyAsDouble).toList();
  }

  Figure figure(String side, String name, String unit, ToDoubleFunction<T> number) {
    return new Figure(side + ": " + name, unit, values(side, number));
  }

  /** A number of one side divided by that of another in the same round. */
  Figure ratio(String over, String under, ToDoubleFunction<T> number) {
    return new Figure(
        "ratio", "", pairs(values(over, number), values(under, number), (a, b) -> a / b));
  }

  /** What is made of two numbers of the same round; nothing where one is missing. */
  static List<Double> pairs(List<Double> first, List<Double> second, DoubleBinaryOperator made) {
    List<Double> all = new ArrayList<>();
    for (int i = 0; i < Math.min(first.size(), second.size()); i++) {
      all.add(made.applyAsDouble(first.get(i), second.get(i)));
    }
    return all;
  }
}
