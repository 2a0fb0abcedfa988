package dev.reweave.checkpoint.deepspeed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.DType;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Floats;
import dev.reweave.testing.Gathered;
import dev.reweave.testing.StoredTensors;
import dev.reweave.testing.VersionedFiles;
import dev.reweave.testing.VersionedFiles.Offload;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What options of DeepSpeed change in a checkpoint: offloading, elasticity, quantization. */
class SavedFormsTest {
  private static final Floats FIRST = Floats.random("first.weight", 1, 13, 29);
  private static final Floats BIAS = Floats.random("first.bias", 2, 13);
  private static final Floats SECOND = Floats.random("second.weight", 3, 7, 13);
  private static final Floats THIRD = Floats.random("third.weight", 4, 5, 7);
  private static final Floats FROZEN = Floats.random("frozen.weight", 5, 3, 7);

  @TempDir Path temp;

  private VersionedFiles files(String version, int stage, int world) throws IOException {
    return new VersionedFiles(temp.resolve("in"), version, stage, world)
        .group(FIRST, BIAS)
        .group(SECOND)
        .group(THIRD);
  }

  private Converting converting() {
    return Converting.between(temp.resolve("in"), temp.resolve("out")).type("float32");
  }

  private ReweaveException refused() {
    return assertThrows(ReweaveException.class, () -> converting().prepare());
  }

  private Map<String, String> read() {
    return converting().gather().tensors();
  }

  private static Map<String, String> trained() {
    Map<String, String> expected = new TreeMap<>();
    for (Floats tensor : List.of(FIRST, BIAS, SECOND, THIRD)) {
      expected.put(tensor.name(), tensor.described());
    }
    expected.put(
        VersionedFiles.BUFFER,
        StoredTensors.describe(DType.I64, "[3]", VersionedFiles.bufferBytes()));
    return expected;
  }

  /** The states are a list of lean dicts instead of what the optimizer gives. */
  @ParameterizedTest
  @CsvSource({"0.6.0, 1, 3", "0.6.0, 2, 3", "0.10.3, 2, 2", "0.19.5, 1, 2", "0.19.5, 2, 3"})
  void elasticCheckpoints(String version, int stage, int world) throws IOException {
    files(version, stage, world).config("elastic_checkpoint", true).write();

    assertEquals(trained(), read());
  }

  @ParameterizedTest
  @CsvSource({"0.6.0, 2", "0.6.0, 3", "0.12.6, 2", "0.12.6, 3", "0.19.5, 2", "0.19.5, 3"})
  void mastersOffloadedToTheCpu(String version, int stage) throws IOException {
    files(version, stage, 2).config("offload_optimizer", Map.of("device", "cpu")).write();

    assertEquals(trained(), read());
  }

  /** Two bytes each, with bf16_master_weights_and_grads. */
  @ParameterizedTest
  @CsvSource({"1", "2", "3"})
  void mastersOfSixteenBits(int stage) throws IOException {
    files("0.19.5", stage, 3).masters(DType.BF16).write();

    Map<String, String> expected = trained();
    for (Floats tensor : List.of(FIRST, BIAS, SECOND, THIRD)) {
      expected.put(tensor.name(), tensor.asBfloat16().described());
    }
    assertEquals(expected, read());
  }

  /** Stage 0 in the configuration, and yet there are partitions. */
  @ParameterizedTest
  @CsvSource({"0.6.2, 0", "0.7.0, 0", "0.11.2, 1", "0.18.4, 0", "0.19.5, 1"})
  void partitionsOfTheBf16Optimizer(String version, int stage) throws IOException {
    files(version, 1, 3).config("stage", stage).bf16Optimizer().frozen(FROZEN).write();

    Map<String, String> expected = trained();
    expected.put(FROZEN.name(), FROZEN.asBfloat16().described());
    assertEquals(expected, read());
  }

  @ParameterizedTest
  @CsvSource({
    "0.18.0, FOLDER_PER_RANK, 2",
    "0.19.5, FOLDER_PER_RANK, 3",
    "0.19.5, FOLDER_PER_RANK, 1",
    "0.13.0, ONE_FOLDER, 1",
    "0.17.6, ONE_FOLDER, 1"
  })
  void mastersOffloadedToNvme(String version, Offload offload, int world) throws IOException {
    files(version, 3, world)
        .config("offload_optimizer", Map.of("device", "nvme"))
        .offload(offload)
        .write();

    Gathered gathered = converting().gather();

    assertEquals(trained(), gathered.tensors());
    String third = version.equals("0.13.0") ? "3.tensor.swp" : "3_3.tensor.swp";
    assertEquals(
        world, gathered.prepared().inputs().stream().filter(f -> f.name().endsWith(third)).count());
    assertEquals(List.of("the files of masters on NVMe carry no checksums"), gathered.unchecked());
  }

