package dev.reweave.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.convert.Preparation;
import dev.reweave.gather.ChunkResult;
import dev.reweave.gather.ChunkTask;
import dev.reweave.gather.Gather;
import dev.reweave.gather.OpenFiles;
import dev.reweave.gather.Proof;
import dev.reweave.gather.ReadTally;
import dev.reweave.gather.StorageAudit;
import dev.reweave.gather.StorageChecks;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.Chunk;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.Measuring;
import dev.reweave.plan.PlannedFile;
import dev.reweave.plan.Segment;
import dev.reweave.storage.Checksum;
import dev.reweave.storage.PartRule;
import dev.reweave.storage.ReadLimit;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.Agreement;
import dev.reweave.tensor.Cast;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.NamedTensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The tensors of a checkpoint as its layouts find them: read, planned and made by the tasks of a
 * conversion one after another, without Spark and without an output.
 */
public final class Gathered {
  private final Preparation.Prepared prepared;
  private final ConversionPlan plan;
  private final Map<String, ChunkResult.TensorShare> shares = new TreeMap<>();
  private final StorageChecks checks = new StorageChecks();
  private final Map<String, String> tensors = new TreeMap<>();
  private final Map<String, byte[]> contents = new TreeMap<>();
  private Optional<Manifest.Proof> proof = Optional.empty();

  private Gathered(Preparation.Prepared prepared) {
    this.prepared = prepared;
    this.plan = prepared.plan();
  }

  /**
   * Runs all tasks of a conversion, and requires that they read each storage as it was written,
   * that the second copy of the weights proves them, and that chunks hold what the tensors do.
   */
  static Gathered of(Stores stores, Preparation.Prepared prepared) {
    Gathered gathered = new Gathered(prepared);
    gathered.runTasks(stores);
    try (OpenFiles files =
        new OpenFiles(stores, gathered.plan.sources(), ReadLimit.NONE.bucket())) {
      Gather gather = new Gather(files, new ReadTally());
      gathered.plan.shards().stream()
          .flatMap(shard -> shard.tensors().stream())
          .forEach(tensor -> gathered.add(tensor, gather));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return gathered;
  }

  private void runTasks(Stores stores) {
    for (Chunk chunk : plan.chunks(PartRule.FREE)) {
      PlannedFile file = plan.files().get(chunk.file());
      ChunkResult result =
          new ChunkTask(
                  stores, plan.work(), chunk, List.of(), ReadLimit.NONE, Measuring.NOTHING, "")
              .tryOut(bytes -> {});
      checks.add(result.reads().shares());
      for (ChunkResult.TensorShare share : result.tensors()) {
        Segment.OfTensor tensor = (Segment.OfTensor) file.segments().get(share.segment());
        shares.merge(tensor.spec().name(), share, ChunkResult.TensorShare::plus);
      }
    }
    for (int file = 0; file < plan.checkpointFiles(); file++) {
      StorageAudit.Result audit = new StorageAudit(stores, plan.work(), file, ReadLimit.NONE).run();
      checks.add(audit.reads().shares());
      checks.leaveOut(audit.unchecked());
    }
    checks.compare(plan);
    proof = proven();
  }

  private Optional<Manifest.Proof> proven() {
    Map<String, Agreement> outcomes = new TreeMap<>();
    shares.forEach(
        (name, share) -> {
          if (share.proof().compared() > 0) {
            outcomes.put(name, share.proof());
          }
        });
    return outcomes.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Manifest.Proof(
                outcomes.size(),
                outcomes.values().stream().mapToLong(Agreement::compared).sum(),
                Proof.verdict(plan.witness(), outcomes)));
  }

  private void add(Segment.OfTensor tensor, Gather gather) {
    String name = tensor.spec().name();
    DType type = tensor.spec().dtype();
    byte[] content = content(tensor, gather);
    if (content.length > 0) {
      assertEquals(
          shares.get(name).digest().crc32c(),
          Checksum.CRC_32C.of(content, 0, content.length),
          () -> "what chunks hold of " + name);
    }
    contents.put(name, content);
    tensors.put(name, StoredTensors.describe(type, tensor.spec().shape().toString(), content));
  }

  /** All elements, in as few reads as a gather allows. */
  private static byte[] content(Segment.OfTensor tensor, Gather gather) {
    Layout layout = tensor.layout();
    DType type = tensor.spec().dtype();
    Cast cast = Cast.between(layout.dtype(), type);
    byte[] content = new byte[Math.toIntExact(tensor.length())];
    int units = content.length / type.bytes();
    int most =
        (int)
            Math.min(
                units,
                Math.min(
                    Gather.mostElements(layout), Gather.mostBeside(layout, Gather.MOST_BESIDE)));
    for (int from = 0; from < units; from += most) {
      int count = Math.min(most, units - from);
      byte[] stored = new byte[count * layout.dtype().bytes()];
      gather.read(List.of(new Gather.Slice(layout, from, from + count, stored, 0)));
      cast.apply(stored, 0, content, from * type.bytes(), count);
    }
    return content;
  }

  /** What was read, and what is told of it. */
  public Preparation.Prepared prepared() {
    return prepared;
  }

  /** What was read, as it stands there. */
  public Checkpoint checkpoint() {
    return prepared.checkpoint();
  }

  /** The names of the tensors that were read, in their order. */
  public List<String> names() {
    return checkpoint().tensors().stream().map(NamedTensor::name).toList();
  }

  /** What the user is told. */
  public List<String> notes() {
    return prepared.notes();
  }

  /** Tied names: each that is left out to the one that is kept. */
  public Map<String, String> aliases() {
    return prepared.aliases();
  }

  /** By name, type, shape and SHA-256 of the bytes, as {@link StoredTensors} tells of a file. */
  public Map<String, String> tensors() {
    return tensors;
  }

  /** The bytes of a tensor, little-endian. */
  public ByteBuffer content(String name) {
    return ByteBuffer.wrap(contents.get(name)).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** By tensor, elements that should be the same in several copies and are not. */
  public Map<String, Long> differences() {
    Map<String, Long> differences = new TreeMap<>();
    shares.forEach(
        (name, share) -> {
          if (share.differences() > 0) {
            differences.put(name, share.differences());
          }
        });
    return differences;
  }

  /** Number of storages whose checksum was compared. */
  public int checked() {
    return checks.checked();
  }

  /** Why storages could not be checked, once for each reason. */
  public List<String> unchecked() {
    return checks.reasons().stream().map(StorageChecks.LeftOut::why).toList();
  }

  /** What comparing with the second copy of the weights came to, if there is one. */
  public Optional<Manifest.Proof> proof() {
    return proof;
  }
}
