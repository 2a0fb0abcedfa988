package dev.reweave.look.page;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.common.ReweaveException;
import dev.reweave.gather.TensorDigest;
import dev.reweave.look.compare.Diff;
import dev.reweave.look.compare.DiffRequest;
import dev.reweave.look.compare.WeightsPass;
import dev.reweave.look.report.DiffCriterion;
import dev.reweave.look.report.DiffReport;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.Measuring;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.prepare.BaseUsed;
import dev.reweave.plan.prepare.Renaming;
import dev.reweave.spark.Cluster;
import dev.reweave.spark.Shared;
import dev.reweave.spark.TaskTimeline;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Makes the data of a report of weights that are there: of a converted folder, a model or a
 * checkpoint. Reads the weights once, and to compare them once more, with the other's.
 */
public final class ModelReport {
  private static final int MOST_MANIFEST_BYTES = 256 << 20;

  private final Cluster cluster;
  private final Stores stores;

  /** Reports on this cluster. */
  public ModelReport(Cluster cluster, Stores stores) {
    this.cluster = cluster;
    this.stores = stores;
  }

  /**
   * Makes the data.
   *
   * @param asked a converted folder, a model or a checkpoint
   * @param against what the weights are compared with, name by name as {@code diff} does
   * @return JSON, in UTF-8
   * @throws ReweaveException if one of both cannot be read
   */
  public byte[] run(DiffRequest.Side asked, Optional<DiffRequest.Side> against) {
    Shared<Stores> shared = cluster.share(stores);
    try (TaskTimeline timeline = cluster.timeline()) {
      Optional<Manifest> manifest =
          stores.file(asked.address().child(Manifest.FILE_NAME)).flatMap(this::manifest);
      // Of a pipeline the part that was converted.
      String component = manifest.flatMap(Manifest::baseUsed).map(BaseUsed::component).orElse("");
      DiffRequest.Side subject =
          component.isEmpty()
              ? asked
              : new DiffRequest.Side(
                  asked.address().child(component), asked.reading(), asked.mapping());
      Checkpoint read =
          new CheckpointReader(stores, cluster.scanner(shared))
              .read(
                  subject.address(),
                  Renaming.reading(stores, subject.reading(), subject.mapping()));
      Renaming renaming = Renaming.of(stores, read, subject.mapping());
      Checkpoint named = read.with(renaming.tensors(), renaming.aliases());
      Map<String, TensorDigest> digests = measure(named, shared);
      Optional<DiffReport> diff =
          against.map(
              other ->
                  new Diff(cluster, stores)
                      .run(
                          new DiffRequest(
                              subject, other, PlanOptions.DEFAULTS, DiffCriterion.STRICT)));
      return ReportData.of(asked.address().uri(), named, digests, manifest, diff, timeline.take());
    } finally {
      shared.close();
    }
  }

  /** A file of that name that is none of ours tells nothing. */
  private Optional<Manifest> manifest(InputFile file) {
    try {
      return Optional.of(Manifest.parse(stores.readAll(file, MOST_MANIFEST_BYTES), file.uri()));
    } catch (ReweaveException e) {
      e.throwIfOfStore();
      return Optional.empty();
    }
  }

  private Map<String, TensorDigest> measure(Checkpoint read, Shared<Stores> shared) {
    ConversionPlan plan = WeightsPass.plan(read);
    Map<String, TensorDigest> digests = new TreeMap<>();
    new WeightsPass(cluster, shared, Measuring.VALUES)
        .run(
            "report: " + plan.tensors() + " tensors",
            plan,
            (name, share) -> digests.merge(name, share.digest(), TensorDigest::plus));
    return digests;
  }
}
