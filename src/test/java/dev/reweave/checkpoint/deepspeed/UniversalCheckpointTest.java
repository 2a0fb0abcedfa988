package dev.reweave.checkpoint.deepspeed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Weights;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Gathered;
import dev.reweave.testing.LocalStores;
import dev.reweave.testing.Locations;
import dev.reweave.testing.PickleWriter;
import dev.reweave.testing.StorageContent;
import dev.reweave.testing.StoredTensors;
import dev.reweave.testing.TensorValue;
import dev.reweave.testing.TorchZipWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Universal checkpoints give what the checkpoints give that they were made from. */
class UniversalCheckpointTest {
  private static final String TAG = "global_step3_universal";

  @TempDir Path temp;

  private static Path checkpoint(String fixture) {
    return Fixtures.folder(fixture).resolve("ckpt");
  }

  private Path copied(String fixture) throws IOException {
    return Fixtures.copy(checkpoint(fixture), temp.resolve("in"));
  }

  private Checkpoint read(Path input) {
    return new CheckpointReader(LocalStores.ALL, new ThreadScanner(LocalStores.ALL))
        .read(Locations.of(input), ReadOptions.defaults());
  }

  private Converting converting(Path input) {
    return Converting.between(input, temp.resolve("out")).type("keep");
  }

  /** Requires of two checkpoints the same tensors in the same order, with the same bits. */
  private static void assertSame(Gathered expected, Gathered found) {
    assertEquals(expected.tensors(), found.tensors());
    assertEquals(specs(expected.checkpoint()), specs(found.checkpoint()));
  }

  @ParameterizedTest
  @CsvSource({
    "uc_from_z1_fp16_w2, z1_fp16_w2",
    "uc_from_z2_bf16_w2, z2_bf16_w2",
    "uc_from_z3_frozen, z3_bf16_w2_frozen"
  })
  void givesTheTensorsOfItsSource(String fixture, String source) throws IOException {
    Gathered gathered = converting(checkpoint(fixture)).gather();

    assertEquals(
        StoredTensors.of(Fixtures.folder(fixture).resolve("source_expected.safetensors")),
        gathered.tensors());
    assertSame(converting(checkpoint(source)).gather(), gathered);
    Checkpoint.Source told = gathered.checkpoint().source();
    assertEquals("DeepSpeed", told.framework());
    assertEquals(TAG, told.tag());
    assertEquals(Weights.MASTER, told.weights());
    assertEquals(List.of(), gathered.unchecked());
  }

  @Test
  void theTagFolderItself() {
    assertSame(
        converting(checkpoint("z2_bf16_w2")).gather(),
        converting(checkpoint("uc_from_z2_bf16_w2").resolve(TAG)).gather());
  }

  @Test
  void besideItsSource() throws IOException {
    Path both = Fixtures.copy(checkpoint("z3_bf16_w2_frozen"), temp.resolve("in"));
    Path universal = checkpoint("uc_from_z3_frozen");
    Fixtures.copy(universal.resolve(TAG), both.resolve(TAG));
    Files.copy(universal.resolve("latest_universal"), both.resolve("latest_universal"));

    Checkpoint newest = read(both);
    assertEquals("global_step3", newest.source().tag());
    assertEquals(List.of("global_step3", TAG), newest.source().tags());
    Checkpoint named =
        new CheckpointReader(LocalStores.ALL, new ThreadScanner(LocalStores.ALL))
            .read(
                Locations.of(both),
                new ReadOptions(Optional.of(TAG), Optional.empty(), ReadOptions.Frozen.INCLUDE));
    assertEquals(specs(newest), specs(named));
  }

  private static List<String> specs(Checkpoint checkpoint) {
    return checkpoint.tensors().stream().map(t -> t.spec().toString()).toList();
  }

  private static List<String> names(Checkpoint checkpoint) {
    return checkpoint.tensors().stream().map(NamedTensor::name).toList();
  }

