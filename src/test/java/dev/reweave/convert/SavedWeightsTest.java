package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.ReweaveException;
import dev.reweave.look.compare.Comparison;
import dev.reweave.manifest.Manifest;
import dev.reweave.storage.Safeguards;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.FlatGroup;
import dev.reweave.testing.Gathered;
import dev.reweave.testing.Locations;
import dev.reweave.testing.PlantedFault;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** ZeRO-3 masters that are compared with weights of 16 bits that were saved beside them. */
class SavedWeightsTest {
  private static final String PROVEN =
      "cast to the type of the module, they are bit for bit its own";
  private static final String SAVED = "model16/pytorch_model.bin";

  @TempDir Path temp;
  private Path input;
  private Path step;

  @BeforeEach
  void copy() throws IOException {
    input = Fixtures.copy(Fixtures.folder("z3_bf16_w2_save16").resolve("ckpt"), temp.resolve("in"));
    step = input.resolve("global_step3");
  }

  private Converting conversion(Path from) {
    return Converting.between(from, temp.resolve("out")).type("keep");
  }

  private Gathered prove(Path from) {
    return conversion(from).proving().gather();
  }

  private void assertProves(Path from, String where) {
    Gathered gathered = prove(from);

    Manifest.Proof proof = gathered.proof().orElseThrow();
    assertEquals(PROVEN, proof.verdict());
    assertEquals(8, proof.tensors());
    assertTrue(
        gathered.notes().stream()
            .anyMatch(
                n ->
                    n.startsWith("--prove: the masters are compared with the weights in ")
                        && n.endsWith(where)),
        gathered.notes()::toString);
  }

  private void assertNotCompared(Converting conversion, String why) {
    Gathered gathered = conversion.proving().gather();

    assertEquals(Optional.empty(), gathered.proof());
    String note =
        gathered.notes().stream()
            .filter(n -> n.startsWith("--prove: there is no second copy of the weights"))
            .findFirst()
            .orElseThrow();
    assertTrue(note.contains(why), note);
  }

  private void assertNotProven() {
    ReweaveException failure = assertThrows(ReweaveException.class, () -> prove(input));

    assertTrue(
        failure.getMessage().startsWith("the weights are not proven: "), failure.getMessage());
  }

  private void move(String from, String to) throws IOException {
    Files.move(input.resolve(from), input.resolve(to));
  }

  @Test
  void whatSave16bitModelWrote() {
    assertProves(input, "/in/" + SAVED);
  }

  @Test
  void theFolderOfTheStep() {
    assertProves(step, "/in/" + SAVED);
  }

  /** A universal checkpoint that was made of the step, which stands beside it. */
  @Test
  void theUniversalCheckpointOfTheStep() throws IOException {
    Path universal = Fixtures.folder("uc_from_z3_frozen").resolve("ckpt/global_step3_universal");
    Fixtures.copy(universal, input.resolve("global_step3_universal"));

    assertNotCompared(
        conversion(input.resolve("global_step3_universal")),
        SAVED + " holds none of the tensors that have masters, such as m.");
  }

  /** As trainers save the model, in the folder of the checkpoint. */
  @Test
  void aModelBesideLatest() throws IOException {
    Files.copy(
        Fixtures.folder("z3_bf16_w2_save16").resolve("expected_model16.safetensors"),
        input.resolve("model.safetensors"));

    assertProves(input, "/in/model.safetensors");
  }

  @Test
  void aModelBesideThePartitions() throws IOException {
    move(SAVED, "global_step3/pytorch_model.bin");

    assertProves(input, "/in/global_step3/pytorch_model.bin");
  }

  @ParameterizedTest
  @CsvSource({
    "0, TWO_PARAMETERS_SWAPPED",
    "0, SHIFTED_BY_ONE_ELEMENT",
    "0, GROUP_REVERSED",
    "1, TWO_PARAMETERS_SWAPPED",
    "1, SHIFTED_BY_ONE_ELEMENT",
    "1, GROUP_REVERSED"
  })
  void everyPlantedFaultIsFound(int rank, PlantedFault fault) throws IOException {
    FlatGroup group = FlatGroup.ofSlices(step).get(rank);
    assertTrue(fault.changes(group));
    fault.plant(group);

    assertNotProven();
  }

