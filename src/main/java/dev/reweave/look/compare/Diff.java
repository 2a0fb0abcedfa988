package dev.reweave.look.compare;

import dev.reweave.checkpoint.Caution;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.quantized.Dequantization;
import dev.reweave.checkpoint.quantized.Quantization;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.common.ReweaveException;
import dev.reweave.look.report.DiffReport;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.prepare.Renaming;
import dev.reweave.spark.Cluster;
import dev.reweave.spark.Shared;
import dev.reweave.spark.SparkTasks;
import dev.reweave.storage.PartRule;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.Comparer;
import dev.reweave.tensor.Deviation;
import dev.reweave.tensor.NamedTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Compares two sets of weights, of any kinds that can be read, name by name and element by element.
 * The elements of both sides are read once each; but a tensor that is tied on one side and two
 * tensors on the other is read once for each of them, and one whose values differ in a part alone
 * is read once more for its distance.
 */
public final class Diff {
  private final Cluster cluster;
  private final Stores stores;

  /** Comparisons on this cluster. */
  public Diff(Cluster cluster, Stores stores) {
    this.cluster = cluster;
    this.stores = stores;
  }

  /** What pairs came to, by their numbers, and how much was read for it. */
  private record Compared(List<Deviation> deviations, long bytesRead) {}

  /** A side as it was read, under the names that are compared. */
  private record Read(Checkpoint checkpoint, Renaming renaming, Map<String, NamedTensor> wanted) {
    DiffReport.Side side(DiffRequest.Side asked) {
      int tensors = (int) wanted.values().stream().map(NamedTensor::name).distinct().count();
      return new DiffReport.Side(asked.address().uri(), checkpoint.source(), tensors);
    }

    List<String> notes() {
      return Stream.concat(
              checkpoint.cautions().stream().map(Caution::text), renaming.notes().stream())
          .toList();
    }

    List<DiffReport.Absent> notIn(Read other) {
      return wanted.keySet().stream()
          .filter(name -> !other.wanted.containsKey(name))
          .map(
              name ->
                  new DiffReport.Absent(name, Optional.ofNullable(renaming.aliases().get(name))))
          .toList();
    }
  }

  /**
   * Compares.
   *
   * @throws ReweaveException if one side cannot be read, or there is nothing to compare
   */
  public DiffReport run(DiffRequest request) {
    Shared<Stores> shared = cluster.share(stores);
    try {
      CheckpointReader reader = new CheckpointReader(stores, cluster.scanner(shared));
      Checkpoint ofFirst = read(reader, request.first());
      Checkpoint ofSecond = read(reader, request.second());
      Quantization one = quantization(ofFirst, request.first());
      Quantization other = quantization(ofSecond, request.second());
      Read first = named(comparable(ofFirst, one, other), request.first(), request.planning());
      Read second = named(comparable(ofSecond, other, one), request.second(), request.planning());
      if (first.wanted().isEmpty() && second.wanted().isEmpty()) {
        throw CompareFailures.nothingWanted(request.first().address(), request.second().address());
      }
      List<DiffPlan.Pair> pairs = pairs(first, second);
      DiffPlan plan =
          DiffPlan.of(
              first.checkpoint().files(),
              second.checkpoint().files(),
              pairs,
              request.planning().chunkBytes().orElse(PartRule.FREE.usualBytes()));
      Compared compared = compare(plan, shared);
      List<DiffReport.Row> rows = new ArrayList<>();
      for (int p = 0; p < pairs.size(); p++) {
        DiffPlan.Pair pair = pairs.get(p);
        rows.add(
            new DiffReport.Row(
                pair.names(),
                pair.first().spec(),
                pair.second().spec(),
                compared.deviations().get(p)));
      }
      return new DiffReport(
          first.side(request.first()),
          second.side(request.second()),
          request.criterion(),
          first.notIn(second),
          second.notIn(first),
          rows,
          compared.bytesRead(),
          notes(first, second, rows));
    } finally {
      shared.close();
    }
  }

  private Checkpoint read(CheckpointReader reader, DiffRequest.Side side) {
    return reader.read(side.address(), Renaming.reading(stores, side.reading(), side.mapping()));
  }

  private Quantization quantization(Checkpoint checkpoint, DiffRequest.Side side) {
    return Quantization.of(stores.guarded(side.address(), side.reading().safeguards()), checkpoint);
  }

