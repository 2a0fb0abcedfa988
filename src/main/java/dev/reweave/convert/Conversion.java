package dev.reweave.convert;

import dev.reweave.gather.ChunkTask;
import dev.reweave.gather.TensorDigest;
import dev.reweave.manifest.Manifest;
import dev.reweave.manifest.Provenance;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.FileNames;
import dev.reweave.plan.Measuring;
import dev.reweave.plan.Witness;
import dev.reweave.spark.Cluster;
import dev.reweave.spark.FileChecksums;
import dev.reweave.spark.Shared;
import dev.reweave.storage.OutputFolder;
import dev.reweave.storage.OutputLock;
import dev.reweave.storage.PartRule;
import dev.reweave.storage.ReadLimit;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.Agreement;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** The main job: reads metadata, plans, runs the plan, publishes the result. */
public final class Conversion {
  /**
   * What a conversion came to.
   *
   * @param manifest of the result
   * @param kind whether it was made now
   * @param digests by tensor of the result, what it holds: where that was asked for, of what was
   *     made now
   * @param changes by tensor, how far it is from the base's: where they were compared
   */
  public record Outcome(
      Manifest manifest,
      Kind kind,
      Map<String, TensorDigest> digests,
      Map<String, Agreement> changes) {
    /** What was found to be there. */
    static Outcome upToDate(Manifest manifest) {
      return new Outcome(manifest, Kind.UP_TO_DATE, Map.of(), Map.of());
    }

    /** Whether there was anything to do. */
    public enum Kind {
      CONVERTED,
      UP_TO_DATE
    }
  }

  private final Cluster cluster;
  private final Stores stores;
  private final ReadLimit limit;
  private final Consumer<Preparation.Prepared> planned;

  /** Conversions on this cluster, between these stores. */
  public Conversion(Cluster cluster, Stores stores) {
    this(cluster, stores, ReadLimit.NONE);
  }

  /** The same with tasks that read no faster than the limit says. */
  public Conversion(Cluster cluster, Stores stores, ReadLimit limit) {
    this(cluster, stores, limit, plan -> {});
  }

  /** The same, and tells each plan as it is made. */
  public Conversion(
      Cluster cluster, Stores stores, ReadLimit limit, Consumer<Preparation.Prepared> planned) {
    this.planned = planned;
    this.limit = limit;
    this.cluster = cluster;
    this.stores = stores;
  }

  /** Memory that one task takes at most for its buffers, in bytes; the same for every model. */
  public static long taskBytes(Stores stores, PartRule rule, ConversionPlan plan) {
    long held =
        plan.chunks(rule).stream()
            .mapToLong(c -> rule.heldBytes(c.length(), plan.files().get(c.file()).length()))
            .max()
            .orElse(0);
    return ChunkTask.bufferBytes(stores, plan) + held;
  }

  /**
   * Refuses what {@link #run} would refuse of the output before it writes to it: where it lies,
   * what is in it, and how much space there is.
   *
   * @throws dev.reweave.common.ReweaveException if it would
   */
  public static void requireOutput(Stores stores, ConversionRequest request, ConversionPlan plan) {
    OutputCheck check = new OutputCheck(stores, request);
    check.requireRoom(new Journal(check.output()));
    check.output().room().requireSpace(plan.bytesToWrite());
  }

  /**
   * Converts one checkpoint. Either the whole result becomes visible or nothing does.
   *
   * @throws dev.reweave.common.ReweaveException if it cannot be done
   */
  public Outcome run(ConversionRequest request) {
    return run(request, Measuring.NOTHING);
  }

  /** The same, and tells of each tensor of the result what it holds, if that is asked for. */
  public Outcome run(ConversionRequest request, Measuring measuring) {
    return run(request, measuring, ReportMaker.NONE);
  }

