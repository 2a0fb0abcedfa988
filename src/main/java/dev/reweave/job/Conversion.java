package dev.reweave.job;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.CheckpointReader;
import dev.reweave.job.ConversionRequest.Earlier;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.PlannedShard;
import dev.reweave.plan.Planner;
import dev.reweave.report.Manifest;
import dev.reweave.storage.OutputFolder;
import dev.reweave.storage.OutputLock;
import dev.reweave.storage.PartRule;
import dev.reweave.storage.StagedFile;
import dev.reweave.storage.Stores;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;

/** The main job: reads metadata, plans, runs the plan, publishes the result. */
public final class Conversion {
  /**
   * What a conversion came to.
   *
   * @param manifest of the result
   * @param kind whether it was made now
   */
  public record Outcome(Manifest manifest, Kind kind) {
    /** Whether there was anything to do. */
    public enum Kind {
      CONVERTED,
      UP_TO_DATE
    }
  }

  private final JavaSparkContext spark;
  private final Stores stores;

  /** Conversions on this cluster, between these stores. */
  public Conversion(JavaSparkContext spark, Stores stores) {
    this.spark = spark;
    this.stores = stores;
  }

  /** Memory that one task takes at most for its buffers, in bytes; the same for every model. */
  public static long taskBytes(PartRule rule, ConversionPlan plan) {
    long part =
        rule.buffering() == PartRule.Buffering.NONE
            ? 0
            : plan.chunks(rule).stream().mapToLong(c -> c.length()).max().orElse(0);
    return ChunkTask.BUFFERS + part;
  }

  /**
   * Converts one checkpoint. Either the whole result becomes visible or nothing does.
   *
   * @throws dev.reweave.ReweaveException if it cannot be done
   */
  public Outcome run(ConversionRequest request) {
    Instant start = Instant.now();
    OutputCheck check = new OutputCheck(stores, request);
    Broadcast<Stores> shared = spark.broadcast(stores);
    SparkTasks tasks = new SparkTasks(spark);
    try {
      Checkpoint checkpoint =
          new CheckpointReader(stores, new SparkScanner(tasks, shared))
              .read(request.input(), request.reading());
      ConversionPlan plan = new Planner(request.planning()).plan(checkpoint);
      String fingerprint = Fingerprint.of(request, plan);
      Optional<Manifest> done = check.upToDate(fingerprint);
      if (done.isPresent()) {
        return new Outcome(done.get(), Outcome.Kind.UP_TO_DATE);
      }
      Manifest.Origin origin =
          new Manifest.Origin(
              fingerprint,
              Fingerprint.command(request),
              stores.resolve(request.input()),
              spark.version(),
              start);
      return new Outcome(
          write(request, check, checkpoint, plan, origin, tasks, shared), Outcome.Kind.CONVERTED);
    } finally {
      shared.destroy();
    }
  }

  private Manifest write(
      ConversionRequest request,
      OutputCheck check,
      Checkpoint checkpoint,
      ConversionPlan plan,
      Manifest.Origin origin,
      SparkTasks tasks,
      Broadcast<Stores> shared) {
    OutputFolder output = check.output();
    Journal journal = new Journal(output);
    check.requireRoom(journal.begun());
    boolean existed = output.exists();
    try (OutputLock.Held lock = output.lock().take("reweave convert " + request.output())) {
      Optional<Journal.PlanState> begun = journal.begun();
      check.requireRoom(begun);
      try {
        boolean goOn =
            request.earlier() == Earlier.CONTINUE
                && begun.filter(p -> p.fingerprint().equals(origin.fingerprint())).isPresent();
        if (!goOn) {
          begun.ifPresent(plan0 -> removePartOf(plan0, check));
          output.clear();
        }
        Map<String, Journal.ShardState> finished = goOn ? journal.finished(begun.get()) : Map.of();
        Map<String, StagedFile> staged =
            goOn ? stagedBefore(plan, begun.get(), finished, output) : stage(plan, output);
        if (!goOn) {
          begin(journal, origin.fingerprint(), plan, staged);
        }
        PlanRunner.Staged result =
            new PlanRunner(spark, tasks, shared, output, journal).run(plan, staged, finished);
        Manifest manifest =
            Manifest.of(
                origin, checkpoint, request.planning(), request.reading(), plan, result.figures());
        lock.check();
        new Publisher(output, journal).publish(plan, result, manifest);
        return manifest;
      } finally {
        output.clear();
      }
    } finally {
      if (!existed) {
        output.removeIfEmpty();
      }
    }
  }

  /** Removes what a killed run of another plan made visible before it came to its end. */
  private static void removePartOf(Journal.PlanState plan, OutputCheck check) {
    if (check.manifest().isEmpty()) {
      OutputFolder output = check.output();
      output.names().stream().filter(plan::publishes).forEach(output::remove);
    }
  }

  private static Map<String, StagedFile> stage(ConversionPlan plan, OutputFolder output) {
    Map<String, StagedFile> staged = new HashMap<>();
    output.prepare(plan.bytesToWrite());
    for (PlannedShard shard : plan.shards()) {
      staged.put(shard.fileName(), output.stage(shard.fileName(), shard.length()));
    }
    return staged;
  }

  private static Map<String, StagedFile> stagedBefore(
      ConversionPlan plan,
      Journal.PlanState begun,
      Map<String, Journal.ShardState> finished,
      OutputFolder output) {
    Map<String, StagedFile> staged = new HashMap<>();
    for (PlannedShard shard : plan.shards()) {
      String name = shard.fileName();
      String token = begun.tokens().getOrDefault(name, "");
      staged.put(
          name,
          finished.containsKey(name) || !token.isEmpty()
              ? output.stagedBefore(name, shard.length(), token)
              : output.stage(name, shard.length()));
    }
    return staged;
  }

  private static void begin(
      Journal journal, String fingerprint, ConversionPlan plan, Map<String, StagedFile> staged) {
    Map<String, String> tokens = new HashMap<>();
    staged.forEach((name, file) -> tokens.put(name, file.token()));
    journal.begin(
        new Journal.PlanState(
            fingerprint, tokens, plan.index().isPresent() ? plan.indexName() : ""));
  }
}