  /** The tag folder by itself, as it is copied out of a run. */
  @Test
  void mastersOffloadedToNvmeByTheTagFolder() throws IOException {
    VersionedFiles files = files("0.19.5", 3, 2).offload(Offload.FOLDER_PER_RANK);
    files.write();

    Converting converting = Converting.between(files.folder(), temp.resolve("out")).type("float32");

    assertEquals(trained(), converting.gather().tensors());
  }

  @Test
  void aMissingCopyOfOffloadedMasters() throws IOException {
    VersionedFiles files = files("0.19.5", 3, 2).offload(Offload.FOLDER_PER_RANK);
    files.write();
    Path lost = files.folder().resolve("offloaded_tensors/rank01/3_3.tensor.swp");
    Files.delete(lost);

    ReweaveException e = refused();

    assertEquals(
        "the masters were offloaded to NVMe, and their copy of rank 1 is missing", e.problem());
    assertEquals(lost.toUri().getPath(), Path.of(e.place().replace("file:", "")).toString());
    assertTrue(e.remedy().startsWith("copy the folder offloaded_tensors of this step"));
  }

  /** Before 0.18 all ranks but one failed to copy theirs. */
  @Test
  void oneFolderOfSeveralRanks() throws IOException {
    files("0.17.6", 3, 2).offload(Offload.ONE_FOLDER).write();

    assertEquals(
        "the masters were offloaded to NVMe, and their copy of rank 1 is missing",
        refused().problem());
  }

  @Test
  void offloadedMastersOfTensorParallelRanks() throws IOException {
    VersionedFiles files =
        files("0.19.5", 3, 2)
            .offload(Offload.FOLDER_PER_RANK)
            .model(root -> root.put("mp_world_size", 2));
    files.write();
    try (Stream<Path> written = Files.list(files.folder())) {
      for (Path file : written.filter(Files::isRegularFile).toList()) {
        String name = file.getFileName().toString();
        Files.copy(file, file.resolveSibling(name.replace("mp_rank_00", "mp_rank_01")));
      }
    }

    assertEquals(
        "masters that were offloaded to NVMe by tensor- or pipeline-parallel ranks are not read",
        refused().problem());
  }

  @Test
  void truncatedOffloadedMasters() throws IOException {
    VersionedFiles files = files("0.19.5", 3, 2).offload(Offload.FOLDER_PER_RANK);
    files.write();
    Path file = files.folder().resolve("offloaded_tensors/rank00/0_1.tensor.swp");
    Files.write(file, Arrays.copyOf(Files.readAllBytes(file), 780));

    assertEquals(
        "the file is truncated: 780 bytes for 196 elements of float32", refused().problem());
  }

  @ParameterizedTest
  @CsvSource({"2, 0.9.1", "3, 0.9.1", "3, 0.14.5", "1, 0.19.5", "2, 0.19.5", "3, 0.19.5"})
  void quantizedCommunicationLeavesTheMastersAlone(int stage, String version) throws IOException {
    files(version, stage, 2)
        .config("zero_quantized_weights", true)
        .config("zero_quantized_gradients", true)
        .config("zero_quantized_nontrainable_weights", true)
        .write();

    assertEquals(trained(), read());
  }

  /** Their scales are attributes that DeepSpeed does not save. */
  @Test
  void quantizedFrozenParametersAreRefused() throws IOException {
    files("0.19.5", 3, 2)
        .frozen(FROZEN)
        .config("zero_quantized_nontrainable_weights", true)
        .quantizedFragments()
        .write();

    ReweaveException e = refused();

    assertEquals(
        "frozen parameter frozen.weight was saved quantized, without the scales"
            + " (zero_quantized_nontrainable_weights)",
        e.problem());
    assertTrue(e.remedy().startsWith("use --exclude-frozen"));
  }

  @Test
  void trainedParametersBesideQuantizedFrozenOnes() throws IOException {
    files("0.19.5", 3, 2)
        .frozen(FROZEN)
        .config("zero_quantized_nontrainable_weights", true)
        .quantizedFragments()
        .write();

    assertEquals(trained(), converting().withoutFrozen().gather().tensors());
  }
}
