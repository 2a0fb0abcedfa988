package dev.reweave.checkpoint.dcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Weights;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.common.ReweaveException;
import dev.reweave.convert.ConversionRequest.Proving;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.StorageRef;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Gathered;
import dev.reweave.testing.LocalStores;
import dev.reweave.testing.Locations;
import dev.reweave.testing.StoredTensors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The masters of a model that Megatron-Core 0.16.1 trained on two data-parallel and two
 * tensor-parallel ranks, in buckets of some 900 elements: {@code make_megatron.py FOLDER --tp 2
 * --bucket 900}. What is expected is what its optimizers held in memory.
 */
class BucketMastersTest {
  private static final Path FIXTURE = Fixtures.resource("trainers/megatron-016-dp-reshardable-tp2");
  private static final String FC1 = "decoder.layers.mlp.linear_fc1.weight";
  private static final String NORM = "decoder.layers.self_attention.linear_qkv.layer_norm_weight";

  @TempDir Path temp;

  private Converting converting(Path input) {
    return Converting.between(input, temp.resolve("out"))
        .weights(Weights.MASTER)
        .type("keep")
        .mapping("none");
  }

  private Path copy() throws IOException {
    return Fixtures.copy(FIXTURE.resolve("ckpt"), temp.resolve("in"));
  }

  private static String refused(Converting conversion) {
    return assertThrows(ReweaveException.class, conversion::gather).problem();
  }

  /** Adds something to a master, as if it had been saved so. */
  private static void change(Path input, String tensor, long element) throws IOException {
    Checkpoint checkpoint =
        new CheckpointReader(LocalStores.ALL, new ThreadScanner(LocalStores.ALL))
            .read(
                Locations.of(input),
                new ReadOptions(
                    Optional.empty(), Optional.of(Weights.MASTER), ReadOptions.Frozen.INCLUDE));
    NamedTensor found =
        checkpoint.tensors().stream()
            .filter(t -> t.name().equals(tensor))
            .findFirst()
            .orElseThrow();
    StorageRef[] storage = new StorageRef[1];
    long[] offset = new long[1];
    found
        .layout()
        .runs(
            element,
            element + 1,
            (ref, at, elements) -> {
              storage[0] = ref;
              offset[0] = at;
            });
    Path file =
        input.resolve("iter_0000010").resolve(checkpoint.files().get(storage[0].file()).name());
    byte[] content = Files.readAllBytes(file);
    ByteBuffer bytes = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
    int start = (int) storage[0].position();
    int length = (int) storage[0].bytes();
    int at = start + (int) offset[0] * DType.F32.bytes();
    bytes.putFloat(at, bytes.getFloat(at) + 1);
    CRC32 crc = new CRC32();
    crc.update(content, start, length);
    // Behind the bytes, and in the zip's directory.
    int changed = 0;
    for (int i = start + length; changed < 2; i++) {
      if (bytes.getInt(i) == (int) storage[0].crc32()) {
        bytes.putInt(i, (int) crc.getValue());
        changed++;
      }
    }
    Files.write(file, content);
  }

  @Test
  void areThoseOfTheOptimizer() throws IOException {
    Gathered gathered = converting(FIXTURE.resolve("ckpt")).gather();

    assertEquals(
        StoredTensors.of(FIXTURE.resolve("expected_fp32.safetensors")), gathered.tensors());
    // Each element is compared, as nothing else tells whose it is.
    assertEquals(5024, gathered.proof().orElseThrow().elements());
    assertTrue(
        gathered
            .notes()
            .contains(
                "the fp32 masters are in flat buckets of the distributed optimizer, without names:"
                    + " they are taken in Megatron-Core's order, which their sizes fit, and so does"
                    + " what each tensor begins and ends with"),
        gathered.notes().toString());
  }

  @Test
  void withoutBeingAskedForTheyAreLeftAlone() throws IOException {
    Checkpoint model =
        new CheckpointReader(LocalStores.ALL, new ThreadScanner(LocalStores.ALL))
            .read(Locations.of(FIXTURE.resolve("ckpt")), ReadOptions.defaults());

    assertEquals(Weights.MODEL, model.source().weights());
    assertTrue(model.tensors().stream().allMatch(t -> t.spec().dtype() == DType.BF16));
  }

  @Test
  void oneThatDoesNotRoundToTheWeightEndsTheConversion() throws IOException {
    Path input = copy();
    // Within what a rank has: only the ends of that are looked at before.
    change(input, FC1, 90);

    assertEquals(
        "whose the fp32 masters are is not proven: in 1 of 9 tensors some do not round to the"
            + " model's weights: "
            + FC1
            + " (1 of 1536 elements)",
        refused(converting(input)));
    // Where nothing is to be compared, it is not seen.
    assertTrue(
        converting(input)
            .proving(Proving.NONE)
            .gather()
            .notes()
            .contains("--no-proof: the weights were compared with nothing"));
  }

  @Test
  void oneAtTheEndOfWhatARankHasIsSeenBeforeAnythingIsConverted() throws IOException {
    Path input = copy();
    change(input, FC1, 0);

    ReweaveException e = assertThrows(ReweaveException.class, () -> converting(input).prepare());
    assertEquals(
        "the fp32 masters are in flat buckets of the distributed optimizer, without names: in the"
            + " order that gives buckets of these sizes they do not round to the model's weights,"
            + " as in "
            + FC1,
        e.problem());
    // The model's own are there all the same.
    assertEquals(
        9, Converting.between(input, temp.resolve("out")).mapping("none").gather().names().size());
  }

  /**
   * The ranks have a copy each of what is not cut; the first one's is taken, and all are proven.
   */
  @Test
  void copiesOfAllRanksAreCompared() {
    Gathered gathered = converting(FIXTURE.resolve("ckpt")).gather();

    assertEquals(
        2,
        gathered.checkpoint().tensors().stream()
            .filter(t -> t.name().equals(NORM))
            .findFirst()
            .orElseThrow()
            .layout()
            .width());
    assertEquals(0, gathered.differences().getOrDefault(NORM, 0L));
  }

  @Test
  void aMeanOfStepsProvesNothing() throws IOException {
    Path input = copy();
    Fixtures.copy(input.resolve("iter_0000010"), input.resolve("iter_0000020"));
    ReadOptions mean =
        ReadOptions.defaults()
            .withWeights(Weights.MASTER)
            .with(ReadOptions.AVERAGE_TAGS, Optional.of("iter_0000010,iter_0000020"));

    assertEquals(
        "whose the fp32 masters are is proven step by step, and a mean is of no step",
        refused(converting(input).reading(mean)));
  }
}
