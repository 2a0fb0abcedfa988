package dev.reweave.job;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.CheckpointReader;
import dev.reweave.checkpoint.MetadataScanner;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.Design;
import dev.reweave.plan.FileNames;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.Planner;
import dev.reweave.report.Manifest;
import dev.reweave.storage.Stores;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Everything of a conversion that comes before a byte of weights is read. */
public final class Preparation {
  /**
   * A conversion that is ready to run.
   *
   * @param aliases tied names of the result: each that is left out to the one that is kept
   * @param notes what the user should know
   */
  public record Prepared(
      Checkpoint checkpoint,
      Optional<Manifest.MappingUsed> mapping,
      Optional<Manifest.BaseUsed> base,
      Map<String, String> aliases,
      List<String> notes,
      ConversionPlan plan) {}

  private final Stores stores;
  private final MetadataScanner scanner;

  /** Preparations of conversions between these stores. */
  public Preparation(Stores stores, MetadataScanner scanner) {
    this.stores = stores;
    this.scanner = scanner;
  }

  /**
   * Reads the metadata of all that takes part, and plans.
   *
   * @throws dev.reweave.ReweaveException if the request cannot be fulfilled
   */
  public Prepared prepare(ConversionRequest request) {
    Checkpoint checkpoint =
        new CheckpointReader(stores, scanner).read(request.input(), request.reading());
    PlanOptions planning = request.planning();
    FileNames names =
        new FileNames(
            "",
            planning.weightsName().orElse(planning.format().weightsName()),
            Optional.empty(),
            planning.format());
    ConversionPlan plan =
        new Planner(planning)
            .plan(Design.of(checkpoint.files(), checkpoint.tensors(), checkpoint.aliases(), names));
    return new Prepared(
        checkpoint,
        Optional.empty(),
        Optional.empty(),
        checkpoint.aliases(),
        checkpoint.notes(),
        plan);
  }
}