  /** The same, and puts a report beside the manifest of what was made now. */
  public Outcome run(ConversionRequest request, Measuring measuring, ReportMaker reports) {
    Instant start = Instant.now();
    OutputCheck check = new OutputCheck(stores, request);
    FiniteWeights finite = new FiniteWeights(request.options().checks().nonfinite());
    Shared<Stores> shared = cluster.share(stores);
    try {
      Preparation.Prepared prepared =
          cluster
              .progress()
              .during(
                  "plan", () -> new Preparation(stores, cluster.scanner(shared)).prepare(request));
      planned.accept(prepared);
      String fingerprint = Fingerprint.of(request, prepared);
      Optional<Manifest> done = check.upToDate(fingerprint);
      if (done.isPresent()) {
        // Killed between its last steps: the result is whole, and rubbish is left.
        if (new Journal(check.output()).begun().isPresent()) {
          new Cleanup(stores).run(request.output());
        }
        if (check.content().locks() > 0) {
          check.output().lock().removeDead(job(request));
        }
        finite.require(done.get(), check.output().address());
        return Outcome.upToDate(done.get());
      }
      Provenance provenance =
          new Provenance(
              new Provenance.Begun(
                  fingerprint,
                  Fingerprint.command(request),
                  request.input().uri(),
                  check.output().address().uri(),
                  cluster.version(),
                  start),
              request.options().recorded(),
              prepared.checkpoint(),
              prepared.mapping(),
              prepared.base(),
              prepared.aliases(),
              prepared.notes());
      PlanRunner runner =
          new PlanRunner(cluster, cluster.tasks(), shared, limit, measuring, finite);
      return write(request, check, prepared, provenance, runner, reports);
    } finally {
      shared.close();
    }
  }

  private static String job(ConversionRequest request) {
    return "reweave convert " + request.output();
  }

  /** Holds the output while it is written. */
  private Outcome write(
      ConversionRequest request,
      OutputCheck check,
      Preparation.Prepared prepared,
      Provenance provenance,
      PlanRunner runner,
      ReportMaker reports) {
    OutputFolder output = check.output();
    Journal journal = new Journal(output);
    check.requireRoom(journal);
    boolean existed = check.content().exists();
    boolean wasLocked = check.content().locks() > 0;
    try (OutputLock.Held lock = output.lock().take(job(request))) {
      check.lookAgain();
      if (check.content().locks() > 1) {
        output.lock().removeDead(job(request));
      }
      check.requireRoom(journal);
      OutputStaging staging = new OutputStaging(output, journal);
      if (wasLocked && !check.content().isStaged()) {
        staging.giveUpUnnoted(prepared.plan());
      }
      Outcome made;
      try {
        Ran ran =
            runOnUnchanged(
                request, prepared, provenance.begun().fingerprint(), staging, runner, check);
        ReadBack readBack =
            new ReadBack(
                stores,
                new FileChecksums(cluster, stores, limit, PartRule.FREE.usualBytes()),
                output,
                request.options().checks());
        Committer committer = new Committer(output, journal, lock, readBack);
        Manifest manifest =
            cluster
                .progress()
                .during(
                    "publish",
                    () ->
                        committer.commit(
                            ran.plan(), ran.staged(), check.earlierFiles(), provenance));
        boolean againstBase = ran.plan().witness().kind() == Witness.Kind.BASE;
        made =
            new Outcome(
                manifest,
                Outcome.Kind.CONVERTED,
                ran.staged().digests(),
                againstBase ? ran.staged().proofs() : Map.of());
      } catch (RuntimeException e) {
        staging.abandon(e);
        throw e;
      }
      // Behind the manifest: what goes wrong here costs no model.
      reports
          .of(made, request.output())
          .ifPresent(report -> output.publish(FileNames.REPORT, report));
      output.finish();
      return made;
    } catch (RuntimeException e) {
      if (!existed) {
        OutputStaging.quietly(output::removeIfEmpty, e);
      }
      throw e;
    }
  }

  /** What ran, under the names that the files have. */
  private record Ran(ConversionPlan plan, PlanRunner.Staged staged) {}

  private Ran runOnUnchanged(
      ConversionRequest request,
      Preparation.Prepared prepared,
      String fingerprint,
      OutputStaging staging,
      PlanRunner runner,
      OutputCheck check) {
    UnchangedInputs inputs = new UnchangedInputs(stores, prepared.inputs());
    Ran ran;
    try {
      OutputStaging.Begun begun =
          staging.begin(prepared.plan(), fingerprint, request.options().earlier(), check.content());
      ran = new Ran(begun.plan(), runner.run(begun.plan(), check.output(), begun));
    } catch (RuntimeException e) {
      throw inputs.cause(e);
    }
    inputs.require();
    return ran;
  }
}