  @Test
  void twoSwappedRanksAreFound() throws IOException {
    List<Path> files = FlatGroup.optimizerFiles(step);
    Path aside = step.resolve("aside");
    Files.move(files.get(0), aside);
    Files.move(files.get(1), files.get(0));
    Files.move(aside, files.get(1));

    assertNotProven();
    Converting conversion = conversion(input).proving();
    assertThrows(ReweaveException.class, conversion::run);
    assertFalse(Files.exists(temp.resolve("out")));
  }

  @Test
  void nothingWasSaved() throws IOException {
    Files.delete(input.resolve(SAVED));

    assertNotCompared(
        conversion(input),
        "a ZeRO-3 checkpoint keeps the fp32 masters alone, and no weights of 16 bits are saved"
            + " beside it");
  }

  @Test
  void anEarlierStep() throws IOException {
    Fixtures.copy(step, input.resolve("global_step2"));

    assertNotCompared(
        conversion(input)
            .reading(
                new ReadOptions(
                    Optional.of("global_step2"), Optional.empty(), ReadOptions.Frozen.INCLUDE)),
        SAVED + " are not those of this step, but of the last one");
  }

  @Test
  void weightsOfAnotherModel() throws IOException {
    Path other = Fixtures.copy(Fixtures.folder("z3_bf16_w2").resolve("ckpt"), temp.resolve("o"));
    Files.copy(input.resolve(SAVED), other.resolve("pytorch_model.bin"));

    assertNotCompared(
        conversion(other),
        "/pytorch_model.bin holds none of the tensors that have masters, such as ");
  }

  @Test
  void severalPlaces() throws IOException {
    Fixtures.copy(input.resolve("model16"), input.resolve("copy"));

    assertNotCompared(conversion(input), "which of the weights beside it are its own is not clear");
  }

  /** What was made of the masters proves nothing of them. */
  @Test
  void convertedWeightsAreNoSecondCopy() throws IOException {
    Files.delete(input.resolve(SAVED));
    Converting.between(input, temp.resolve("half")).type("bfloat16").run();
    Converting.between(input, temp.resolve("whole")).type("float32").run();
    Fixtures.copy(temp.resolve("half"), input.resolve("converted"));

    assertNotCompared(conversion(input), "no weights of 16 bits are saved beside it");

    Files.move(temp.resolve("whole/model.safetensors"), input.resolve("model.safetensors"));
    assertNotCompared(
        Converting.between(input, temp.resolve("again")),
        "/in/model.safetensors have not the 16 bits of the training");
  }

  private Comparison.Result compare() {
    return new Comparison(TestSpark.cluster(), TestSpark.stores())
        .run(
            Locations.of(temp.resolve("out")),
            Locations.of(input),
            Optional.empty(),
            Safeguards.DEFAULT);
  }

  @Test
  void aConvertedFolderIsCompared() {
    conversion(input).run();

    Comparison.Result result = compare();

    assertEquals(PROVEN, result.verdict());
    assertEquals(8, result.tensors());
  }

  @Test
  void aConvertedFolderHasNothingToBeComparedWith() throws IOException {
    conversion(input).run();
    Files.delete(input.resolve(SAVED));

    ReweaveException failure = assertThrows(ReweaveException.class, this::compare);

    assertTrue(
        failure
            .getMessage()
            .startsWith(
                "nothing can be compared: a ZeRO-3 checkpoint keeps the fp32 masters alone, and no"
                    + " weights of 16 bits are saved beside it: "),
        failure.getMessage());
    assertTrue(failure.getMessage().contains("call save_16bit_model"), failure.getMessage());
  }
}
