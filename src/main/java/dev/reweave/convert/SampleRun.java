package dev.reweave.convert;

import dev.reweave.gather.ChunkResult;
import dev.reweave.gather.ChunkTask;
import dev.reweave.gather.Proof;
import dev.reweave.gather.StorageChecks;
import dev.reweave.manifest.TensorFacts;
import dev.reweave.manifest.WrittenTensor;
import dev.reweave.plan.Chunk;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.Measuring;
import dev.reweave.plan.PlannedFile;
import dev.reweave.plan.Segment;
import dev.reweave.spark.Cluster;
import dev.reweave.spark.Shared;
import dev.reweave.spark.SparkTasks;
import dev.reweave.storage.ReadLimit;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.Agreement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A conversion of evenly spread chunks that writes nothing, before the big one. */
public final class SampleRun {
  /**
   * What came of it.
   *
   * @param prepared the whole conversion
   * @param sample what was tried
   * @param tensors of the whole conversion, with what was seen of their values
   * @param differences by tensor, elements that differ between ranks that should have copies
   */
  public record Result(
      Preparation.Prepared prepared,
      Sample sample,
      List<WrittenTensor> tensors,
      Map<String, Long> differences) {}

  /**
   * What was tried.
   *
   * @param chunks that were read and cast
   * @param ofChunks all chunks of the conversion
   * @param bytesRead bytes fetched
   * @param bytesMade bytes that would have been written
   * @param checked storages whose checksum was compared
   * @param unchecked storages that have none, or were read in part
   */
  public record Sample(
      int chunks, int ofChunks, long bytesRead, long bytesMade, int checked, int unchecked) {}

  private final Cluster cluster;
  private final Stores stores;
  private final ReadLimit limit;
  private long bytesRead;

  /** Trials on this cluster, between these stores. */
  public SampleRun(Cluster cluster, Stores stores) {
    this(cluster, stores, ReadLimit.NONE);
  }

  /** The same with tasks that read no faster than the limit says. */
  public SampleRun(Cluster cluster, Stores stores, ReadLimit limit) {
    this.limit = limit;
    this.cluster = cluster;
    this.stores = stores;
  }

  /**
   * Tries a conversion.
   *
   * @param part of the chunks, greater than 0 and at most 1; at least one chunk is tried
   * @throws dev.reweave.common.ReweaveException if the conversion could not be done, or a storage
   *     is damaged that was read whole
   */
  public Result run(ConversionRequest request, double part) {
    OutputCheck check = new OutputCheck(stores, request);
    check.requireRoom(new Journal(check.output()));
    Shared<Stores> shared = cluster.share(stores);
    ReadLimit slowest = limit;
    try {
      Preparation.Prepared prepared =
          new Preparation(stores, cluster.scanner(shared)).prepare(request);
      SparkTasks tasks = cluster.tasks();
      ConversionPlan plan = prepared.plan();
      List<Chunk> all = plan.chunks(check.output().partRule());
      List<Chunk> sample = spread(all, part);
      Shared<ConversionPlan.Work> work = cluster.share(plan.work());
      StorageChecks checks = new StorageChecks();
      Map<String, TensorFacts> facts = new TreeMap<>();
      Map<String, Long> differences = new TreeMap<>();
      Map<String, Agreement> proofs = new TreeMap<>();
      try {
        tasks.run(
            "try: " + sample.size() + " of " + all.size() + " chunks",
            sample,
            SparkTasks.Amounts.bytes(Chunk::length),
            chunk ->
                new ChunkTask(
                        shared.value(),
                        work.value(),
                        chunk,
                        List.of(),
                        slowest,
                        Measuring.NOTHING,
                        SparkTasks.attempt())
                    .tryOut(SparkTasks.meter()),
            result -> {
              checks.add(result.reads().shares());
              bytesRead += result.reads().bytes();
              add(plan, result, facts, differences, proofs);
            });
      } finally {
        work.close();
      }
      checks.leaveOutParts();
      checks.compare(plan);
      new FiniteWeights(request.options().checks().nonfinite()).require(plan, facts);
      TiedWeights.require(plan, differences);
      if (!proofs.isEmpty()) {
        Proof.verdict(plan.witness(), proofs);
      }
      return new Result(
          prepared,
          new Sample(
              sample.size(),
              all.size(),
              bytesRead,
              sample.stream().mapToLong(Chunk::length).sum(),
              checks.checked(),
              checks.unchecked()),
          WrittenTensor.of(plan, facts),
          differences);
    } finally {
      shared.close();
    }
  }

  private static List<Chunk> spread(List<Chunk> all, double part) {
    int count = (int) Math.max(1, Math.min(all.size(), Math.ceil(all.size() * part)));
    List<Chunk> sample = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      // The middle of each of count equal stretches.
      sample.add(all.get((int) ((2L * i + 1) * all.size() / (2L * count))));
    }
    return sample;
  }

  private static void add(
      ConversionPlan plan,
      ChunkResult result,
      Map<String, TensorFacts> facts,
      Map<String, Long> differences,
      Map<String, Agreement> proofs) {
    PlannedFile file = plan.files().get(result.chunk().file());
    for (ChunkResult.TensorShare share : result.tensors()) {
      String name = ((Segment.OfTensor) file.segments().get(share.segment())).spec().name();
      TensorFacts seen = new TensorFacts(share.values(), share.digest().crc32c());
      facts.merge(name, seen, TensorFacts::plus);
      if (share.differences() > 0) {
        differences.merge(name, share.differences(), Long::sum);
      }
      if (share.proof().compared() > 0) {
        proofs.merge(name, share.proof(), Agreement::plus);
      }
    }
  }
}
