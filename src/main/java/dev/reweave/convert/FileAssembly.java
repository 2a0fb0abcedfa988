package dev.reweave.convert;

import dev.reweave.common.Progress;
import dev.reweave.gather.ChunkResult;
import dev.reweave.gather.ReadTally;
import dev.reweave.gather.TensorDigest;
import dev.reweave.manifest.TensorFacts;
import dev.reweave.plan.Chunk;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.PlannedFile;
import dev.reweave.plan.Segment;
import dev.reweave.storage.Checksum;
import dev.reweave.storage.OutputFolder;
import dev.reweave.storage.PartReceipt;
import dev.reweave.storage.StagedFile;
import dev.reweave.tensor.Agreement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * Collects the results of chunks; when a file has all of them, puts it together and records it.
 * That happens on threads of its own, since Spark's scheduler waits while a result is handed over,
 * and stores for each request.
 */
final class FileAssembly implements AutoCloseable {
  /** The sums of one file so far. */
  private static final class Sums {
    private final List<PartReceipt> receipts = new ArrayList<>();
    private final Map<Object, ReadTally.StorageShare> shares = new LinkedHashMap<>();
    private final Map<Integer, ChunkResult.TensorShare> tensors = new HashMap<>();
    private long bytes;
    private int crc32c;
  }

  private static final long LONGEST_WAIT_SECONDS = 120;

  /** Files that are put together at once. */
  private static final int FINISHERS = 4;

  private final ConversionPlan plan;
  private final OutputFolder output;
  private final Map<String, StagedFile> staged;
  private final Journal journal;
  private final Progress progress;
  private final Map<Integer, Sums> open = new HashMap<>();
  private final ExecutorService finisher = Executors.newFixedThreadPool(FINISHERS);
  private final List<Future<Journal.FileState>> finished = new ArrayList<>();
  private long bytesRead;
  private long requests;

  FileAssembly(
      ConversionPlan plan,
      OutputFolder output,
      Map<String, StagedFile> staged,
      Journal journal,
      Progress progress) {
    this.progress = progress;
    this.plan = plan;
    this.output = output;
    this.staged = staged;
    this.journal = journal;
  }

  synchronized void add(ChunkResult result) {
    Chunk chunk = result.chunk();
    PlannedFile file = plan.files().get(chunk.file());
    long length = file.length();
    Sums sums = open.computeIfAbsent(chunk.file(), f -> new Sums());
    sums.receipts.addAll(result.receipts());
    sums.crc32c ^= Checksum.CRC_32C.share(result.crc32c(), length - chunk.to());
    sums.bytes += chunk.length();
    result.reads().shares().forEach(s -> sums.shares.merge(s.storage(), s, ReadTally::sum));
    result
        .tensors()
        .forEach(t -> sums.tensors.merge(t.segment(), t, ChunkResult.TensorShare::plus));
    bytesRead += result.reads().bytes();
    requests += result.reads().requests();
    if (sums.bytes == length) {
      open.remove(chunk.file());
      finished.add(finisher.submit(() -> finish(file, sums)));
    }
  }

  /**
   * What the chunks so far add to the CRC-32 of each segment of a file.
   *
   * @param index of the file in the plan
   */
  synchronized List<Integer> crc32OfSegments(int index) {
    Integer[] crcs = new Integer[plan.files().get(index).segments().size()];
    Arrays.fill(crcs, 0);
    Sums sums = open.get(index);
    if (sums != null) {
      sums.tensors.forEach((segment, share) -> crcs[segment] = share.crc32());
    }
    return List.of(crcs);
  }

  private Journal.FileState finish(PlannedFile file, Sums sums) {
    sums.receipts.sort(Comparator.comparingInt(PartReceipt::number));
    output.assemble(staged.get(file.path()), sums.receipts);
    List<ChunkResult.TensorShare> tensors = List.copyOf(sums.tensors.values());
    Journal.FileState state =
        new Journal.FileState(
            file.path(),
            sums.crc32c,
            sums.receipts,
            List.copyOf(sums.shares.values()),
            byTensor(
                file,
                tensors,
                share -> share.values().elements() > 0,
                share -> new TensorFacts(share.values(), share.digest().crc32c()),
                TensorFacts::plus),
            byTensor(
                file,
                tensors,
                share -> share.differences() > 0,
                ChunkResult.TensorShare::differences,
                Long::sum),
            byTensor(
                file,
                tensors,
                share -> share.proof().compared() > 0,
                ChunkResult.TensorShare::proof,
                Agreement::plus),
            byTensor(
                file,
                tensors,
                share -> share.digest().statistics().elements() > 0,
                ChunkResult.TensorShare::digest,
                TensorDigest::plus));
    journal.finish(state);
    if (file.role() == PlannedFile.Role.WEIGHTS) {
      progress.shardDone();
    }
    return state;
  }

  /** Something of each tensor that has it, by its name; of all its segments together. */
  private static <T> Map<String, T> byTensor(
      PlannedFile file,
      List<ChunkResult.TensorShare> tensors,
      Predicate<ChunkResult.TensorShare> has,
      Function<ChunkResult.TensorShare, T> what,
      BinaryOperator<T> together) {
    Map<String, T> found = new TreeMap<>();
    for (ChunkResult.TensorShare share : tensors) {
      if (has.test(share)) {
        Segment.OfTensor tensor = (Segment.OfTensor) file.segments().get(share.segment());
        found.merge(tensor.spec().name(), what.apply(share), together);
      }
    }
    return found;
  }

  /** Waits until every file is put together. */
  synchronized List<Journal.FileState> finish() {
    List<Journal.FileState> states = new ArrayList<>();
    try {
      for (Future<Journal.FileState> file : finished) {
        states.add(file.get());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw ConversionFailures.interrupted(output.address(), e);
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
        throw new IllegalStateException("a file of " + output.address() + " is still assembled");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
