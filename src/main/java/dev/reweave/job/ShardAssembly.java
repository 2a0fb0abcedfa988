package dev.reweave.job;

import dev.reweave.ReweaveException;
import dev.reweave.plan.Chunk;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.storage.Checksum;
import dev.reweave.storage.OutputFolder;
import dev.reweave.storage.PartReceipt;
import dev.reweave.storage.StagedFile;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Collects the results of chunks; when a shard has all of them, puts it together and records it.
 * That happens on a thread of its own, since Spark's scheduler waits while a result is handed over.
 */
final class ShardAssembly implements AutoCloseable {
  /** The sums of one shard so far. */
  private static final class Progress {
    private final List<PartReceipt> receipts = new ArrayList<>();
    private final Map<Object, ReadTally.StorageShare> shares = new LinkedHashMap<>();
    private long bytes;
    private int crc32c;
  }

  private static final long LONGEST_WAIT_SECONDS = 120;

  private final ConversionPlan plan;
  private final OutputFolder output;
  private final Map<String, StagedFile> staged;
  private final Journal journal;
  private final Map<Integer, Progress> open = new HashMap<>();
  private final ExecutorService finisher = Executors.newSingleThreadExecutor();
  private final List<Future<Journal.ShardState>> finished = new ArrayList<>();
  private long bytesRead;
  private long requests;

  ShardAssembly(
      ConversionPlan plan, OutputFolder output, Map<String, StagedFile> staged, Journal journal) {
    this.plan = plan;
    this.output = output;
    this.staged = staged;
    this.journal = journal;
  }

  synchronized void add(ChunkResult result) {
    Chunk chunk = result.chunk();
    long length = plan.shards().get(chunk.shard()).length();
    Progress progress = open.computeIfAbsent(chunk.shard(), shard -> new Progress());
    progress.receipts.add(result.receipt());
    progress.crc32c ^= Checksum.CRC_32C.share(result.crc32c(), length - chunk.to());
    progress.bytes += chunk.length();
    result.shares().forEach(s -> progress.shares.merge(s.storage(), s, ReadTally::sum));
    bytesRead += result.bytesRead();
    requests += result.requests();
    if (progress.bytes == length) {
      open.remove(chunk.shard());
      String shard = plan.shards().get(chunk.shard()).fileName();
      finished.add(finisher.submit(() -> finish(shard, progress)));
    }
  }

  private Journal.ShardState finish(String shard, Progress progress) {
    progress.receipts.sort(Comparator.comparingInt(PartReceipt::number));
    output.assemble(staged.get(shard), progress.receipts);
    Journal.ShardState state =
        new Journal.ShardState(
            shard, progress.crc32c, progress.receipts, List.copyOf(progress.shares.values()));
    journal.finish(state);
    return state;
  }

  /** Waits until every shard is put together. */
  synchronized List<Journal.ShardState> finish() {
    List<Journal.ShardState> states = new ArrayList<>();
    try {
      for (Future<Journal.ShardState> shard : finished) {
        states.add(shard.get());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ReweaveException("interrupted", output.address(), "run the command again", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new IllegalStateException(e.getCause());
    }
    return states;
  }

  synchronized long bytesRead() {
    return bytesRead;
  }

  synchronized long requests() {
    return requests;
  }

  @Override
  public void close() {
    finisher.shutdownNow();
    try {
      // What it writes must not come behind a clean-up.
      if (!finisher.awaitTermination(LONGEST_WAIT_SECONDS, TimeUnit.SECONDS)) {
        throw new IllegalStateException("a shard of " + output.address() + " is still assembled");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
