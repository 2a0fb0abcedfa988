package dev.reweave.gather;

import dev.reweave.common.ReweaveException;
import dev.reweave.convert.ConversionRequest;
import dev.reweave.convert.Preparation;
import dev.reweave.plan.Chunk;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.Measuring;
import dev.reweave.plan.PlannedFile;
import dev.reweave.plan.Segment;
import dev.reweave.storage.ReadLimit;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.tensor.StorageRef;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.LongStream;

/**
 * The tasks of a conversion, one after another in this JVM and writing nothing. What they come to
 * is kept, so that after a change to one byte only the task runs again that should read it: if
 * another read it in truth, the change would not be found.
 */
final class DirectRun {
  /** Bytes of a chunk: fewer than a conversion allows, so that little runs again. */
  private static final long CHUNK_BYTES = 1024;

  private static final int NO_CHUNK = -1;
  private static final int MOST_NAMES = 10;

  private final Stores stores;
  private final ConversionPlan plan;
  private final List<Chunk> chunks = new ArrayList<>();
  private final List<List<ReadTally.StorageShare>> ofChunks = new ArrayList<>();
  private final List<StorageAudit.Result> ofFiles = new ArrayList<>();

  /** By storage, the number of the chunk that needs each of its bytes. */
  private final Map<StorageRef, int[]> readers = new HashMap<>();

  private final Map<StorageRef, Set<String>> tensors = new HashMap<>();

  private DirectRun(Stores stores, ConversionPlan plan) {
    this.stores = stores;
    this.plan = plan;
  }

  /** Runs all tasks of a conversion. */
  static DirectRun of(Stores stores, ConversionRequest request) {
    ConversionPlan plan =
        new Preparation(stores, new ThreadScanner(stores)).prepare(request).plan();
    DirectRun run = new DirectRun(stores, plan);
    for (int f = 0; f < plan.files().size(); f++) {
      PlannedFile file = plan.files().get(f);
      for (long from = 0; from < file.length(); from += CHUNK_BYTES) {
        long to = Math.min(file.length(), from + CHUNK_BYTES);
        run.add(file, new Chunk(f, (int) (from / CHUNK_BYTES) + 1, from, to));
      }
    }
    for (int file = 0; file < plan.checkpointFiles(); file++) {
      run.ofFiles.add(run.audit(file));
    }
    return run;
  }

  private void add(PlannedFile file, Chunk chunk) {
    for (int s = 0; s < file.segments().size(); s++) {
      if (file.segments().get(s) instanceof Segment.OfTensor ofTensor) {
        long size = ofTensor.spec().dtype().bytes();
        long from = Math.max(0, chunk.from() - file.position(s)) / size;
        long to = Math.min(ofTensor.length(), chunk.to() - file.position(s)) / size;
        // One by one, so that an element that is made of copies gives all of them.
        for (long element = from; element < to; element++) {
          need(ofTensor, element);
        }
      }
    }
    ofChunks.add(shares(chunk));
    chunks.add(chunk);
  }

  private void need(Segment.OfTensor ofTensor, long element) {
    ofTensor
        .layout()
        .runs(
            element,
            element + 1,
            (storage, offset, count) -> {
              int size = storage.dtype().bytes();
              int from = Math.toIntExact(offset * size);
              Arrays.fill(readers(storage), from, from + size, chunks.size());
              tensors.computeIfAbsent(storage, s -> new HashSet<>()).add(ofTensor.spec().name());
            });
  }

  private int[] readers(StorageRef storage) {
    return readers.computeIfAbsent(
        storage,
        s -> {
          int[] nobody = new int[Math.toIntExact(s.bytes())];
          Arrays.fill(nobody, NO_CHUNK);
          return nobody;
        });
  }

  private List<ReadTally.StorageShare> shares(Chunk chunk) {
    return new ChunkTask(
            stores, plan.work(), chunk, List.of(), ReadLimit.NONE, Measuring.NOTHING, "")
        .tryOut(bytes -> {})
        .reads()
        .shares();
  }

  private StorageAudit.Result audit(int file) {
    return new StorageAudit(stores, plan.work(), file, ReadLimit.NONE).run();
  }

  /** The storages that the tensors lie in, file after file. */
  List<StorageRef> storages() {
    return readers.keySet().stream()
        .sorted(Comparator.comparing(StorageRef::file).thenComparing(StorageRef::name))
        .toList();
  }

  /** Those of them that are told as not checked. */
  Set<StorageRef> unchecked() {
    Set<StorageRef> unchecked = new HashSet<>();
    ofFiles.forEach(result -> unchecked.addAll(result.unchecked().keySet()));
    return unchecked;
  }

  /** How many storages are told as checked. */
  int checked() {
    return checks(ofChunks, ofFiles).checked();
  }

  /** The file that a storage lies in. */
  String address(StorageRef storage) {
    return plan.sources().get(storage.file()).uri();
  }

  /** Bytes of a storage that no tensor needs. */
  long[] padding(StorageRef storage) {
    int[] chunkOf = readers.get(storage);
    return LongStream.range(0, chunkOf.length)
        .filter(at -> chunkOf[(int) at] == NO_CHUNK)
        .toArray();
  }

  /** What a conversion says of a storage that is not as it was written. */
  String damage(StorageRef storage) {
    List<String> names = new ArrayList<>();
    for (PlannedFile shard : plan.shards()) {
      shard.tensors().stream()
          .map(tensor -> tensor.spec().name())
          .filter(tensors.get(storage)::contains)
          .forEach(names::add);
    }
    if (names.size() > MOST_NAMES) {
      String more = "and " + (names.size() - MOST_NAMES) + " more";
      names.subList(MOST_NAMES, names.size()).clear();
      names.add(more);
    }
    return "damaged weights: the checksum of a storage is not the one that was saved with it: "
        + address(storage)
        + ", "
        + storage.name()
        + ", which holds "
        + String.join(", ", names)
        + "; copy the file from the training run again, or convert another tag";
  }

  /**
   * What the checks say now that a byte of a storage may have changed.
   *
   * @return the message; empty if nothing was found
   */
  Optional<String> found(StorageRef storage, long at) {
    List<List<ReadTally.StorageShare>> shares = new ArrayList<>(ofChunks);
    List<StorageAudit.Result> audits = new ArrayList<>(ofFiles);
    int chunk = readers.get(storage)[Math.toIntExact(at)];
    if (chunk == NO_CHUNK) {
      audits.set(storage.file(), audit(storage.file()));
    } else {
      shares.set(chunk, shares(chunks.get(chunk)));
    }
    try {
      checks(shares, audits).compare(plan);
      return Optional.empty();
    } catch (ReweaveException e) {
      return Optional.of(e.getMessage());
    }
  }

  /** Sums up as the runner of a conversion does. */
  private static StorageChecks checks(
      List<List<ReadTally.StorageShare>> shares, List<StorageAudit.Result> audits) {
    StorageChecks checks = new StorageChecks();
    shares.forEach(checks::add);
    for (StorageAudit.Result audit : audits) {
      checks.add(audit.reads().shares());
      checks.leaveOut(audit.unchecked());
    }
    return checks;
  }
}