  @Test
  void theModulesOwnWeights() {
    assertSame(
        converting(checkpoint("z2_bf16_w2")).weights(Weights.MODEL).gather(),
        converting(checkpoint("uc_from_z2_bf16_w2")).weights(Weights.MODEL).gather());

    assertFails(
        () -> converting(checkpoint("uc_from_z3_frozen")).weights(Weights.MODEL).prepare(),
        "a ZeRO-3 checkpoint keeps no whole module weights",
        TAG,
        "leave --weights out");
  }

  @Test
  void frozenParametersNeedAllRanks() throws IOException {
    Path input = copied("uc_from_z3_frozen");
    Files.delete(input.resolve(TAG).resolve("zero_pp_rank_1_mp_rank_00_model_states.pt"));

    Checkpoint checkpoint = read(input);

    assertEquals(8, checkpoint.tensors().size());
    assertEquals(Shape.of(5, 13), checkpoint.tensors().get(0).spec().shape());
    assertNote(checkpoint, "4 frozen parameters left out");
    assertNote(checkpoint, "the model states of 1 ranks are missing");
  }

  @Test
  void withoutModelStates() throws IOException {
    Path input = copied("uc_from_z2_bf16_w2");
    Files.delete(input.resolve(TAG).resolve("mp_rank_00_model_states.pt"));
    Files.delete(input.resolve("latest_universal"));

    Checkpoint checkpoint = read(input);

    List<String> names = names(checkpoint);
    assertEquals(12, names.size());
    assertEquals(names.stream().sorted().toList(), names);
    assertEquals(TAG, checkpoint.source().tag());
    assertNote(checkpoint, "buffers and frozen parameters are missing");
    assertNote(checkpoint, "took the only tag");
    assertEquals(
        StoredTensors.of(
            Fixtures.folder("uc_from_z2_bf16_w2").resolve("source_expected.safetensors")),
        converting(input).gather().tensors());
  }

  private static void assertNote(Checkpoint checkpoint, String part) {
    assertTrue(
        checkpoint.notes().stream().anyMatch(n -> n.contains(part)),
        () -> checkpoint.notes().toString());
  }

  @Test
  void aParameterWithoutAFolder() throws IOException {
    Path input = copied("uc_from_z1_fp16_w2");
    delete(input.resolve(TAG).resolve("zero/layers.1.weight"));

    assertFails(
        () -> read(input),
        "1 of 12 parameters have no folder: layers.1.weight",
        "/zero",
        "not written or copied whole");
  }

  @Test
  void aFolderWithoutWeights() throws IOException {
    Path input = copied("uc_from_z1_fp16_w2");
    Files.delete(input.resolve(TAG).resolve("zero/layers.1.weight/fp32.pt"));

    assertFails(
        () -> read(input),
        "the folder of a parameter has no fp32.pt",
        "zero/layers.1.weight",
        "not written or copied whole");
  }

  @Test
  void aParameterOfAnotherModel() throws IOException {
    Path zero = copied("uc_from_z1_fp16_w2").resolve(TAG).resolve("zero");
    Files.copy(
        zero.resolve("layers.1.bias/fp32.pt"),
        zero.resolve("layers.2.bias/fp32.pt"),
        java.nio.file.StandardCopyOption.REPLACE_EXISTING);

    assertFails(
        () -> read(temp.resolve("in")),
        "parameter layers.2.bias is stored in shape [5], and the model states say [3]",
        "/zero",
        "make the universal checkpoint again");
  }

