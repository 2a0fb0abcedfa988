package dev.reweave.convert;

import dev.reweave.common.Location;
import dev.reweave.common.Redacted;
import dev.reweave.common.ReweaveException;
import dev.reweave.manifest.Manifest;
import dev.reweave.manifest.TensorFacts;
import dev.reweave.manifest.ValueWarnings;
import dev.reweave.manifest.WrittenTensor;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.Segment;
import dev.reweave.tensor.DType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Refuses weights with NaNs or infinities, where that is asked for. */
final class FiniteWeights {
  private final Checks.Nonfinite mode;

  FiniteWeights(Checks.Nonfinite mode) {
    this.mode = mode;
  }

  /**
   * Looks at weights that a plan has made and nobody sees yet.
   *
   * @param facts by name, of what was made
   * @throws ReweaveException that names the tensors, and files with their first values of that kind
   */
  void require(ConversionPlan plan, Map<String, TensorFacts> facts) {
    if (mode == Checks.Nonfinite.FAIL) {
      Set<String> doubles =
          plan.shards().stream()
              .flatMap(shard -> shard.tensors().stream())
              .filter(t -> t.layout().dtype() == DType.F64)
              .map(t -> t.spec().name())
              .collect(Collectors.toSet());
      require(WrittenTensor.of(plan, facts), doubles, places(plan, facts), folder(plan));
    }
  }

  /**
   * Looks at a finished result, of an earlier run that did not refuse them.
   *
   * @param output the result
   */
  void require(Manifest manifest, Location output) {
    if (mode == Checks.Nonfinite.FAIL) {
      require(manifest.result().weights(), Set.of(), Map.of(), Redacted.text(output.uri()));
    }
  }

  private static void require(
      List<WrittenTensor> tensors, Set<String> doubles, Map<String, String> places, String place) {
    Optional<String> problem = ValueWarnings.nonfinite(tensors, places);
    if (problem.isPresent()) {
      List<WrittenTensor> cast = tensors.stream().filter(t -> t.overflows() > 0).toList();
      boolean half =
          cast.stream()
              .allMatch(
                  t -> t.dtype().equals(DType.F16.torchName()) && !doubles.contains(t.name()));
      throw ConversionFailures.notFinite(problem.get(), cast.isEmpty(), half, place);
    }
  }

  /** The folder that the first file of the input lies in. */
  private static String folder(ConversionPlan plan) {
    return plan.sources().get(0).folder().uri();
  }

  private static Map<String, String> places(ConversionPlan plan, Map<String, TensorFacts> facts) {
    Map<String, String> places = new HashMap<>();
    plan.shards().stream()
        .flatMap(shard -> shard.tensors().stream())
        .filter(t -> facts.containsKey(t.spec().name()))
        .forEach(
            tensor -> {
              long first = facts.get(tensor.spec().name()).values().firstNonfinite();
              if (first < tensor.spec().units()) {
                places.put(tensor.spec().name(), place(plan, tensor, first));
              }
            });
    return places;
  }

  private static String place(ConversionPlan plan, Segment.OfTensor tensor, long element) {
    String[] file = {""};
    tensor
        .layout()
        .runs(
            element,
            element + 1,
            (storage, offset, elements) -> file[0] = plan.sources().get(storage.file()).name());
    return "the first is element " + element + ", of " + file[0];
  }
}
