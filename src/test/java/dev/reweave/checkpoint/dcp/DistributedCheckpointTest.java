package dev.reweave.checkpoint.dcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.NotTaken;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Weights;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.StorageRef;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.LocalStores;
import dev.reweave.testing.Locations;
import dev.reweave.testing.StoredTensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code torch.distributed.checkpoint} of torch 2.13 wrote. */
class DistributedCheckpointTest {
  @TempDir Path temp;

  private static Checkpoint read(Object address, ReadOptions options) {
    return new CheckpointReader(LocalStores.ALL, new ThreadScanner(LocalStores.ALL))
        .read(Locations.of(address), options);
  }

  private static Checkpoint read(Object address) {
    return read(address, ReadOptions.defaults());
  }

  private static ReadOptions tag(String tag) {
    return new ReadOptions(Optional.of(tag), Optional.empty(), ReadOptions.Frozen.INCLUDE);
  }

  @ParameterizedTest
  @CsvSource({
    "dcp_plain/ckpt, dcp_plain/expected.safetensors",
    "dcp_mesh_w4/ckpt, dcp_mesh_w4/expected.safetensors",
    "dcp_fsdp2_w3/ckpt, dcp_fsdp2_w3/expected.safetensors",
    "dcp_fsdp2_w3/ckpt/step-3, dcp_fsdp2_w3/expected_step-3.safetensors"
  })
  void givesTheWholeTensors(String input, String expected) throws IOException {
    assertEquals(
        StoredTensors.of(Fixtures.folder(expected)),
        Converting.between(Fixtures.folder(input), temp.resolve("out"))
            .type("keep")
            .gather()
            .tensors());
  }

  @Test
  void leavesOutWhatIsNoWeight() {
    Checkpoint plain = read(Fixtures.folder("dcp_plain/ckpt"));
    assertEquals(
        List.of(
            "4 entries of the checkpoint are no tensors: left out",
            "all weights lie below 'model.', which is left off their names"),
        plain.notes());
    assertEquals(
        List.of(
            "training state below 'optimizer', 'rng_state', 3 tensors, left out: no part of the"
                + " model"),
        plain.notTaken().stream().map(NotTaken::text).toList());
    assertEquals(
        List.of("embed.weight", "fc.weight", "fc.t", "half", "ids", "mask", "scalar", "none"),
        plain.tensors().stream().map(NamedTensor::name).toList());
    assertEquals(Weights.MODEL, plain.source().weights());
    assertEquals("PyTorch distributed checkpoint", plain.source().framework());

    List<String> mesh = read(Fixtures.folder("dcp_mesh_w4/ckpt")).notes();
    assertEquals(
        "all weights lie below 'app.model.', which is left off their names",
        mesh.get(mesh.size() - 1));
  }

  @Test
  void takesTheNewestStepOrTheOneThatIsAskedFor() {
    Path root = Fixtures.folder("dcp_fsdp2_w3/ckpt");
    Checkpoint newest = read(root);
    assertEquals("step-10", newest.source().tag());
    assertEquals(List.of("step-10", "step-3"), newest.source().tags());
    assertEquals(
        "took 'step-10', the newest of 2 saved steps: --tag takes another", newest.notes().get(0));
    assertEquals("step-3", read(root, tag("step-3")).source().tag());
    assertEquals("step-3", read(root.resolve("step-3"), tag("step-3")).source().tag());

    ReweaveException none = assertThrows(ReweaveException.class, () -> read(root, tag("step-4")));
    assertEquals("there is no saved step 'step-4' with .metadata", none.problem());
    assertEquals("choose one of [step-10, step-3] with --tag", none.remedy());
    ReweaveException other =
        assertThrows(ReweaveException.class, () -> read(root.resolve("step-3"), tag("step-10")));
    assertEquals(
        "this is the folder of step 'step-3', and --tag asks for step-10", other.problem());
  }

  @Test
  void takesTheStepThatMegatronNames() throws IOException {
    Path root = temp.resolve("ckpt");
    Fixtures.copy(Fixtures.folder("dcp_fsdp2_w3/ckpt/step-3"), root.resolve("iter_0000003"));
    Fixtures.copy(Fixtures.folder("dcp_fsdp2_w3/ckpt/step-10"), root.resolve("iter_0000010"));
    Path tracker = root.resolve("latest_checkpointed_iteration.txt");
    Files.writeString(tracker, "3\n");
    assertEquals("iter_0000003", read(root).source().tag());
    Files.writeString(tracker, "7");
    assertEquals(
        "the newest step is '7', which is not there",
        assertThrows(ReweaveException.class, () -> read(root)).problem());
  }

