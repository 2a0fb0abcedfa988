package dev.reweave.convert;

import dev.reweave.common.Progress;
import dev.reweave.gather.ChunkResult;
import dev.reweave.gather.ChunkTask;
import dev.reweave.gather.Proof;
import dev.reweave.gather.Reads;
import dev.reweave.gather.StorageAudit;
import dev.reweave.gather.StorageChecks;
import dev.reweave.gather.TensorDigest;
import dev.reweave.manifest.Manifest;
import dev.reweave.manifest.RunFigures;
import dev.reweave.manifest.TensorFacts;
import dev.reweave.plan.Chunk;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.Measuring;
import dev.reweave.plan.PlannedFile;
import dev.reweave.spark.Cluster;
import dev.reweave.spark.Shared;
import dev.reweave.spark.SparkTasks;
import dev.reweave.storage.OutputFolder;
import dev.reweave.storage.ReadLimit;
import dev.reweave.storage.StagedFile;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.Agreement;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.IntStream;

/** Writes all chunks of a plan into staged files, in Spark tasks, and checks what was read. */
final class PlanRunner {
  /** What one task does. */
  private sealed interface Job extends Serializable {}

  private record Assignment(Chunk chunk, StagedFile target) implements Job {}

  /** By file, the CRC-32 of each of its segments: of as many as it has tensors. */
  private static final class Before extends HashMap<Integer, List<Integer>> {
    private static final long serialVersionUID = 1L;
  }

  /** To read what no tensor needs of an input file, for the checksums of its storages. */
  private record AuditOf(int file) implements Job {}

  /**
   * A plan whose files are all complete and staged.
   *
   * @param files by path
   * @param states by path
   */
  record Staged(
      Map<String, StagedFile> files, Map<String, Journal.FileState> states, RunFigures figures) {
    /** How far tensors are from what they were compared with, by name. */
    Map<String, Agreement> proofs() {
      return all(states, Journal.FileState::proofs);
    }

    /** What tensors hold, by name: of the files of runs that measured them. */
    Map<String, TensorDigest> digests() {
      Map<String, TensorDigest> digests = new HashMap<>();
      states.values().forEach(state -> digests.putAll(state.digests()));
      return digests;
    }
  }

  private final Cluster cluster;
  private final SparkTasks tasks;
  private final Shared<Stores> stores;
  private final ReadLimit limit;
  private final Measuring measured;
  private final FiniteWeights finite;

  PlanRunner(
      Cluster cluster,
      SparkTasks tasks,
      Shared<Stores> stores,
      ReadLimit limit,
      Measuring measured,
      FiniteWeights finite) {
    this.cluster = cluster;
    this.tasks = tasks;
    this.stores = stores;
    this.limit = limit;
    this.measured = measured;
    this.finite = finite;
  }

