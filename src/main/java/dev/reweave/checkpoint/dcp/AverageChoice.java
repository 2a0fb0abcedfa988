package dev.reweave.checkpoint.dcp;

import dev.reweave.checkpoint.AveragedEntries;
import dev.reweave.checkpoint.EmaSearch;
import dev.reweave.checkpoint.NotTaken;
import dev.reweave.checkpoint.TrainingState;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Moving averages of the weights that a trainer saved in a dict beside that of the model. */
final class AverageChoice {
  /** What classes for averages call the dict or list of the weights, and what trainers do. */
  private static final Set<String> INNER =
      Set.of("shadow_params", "shadow", "ema_model", "model", "module", "state_dict");

  private AverageChoice() {}

  /**
   * The names of all tensors of each average, by the keys that lead to it.
   *
   * @param names that are no training state
   */
  static Map<List<String>, List<String>> among(DcpMetadata metadata, List<String> names) {
    Map<List<String>, List<String>> averages = new LinkedHashMap<>();
    for (String name : names) {
      List<String> path = metadata.path(name);
      int end = 0;
      while (end < path.size() - 1 && !EmaSearch.isCalledSo(path.get(end))) {
        end++;
      }
      List<String> to = path.subList(0, Math.min(end + 1, path.size()));
      // A module of the model can be called so, too; and so can the optimizer of such a one.
      if (end < path.size() - 1
          && TrainingState.wrapper(to).isEmpty()
          && !TrainingState.isOfOptimizer(path)) {
        averages.computeIfAbsent(List.copyOf(to), key -> new ArrayList<>()).add(name);
      }
    }
    return averages;
  }

  /** What to tell of an average that is not taken. */
  static NotTaken left(List<String> key, int tensors, String place) {
    return new NotTaken(
        "'" + String.join(".", key) + "'",
        tensors,
        "not read: --weights " + EmaSearch.NAME + " takes it in place of the model",
        place);
  }

  /**
   * The only average.
   *
   * @param place the checkpoint, for messages
   * @throws dev.reweave.common.ReweaveException if there is none, or there are several, or it has
   *     no names
   */
  static TensorChoice of(DcpMetadata metadata, String place) {
    List<String> all =
        metadata.names().stream()
            .filter(name -> !TrainingState.holds(metadata.path(name)))
            .toList();
    Map<List<String>, List<String>> averages = among(metadata, all);
    if (averages.isEmpty()) {
      throw DcpFailures.noAverage(place);
    }
    if (averages.size() > 1) {
      throw DcpFailures.severalAverages(
          averages.keySet().stream().map(key -> String.join(".", key)).toList(), place);
    }
    List<String> key = averages.keySet().iterator().next();
    List<String> own = averages.get(key);
    List<String> counters = own.stream().filter(name -> isCounter(metadata, name)).toList();
    List<String> weights = new ArrayList<>(own);
    weights.removeAll(counters);
    List<String> prefix = prefix(metadata, weights, key);
    if (weights.stream().allMatch(name -> metadata.path(name).get(prefix.size()).matches("\\d+"))) {
      throw DcpFailures.averageWithoutNames(String.join(".", prefix), place);
    }
    List<NotTaken> left = new ArrayList<>();
    others(metadata, own)
        .forEach(
            (name, count) ->
                left.add(
                    new NotTaken(
                        "'" + name + "'",
                        count,
                        TrainingState.isStateName(name)
                            ? "left out: no part of the model"
                            : "not read: leave --weights out to convert the model",
                        place)));
    if (!counters.isEmpty()) {
      left.add(
          new NotTaken(
              "numbers of the average, such as '" + counters.get(0) + "'",
              counters.size(),
              "left out: no part of it",
              place));
    }
    String start = String.join(".", prefix) + ".";
    return TensorChoice.of(
        weights,
        start,
        List.of("the weights are the moving average in '" + start + "', which is left off"),
        left);
  }

  private static boolean isCounter(DcpMetadata metadata, String name) {
    List<String> path = metadata.path(name);
    return AveragedEntries.isCounter(path.get(path.size() - 1), metadata.shape(name).elements());
  }

  /** The keys up to the dict that has a name for each tensor. */
  private static List<String> prefix(DcpMetadata metadata, List<String> weights, List<String> key) {
    List<String> prefix = key;
    while (true) {
      int depth = prefix.size();
      Set<String> next = new LinkedHashSet<>();
      for (String name : weights) {
        List<String> path = metadata.path(name);
        next.add(path.size() > depth + 1 ? path.get(depth) : "");
      }
      if (next.size() != 1 || !INNER.containsAll(next)) {
        return prefix;
      }
      List<String> longer = new ArrayList<>(prefix);
      longer.addAll(next);
      prefix = longer;
    }
  }

  /** How many tensors are not the average's, by their first key. */
  private static Map<String, Integer> others(DcpMetadata metadata, List<String> own) {
    Set<String> average = Set.copyOf(own);
    Map<String, Integer> others = new LinkedHashMap<>();
    for (String name : metadata.names()) {
      if (!average.contains(name)) {
        String first = metadata.path(name).get(0);
        int dot = first.indexOf('.');
        others.merge(dot < 0 ? first : first.substring(0, dot), 1, Integer::sum);
      }
    }
    return others;
  }
}