  /** Quantized weights are what they stand for where those of the other side are not quantized. */
  private static Checkpoint comparable(
      Checkpoint checkpoint, Quantization own, Quantization other) {
    return own.isUnderstood() && !other.isQuantized()
        ? Dequantization.of(own, checkpoint, "")
        : checkpoint;
  }

  private Read named(Checkpoint checkpoint, DiffRequest.Side side, PlanOptions planning) {
    Renaming renaming = Renaming.of(stores, checkpoint, side.mapping());
    Map<String, NamedTensor> wanted = new TreeMap<>(renaming.byName());
    wanted.keySet().removeIf(name -> !planning.wants(name));
    return new Read(checkpoint, renaming, wanted);
  }

  /** Tensors of both that share a name, in the first's order. */
  private static List<DiffPlan.Pair> pairs(Read first, Read second) {
    Map<String, List<String>> tied = new TreeMap<>();
    first
        .renaming()
        .aliases()
        .forEach((alias, kept) -> tied.computeIfAbsent(kept, k -> new ArrayList<>()).add(alias));
    List<DiffPlan.Pair> pairs = new ArrayList<>();
    for (NamedTensor tensor : first.renaming().tensors()) {
      List<String> names = new ArrayList<>(List.of(tensor.name()));
      names.addAll(tied.getOrDefault(tensor.name(), List.of()));
      names.retainAll(first.wanted().keySet());
      Map<String, List<String>> others = new LinkedHashMap<>();
      for (String name : names) {
        NamedTensor other = second.wanted().get(name);
        if (other != null) {
          others.computeIfAbsent(other.name(), k -> new ArrayList<>()).add(name);
        }
      }
      others.forEach(
          (kept, shared) ->
              pairs.add(new DiffPlan.Pair(shared, tensor, second.wanted().get(shared.get(0)))));
    }
    return pairs;
  }

  private static List<String> notes(Read first, Read second, List<DiffReport.Row> rows) {
    List<String> notes = new ArrayList<>();
    first.notes().forEach(note -> notes.add("first: " + note));
    second.notes().forEach(note -> notes.add("second: " + note));
    if (rows.isEmpty()) {
      notes.add(
          "no name is on both sides: --mapping gives the first's tensors other names,"
              + " --other-mapping the second's");
    }
    return notes;
  }

  /** Compares all pairs, and those once more of which numbers must be added up. */
  private Compared compare(DiffPlan plan, Shared<Stores> shared) {
    Compared all =
        compare(
            "compare " + plan.pairs().size() + " tensors",
            plan,
            shared,
            Comparer.Summing.WHERE_BITS_DIFFER);
    List<Deviation> deviations = new ArrayList<>(all.deviations());
    List<Integer> lacking =
        IntStream.range(0, deviations.size())
            .filter(pair -> deviations.get(pair).lacksSums())
            .boxed()
            .toList();
    if (lacking.isEmpty()) {
      return all;
    }
    Compared again =
        compare(
            "measure " + lacking.size() + " tensors that differ",
            plan.only(Set.copyOf(lacking)),
            shared,
            Comparer.Summing.ALL);
    lacking.forEach(pair -> deviations.set(pair, again.deviations().get(pair)));
    return new Compared(deviations, all.bytesRead() + again.bytesRead());
  }

  private Compared compare(
      String description, DiffPlan plan, Shared<Stores> shared, Comparer.Summing summing) {
    Deviation[] deviations = new Deviation[plan.pairs().size()];
    Arrays.fill(deviations, Deviation.NONE);
    long[] bytesRead = {0};
    Shared<DiffPlan.Work> work = cluster.share(plan.work());
    try {
      cluster
          .tasks()
          .run(
              description,
              plan.chunks(),
              SparkTasks.Amounts.bytes(plan::bytes),
              chunk ->
                  new DiffTask(shared.value(), work.value(), chunk, summing, SparkTasks.meter())
                      .run(),
              result -> {
                bytesRead[0] += result.bytesRead();
                result
                    .deviations()
                    .forEach((pair, part) -> deviations[pair] = deviations[pair].plus(part));
              });
    } finally {
      work.close();
    }
    return new Compared(List.of(deviations), bytesRead[0]);
  }
}