  /**
   * Runs a plan, or what is left of it.
   *
   * @param output where the files are staged, and a record of each finished one is kept
   * @param begun the files to write, and those that are finished
   * @throws dev.reweave.common.ReweaveException if something cannot be read or written, or is
   *     damaged
   */
  Staged run(ConversionPlan plan, OutputFolder output, OutputStaging.Begun begun) {
    Map<String, StagedFile> staged = begun.files();
    Map<String, Journal.FileState> finished = begun.finished();
    Shared<Stores> shared = stores;
    ReadLimit most = limit;
    RunCounters counters = new RunCounters(cluster);
    Measuring measuring = measured;
    Shared<ConversionPlan.Work> sent = cluster.share(plan.work());
    StorageChecks checks = new StorageChecks();
    finished.values().forEach(file -> checks.add(file.shares()));
    Map<String, Journal.FileState> states = new HashMap<>(finished);
    long[] audited = {0, 0};
    Progress progress = cluster.progress();
    progress.shards(plan.shards().size());
    plan.shards().stream()
        .filter(shard -> finished.containsKey(shard.path()))
        .forEach(shard -> progress.shardDone());
    try (FileAssembly assembly =
        new FileAssembly(plan, output, staged, new Journal(output), progress)) {
      ChunkWaves steps =
          new ChunkWaves(
              plan,
              plan.chunks(output.partRule(), tasks.slots()),
              file -> finished.containsKey(file.path()));
      // Where all is on one machine, there is nothing to choose.
      PreferredHosts hosts = new PreferredHosts(shared.value(), plan);
      List<SparkTasks.Batch<Job>> jobs = new ArrayList<>();
      for (SparkTasks.Batch<Chunk> wave : steps.bodies(tasks.slots())) {
        jobs.add(
            new SparkTasks.Batch<>(
                wave.description(),
                wave.items().stream()
                    .<Job>map(c -> new Assignment(c, target(c, plan, staged)))
                    .toList()));
      }
      // It waits for no chunk: it begins where tasks have no chunk left.
      jobs.add(
          new SparkTasks.Batch<>(
              "check: the checksums of " + plan.checkpointFiles() + " input files",
              IntStream.range(0, plan.checkpointFiles()).<Job>mapToObj(AuditOf::new).toList()));
      SparkTasks.Items<Job> all =
          new SparkTasks.Items<>(
              "convert",
              jobs,
              job ->
                  job instanceof Assignment a && !cluster.isLocal()
                      ? hosts.of(a.chunk())
                      : List.of(),
              SparkTasks.Amounts.bytes(
                  job -> job instanceof Assignment a ? a.chunk().length() : 0));
      tasks.run(
          all,
          job ->
              job instanceof Assignment a
                  ? counters.add(run(a, List.of(), shared.value(), sent.value(), most, measuring))
                  : counters.add(audit((AuditOf) job, shared.value(), sent.value(), most)),
          result -> {
            if (result instanceof ChunkResult chunk) {
              assembly.add(chunk);
              tell(plan, chunk.reads().waits());
            } else if (result instanceof StorageAudit.Result audit) {
              checks.add(audit.reads().shares());
              checks.leaveOut(audit.unchecked());
              audited[0] += audit.reads().bytes();
              audited[1] += audit.reads().requests();
            }
          });
      Before before = new Before();
      steps.tails().forEach(c -> before.put(c.file(), assembly.crc32OfSegments(c.file())));
      try (Shared<Before> crcs = cluster.share(before)) {
        tasks.run(
            "convert: the ends of " + steps.tails().size() + " files",
            steps.tails().stream().map(c -> new Assignment(c, target(c, plan, staged))).toList(),
            SparkTasks.Amounts.bytes(tail -> tail.chunk().length()),
            tail ->
                counters.add(
                    run(
                        tail,
                        crcs.value().get(tail.chunk().file()),
                        shared.value(),
                        sent.value(),
                        most,
                        measuring)),
            assembly::add);
      }
      for (Journal.FileState file : assembly.finish()) {
        checks.add(file.shares());
        states.put(file.path(), file);
      }
      checks.compare(plan);
      Map<String, TensorFacts> tensors = all(states, Journal.FileState::tensors);
      finite.require(plan, tensors);
      Map<String, Long> differences = all(states, Journal.FileState::differences);
      TiedWeights.require(plan, differences);
      RunFigures figures =
          new RunFigures(
              new RunFigures.Read(
                  assembly.bytesRead() + audited[0],
                  bytesNeeded(plan, finished),
                  assembly.requests() + audited[1],
                  finished.size()),
              new RunFigures.Checked(
                  checks.checked(),
                  checks.unchecked(),
                  checks.reasons().stream()
                      .map(r -> new Manifest.Unchecked(r.why(), r.storages(), r.files()))
                      .toList(),
                  (int) states.values().stream().filter(Journal.FileState::isChecked).count()),
              crcs(states),
              tensors,
              differences,
              proof(plan, all(states, Journal.FileState::proofs)));
      return new Staged(staged, states, figures);
    } finally {
      progress.shardsEnd();
      sent.close();
    }
  }

  private void tell(ConversionPlan plan, List<Reads.Wait> waits) {
    waits.forEach(
        wait ->
            cluster
                .progress()
                .read(plan.sources().get(wait.file()).uri(), wait.bytes(), wait.nanos()));
  }

  private static Optional<Manifest.Proof> proof(
      ConversionPlan plan, Map<String, Agreement> proofs) {
    return proofs.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Manifest.Proof(
                proofs.size(),
                proofs.values().stream().mapToLong(Agreement::compared).sum(),
                Proof.verdict(plan.witness(), proofs)));
  }

  /**
   * Makes one chunk.
   *
   * @param before CRC-32 of the segments before a tail
   */
  private static ChunkResult run(
      Assignment a,
      List<Integer> before,
      Stores stores,
      ConversionPlan.Work work,
      ReadLimit limit,
      Measuring measuring) {
    return new ChunkTask(stores, work, a.chunk(), before, limit, measuring, SparkTasks.attempt())
        .run(a.target(), SparkTasks.meter());
  }

  private static StorageAudit.Result audit(
      AuditOf audit, Stores stores, ConversionPlan.Work work, ReadLimit limit) {
    return new StorageAudit(stores, work, audit.file(), limit).run();
  }

  private static StagedFile target(
      Chunk chunk, ConversionPlan plan, Map<String, StagedFile> staged) {
    return staged.get(plan.files().get(chunk.file()).path());
  }

  private static long bytesNeeded(ConversionPlan plan, Map<String, Journal.FileState> finished) {
    return plan.files().stream()
        .filter(f -> !finished.containsKey(f.path()))
        .mapToLong(PlannedFile::bytesToRead)
        .sum();
  }

  private static Map<String, Integer> crcs(Map<String, Journal.FileState> states) {
    Map<String, Integer> crcs = new TreeMap<>();
    states.forEach((path, state) -> crcs.put(path, state.crc32c()));
    return crcs;
  }

  private static <T> Map<String, T> all(
      Map<String, Journal.FileState> states, Function<Journal.FileState, Map<String, T>> ofFile) {
    Map<String, T> found = new TreeMap<>();
    states.values().forEach(state -> found.putAll(ofFile.apply(state)));
    return found;
  }
}