  @Test
  void takesTheModelThatAccelerateKeepsBesideTheOptimizer() throws IOException {
    Path root = temp.resolve("checkpoint");
    Fixtures.copy(
        Fixtures.folder("dcp_fsdp2_w3/ckpt/step-3"), root.resolve("pytorch_model_fsdp_0"));
    Fixtures.copy(Fixtures.folder("dcp_plain/ckpt"), root.resolve("optimizer_0"));
    Checkpoint model = read(root);
    assertEquals("pytorch_model_fsdp_0", model.source().tag());
    assertEquals("took the only saved step, 'pytorch_model_fsdp_0'", model.notes().get(0));
    Files.move(root.resolve("optimizer_0"), root.resolve("pytorch_ema_0"));
    assertEquals(
        "several distributed checkpoints: which is meant is not clear",
        assertThrows(ReweaveException.class, () -> read(root)).problem());
  }

  @Test
  void refusesAChangedByteInAChunk() throws IOException {
    Path copy = Fixtures.copy(Fixtures.folder("dcp_mesh_w4/ckpt"), temp.resolve("ckpt"));
    Checkpoint checkpoint = read(copy);
    StorageRef[] storage = new StorageRef[1];
    NamedTensor tensor =
        checkpoint.tensors().stream().filter(t -> t.name().equals("both.weight")).findFirst().get();
    tensor.layout().runs(34, 35, (s, offset, elements) -> storage[0] = s);
    Path file = copy.resolve(checkpoint.files().get(storage[0].file()).name());
    byte[] content = Files.readAllBytes(file);
    content[(int) storage[0].position()] ^= 1;
    Files.write(file, content);

    ReweaveException e =
        assertThrows(
            ReweaveException.class, () -> Converting.between(copy, temp.resolve("out")).gather());
    assertEquals(
        "damaged weights: the checksum of a storage is not the one that was saved with it",
        e.problem());
    assertTrue(
        e.place()
            .endsWith(
                file.getFileName()
                    + ", app.model.both.weight chunk [4, 3] data/0, which holds both.weight"),
        e.place());
  }

  @Test
  void refusesFilesOfOtherSerialization() {
    ReweaveException e =
        assertThrows(ReweaveException.class, () -> read(Fixtures.folder("dcp_safetensors/saved")));
    assertEquals("a distributed checkpoint in safetensors files, which is not read", e.problem());
    assertTrue(e.place().endsWith("__0_0.distcp"), e.place());
  }

  @Test
  void refusesWhatItCannotGive() throws IOException {
    Path root = Fixtures.folder("dcp_plain/ckpt");
    ReadOptions masters =
        new ReadOptions(Optional.empty(), Optional.of(Weights.MASTER), ReadOptions.Frozen.INCLUDE);
    assertEquals(
        "a distributed checkpoint's weights are the model's own, as they were trained",
        assertThrows(ReweaveException.class, () -> read(root, masters)).problem());
    ReadOptions trained =
        new ReadOptions(Optional.empty(), Optional.empty(), ReadOptions.Frozen.EXCLUDE);
    assertEquals(
        "a distributed checkpoint does not say which parameters were frozen",
        assertThrows(ReweaveException.class, () -> read(root, trained)).problem());
    Path apart = Files.createDirectories(temp.resolve("apart"));
    Files.write(apart.resolve("__0.metadata"), new byte[1]);
    assertEquals(
        "a distributed checkpoint with the metadata of each rank apart, which is not read",
        assertThrows(ReweaveException.class, () -> read(apart)).problem());
  }

  @Test
  void missesFiles() throws IOException {
    Path copy = Fixtures.copy(Fixtures.folder("dcp_mesh_w4/ckpt"), temp.resolve("ckpt"));
    Path file = copy.resolve("__3_0.distcp");
    byte[] content = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(content, content.length / 2));
    assertTrue(
        assertThrows(ReweaveException.class, () -> read(copy))
            .problem()
            .startsWith("the file has " + content.length / 2 + " bytes, and app.model."));
    Files.delete(file);
    assertTrue(
        assertThrows(ReweaveException.class, () -> read(copy))
            .problem()
            .startsWith("the file '__3_0.distcp' is missing, which holds app.model."));
  }
}