  @Test
  void aFileThatIsNoParameter() throws IOException {
    Path file = copied("uc_from_z1_fp16_w2").resolve(TAG).resolve("zero/layers.1.bias/fp32.pt");
    TorchZipWriter.write(file, PickleWriter.dict("cat_dim", 0), List.of());

    assertFails(() -> read(temp.resolve("in")), "no parameter in this file", "fp32.pt", "'param'");
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  private static void assertFails(Runnable work, String... parts) {
    String message = assertThrows(ReweaveException.class, work::run).getMessage();
    Arrays.stream(parts).forEach(part -> assertTrue(message.contains(part), message));
  }

  private static StorageContent counting(int elements) {
    return new StorageContent(
        DType.F32, elements, (position, block, length) -> Arrays.fill(block, 0, length, (byte) 1));
  }

  /** A parameter as ds_to_universal.py writes it: dict, and vocabulary rows if there are any. */
  private void parameter(String name, Shape shape, boolean vocabulary) throws IOException {
    int elements = (int) shape.elements();
    Path folder = Files.createDirectories(temp.resolve("made/step1_universal/zero/" + name));
    List<Long> strides = Arrays.stream(shape.rowMajorStrides()).boxed().toList();
    Map<Object, Object> dict = PickleWriter.dict("cat_dim", 0);
    if (vocabulary) {
      dict.put("vocab_tensor", true);
    }
    dict.put("param", new TensorValue("0", "FloatStorage", elements, 0, shape, strides));
    TorchZipWriter.write(folder.resolve("fp32.pt"), dict, List.of(counting(elements)));
  }

  private void states(int rank, int ranks, Map<String, Shape> shapes, long vocabulary)
      throws IOException {
    Map<Object, Object> sizes = new LinkedHashMap<>();
    shapes.forEach((name, shape) -> sizes.put(name, PickleWriter.size(shape)));
    Path folder = Files.createDirectories(temp.resolve("made/step1_universal"));
    TorchZipWriter.write(
        folder.resolve("mp_rank_0" + rank + "_model_states.pt"),
        PickleWriter.dict(
            "param_shapes",
            List.of(sizes),
            "mp_world_size",
            ranks,
            "universal_checkpoint_info",
            PickleWriter.dict("original_vocab_size", vocabulary)),
        List.of());
  }

  @Test
  void whatTensorParallelRanksSharedIsWhole() throws IOException {
    Map<String, Shape> cut = new LinkedHashMap<>();
    cut.put("wte", Shape.of(6, 4));
    cut.put("attention", Shape.of(4, 2));
    cut.put("norm", Shape.of(4));
    states(0, 2, cut, 11);
    states(1, 2, cut, 11);
    parameter("wte", Shape.of(11, 4), true);
    parameter("attention", Shape.of(4, 4), false);
    parameter("norm", Shape.of(4), false);

    Checkpoint checkpoint = read(temp.resolve("made/step1_universal"));

    assertEquals(List.of("wte", "attention", "norm"), names(checkpoint));
    assertEquals(
        List.of(Shape.of(11, 4), Shape.of(4, 4), Shape.of(4)),
        checkpoint.tensors().stream().map(t -> t.spec().shape()).toList());
    assertNote(checkpoint, "2 tensor- or pipeline-parallel ranks");
    assertEquals(5, checkpoint.files().size());
  }

  @Test
  void pipelineStagesFollowEachOther() throws IOException {
    states(0, 2, Map.of("9.weight", Shape.of(2, 3)), 0);
    states(1, 2, Map.of("1.weight", Shape.of(3)), 0);
    parameter("1.weight", Shape.of(3), false);
    parameter("9.weight", Shape.of(6), false);

    Checkpoint checkpoint = read(temp.resolve("made/step1_universal"));

    assertEquals(List.of("9.weight", "1.weight"), names(checkpoint));
    assertEquals(Shape.of(2, 3), checkpoint.tensors().get(0).spec().shape());
  }

  @Test
  void paddingOfTheVocabularyIsCutOff() throws IOException {
    states(0, 1, Map.of("wte", Shape.of(16, 2)), 10);
    parameter("wte", Shape.of(16, 2), true);
    assertEquals(
        Shape.of(10, 2),
        read(temp.resolve("made/step1_universal")).tensors().get(0).spec().shape());

    parameter("wte", Shape.of(10, 2), true);
    assertEquals(
        Shape.of(10, 2),
        read(temp.resolve("made/step1_universal")).tensors().get(0).spec().shape());
  }
}
