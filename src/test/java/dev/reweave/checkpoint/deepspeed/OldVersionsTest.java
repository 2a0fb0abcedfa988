package dev.reweave.checkpoint.deepspeed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Weights;
import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.DType;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Floats;
import dev.reweave.testing.Gathered;
import dev.reweave.testing.StoredTensors;
import dev.reweave.testing.VersionedFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Checkpoints in the form that releases of DeepSpeed from 0.4 to 0.19 gave them. */
class OldVersionsTest {
  private static final Floats EMBED = Floats.random("embed.weight", 1, 7, 5);
  private static final Floats NORM = Floats.random("norm.weight", 2, 5);
  private static final Floats HEAD = Floats.random("head.weight", 3, 11, 3);
  private static final Floats SCALE = Floats.random("scale", 4, 1);
  private static final Floats FROZEN = Floats.random("frozen.weight", 5, 3, 7);
  private static final String TIED = "lm_head.weight";

  @TempDir Path temp;

  private VersionedFiles files(String version, int stage, int world) throws IOException {
    return new VersionedFiles(temp.resolve("in"), version, stage, world)
        .group(EMBED, NORM)
        .group(HEAD, SCALE)
        .frozen(FROZEN)
        .tied(TIED, EMBED.name());
  }

  private Converting converting() {
    return Converting.between(temp.resolve("in"), temp.resolve("out")).type("float32");
  }

  private Gathered gather() {
    return converting().gather();
  }

  private static Map<String, String> trained() {
    Map<String, String> expected = new TreeMap<>();
    for (Floats tensor : List.of(EMBED, NORM, HEAD, SCALE)) {
      expected.put(tensor.name(), tensor.described());
    }
    expected.put(
        VersionedFiles.BUFFER,
        StoredTensors.describe(DType.I64, "[3]", VersionedFiles.bufferBytes()));
    return expected;
  }

  private static Map<String, String> all() {
    Map<String, String> expected = trained();
    expected.put(FROZEN.name(), FROZEN.asBfloat16().described());
    return expected;
  }

  private static boolean isTold(Gathered gathered) {
    return gathered.aliases().equals(Map.of(TIED, EMBED.name()));
  }

  @ParameterizedTest
  @CsvSource({
    "0.4.4, 2",
    "0.5.3, 2",
    "0.5.4, 2",
    "0.5.8, 2",
    "0.5.9, 1",
    "0.5.10, 2",
    "0.6.0, 1",
    "0.6.0, 2",
    "0.6.7, 2",
    "0.7.0, 1",
    "0.7.3, 2",
    "0.7.7, 2",
    "0.8.3, 1",
    "0.9.0, 2",
    "0.9.1, 2",
    "0.9.5, 1",
    "0.9.5, 2",
    "0.10.0, 2",
    "0.10.3, 2",
    "0.12.6, 1",
    "0.14.5, 2",
    "0.16.9, 2",
    "0.18.9, 1",
    "0.19.5, 2"
  })
  void stagesOneAndTwo(String version, int stage) throws IOException {
    files(version, stage, 3).write();

    Gathered gathered = gather();

    assertEquals(all(), gathered.tensors());
    assertTrue(isTold(gathered));
    assertEquals(version, gathered.checkpoint().source().version());
  }

  /** The module is the second copy, wherever the order of the parameters is kept. */
  @ParameterizedTest
  @CsvSource({"0.5.3, 2", "0.5.9, 1", "0.6.0, 2", "0.9.0, 2", "0.19.5, 1"})
  void provenByTheModule(String version, int stage) throws IOException {
    files(version, stage, 3).write();

    Gathered gathered = converting().proving().gather();

    assertEquals(all(), gathered.tensors());
    assertEquals(
        "cast to the type of the module, they are bit for bit its own",
        gathered.proof().orElseThrow().verdict());
  }

  @Test
  void orderThatTheModuleDisproves() throws IOException {
    Floats one = Floats.random("one", 6, 6, 2);
    Floats other = Floats.random("other", 7, 6, 2);
    VersionedFiles files = new VersionedFiles(temp.resolve("in"), "0.6.0", 2, 2).group(other, one);
    files.write();
    new VersionedFiles(temp.resolve("swapped"), "0.6.0", 2, 2).group(one, other).write();
    Files.copy(
        temp.resolve("swapped/global_step1/mp_rank_00_model_states.pt"),
        files.folder().resolve("mp_rank_00_model_states.pt"),
        StandardCopyOption.REPLACE_EXISTING);

    Converting proving = Converting.between(temp.resolve("in"), temp.resolve("out")).proving();

    assertTrue(
        assertThrows(ReweaveException.class, proving::gather)
            .problem()
            .startsWith("the weights are not proven"));
  }

  /** Frozen parameters are saved since 0.9.1, and tied ones are known since 0.9.2. */
  @ParameterizedTest
  @CsvSource({
    "0.4.4, 0, 0", "0.5.3, 0, 0", "0.5.4, 0, 0", "0.5.10, 0, 0", "0.6.0, 0, 0", "0.7.7, 0, 0",
    "0.8.3, 0, 0", "0.9.0, 0, 0", "0.9.1, 1, 0", "0.9.2, 1, 1", "0.10.3, 1, 1", "0.13.5, 1, 1",
    "0.16.9, 1, 1", "0.19.5, 1, 1"
  })
  void stageThree(String version, int savesFrozen, int savesTied) throws IOException {
    files(version, 3, 3).write();

    Gathered gathered = gather();

    assertEquals(savesFrozen == 1 ? all() : trained(), gathered.tensors());
    assertEquals(savesTied == 1, isTold(gathered));
    String lost =
        gathered.notes().stream()
            .filter(n -> n.contains("no weights of their own"))
            .findFirst()
            .orElse("");
    String twice = "most likely parts that the model uses twice";
    String older = ", or frozen parameters, which were not saved before 0.9.1: frozen.weight, ";
    if (savesTied == 1) {
      assertEquals("", lost);
    } else {
      String names = savesFrozen == 1 ? ": " : older;
      assertTrue(lost.endsWith(twice + names + TIED), lost);
    }
  }

  /** What one release has and another lacks can be missing on its own. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "ds_version",
        "ds_config",
        "dp_world_size",
        "mp_world_size",
        "global_steps",
        "frozen_param_shapes",
        "shared_params",
        "lr_scheduler"
      })
  void keysThatAreMissing(String key) throws IOException {
    files("0.19.5", 2, 2).model(root -> root.remove(key)).write();

    assertEquals(all(), gather().tensors());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "partition_count",
        "group_paddings",
        "param_slice_mappings",
        "base_optimizer_state",
        "zero_stage",
        "loss_scaler"
      })
  void keysOfTheOptimizerThatAreMissing(String key) throws IOException {
    files("0.19.5", 1, 2).optimizer(state -> state.remove(key)).write();

    assertEquals(all(), gather().tensors());
  }

  @ParameterizedTest
  @ValueSource(strings = {"partition_count", "optimizer_state_dict", "zero_stage", "loss_scaler"})
  void keysOfStageThreeThatAreMissing(String key) throws IOException {
    files("0.19.5", 3, 2).optimizer(state -> state.remove(key)).write();

    assertEquals(all(), gather().tensors());
  }

  @Test
  void buffersWithoutTheirNamesAreKept() throws IOException {
    files("0.6.0", 2, 2).model(root -> root.remove("buffer_names")).write();

    assertEquals(all(), gather().tensors());
  }

  @Test
  void oneNumberForThePartitionsOfAllGroups() throws IOException {
    files("0.19.5", 2, 2).optimizer(state -> state.put("partition_count", 2)).write();

    assertEquals(all(), gather().tensors());
  }

  @Test
  void oneRank() throws IOException {
    files("0.6.0", 2, 1).write();

    assertEquals(all(), gather().tensors());
  }

  /** Before 0.3.14 there was no underscore; copies of such names are still around. */
  @Test
  void namesWithoutUnderscore() throws IOException {
    VersionedFiles files = files("0.6.0", 2, 2);
    files.write();
    for (int rank = 0; rank < 2; rank++) {
      Files.move(
          files.optimizerFile(rank),
          files.folder().resolve("zero_pp_rank_" + rank + "_mp_rank_00optim_states.pt"));
    }

    assertEquals(all(), gather().tensors());
  }

  @Test
  void moduleOfAnOldVersion() throws IOException {
    files("0.5.3", 2, 2).write();

    Gathered gathered = converting().weights(Weights.MODEL).gather();

    assertEquals(EMBED.asBfloat16().described(), gathered.tensors().get(EMBED.name()));
  }

  @Test
  void theOldestLeftTheOrderOfParametersOut() throws IOException {
    files("0.4.3", 2, 2).write();

    ReweaveException e = assertThrows(ReweaveException.class, this::gather);

    assertEquals(
        "DeepSpeed before 0.4.4 did not save the order in which parameters lie in the partitions",
        e.problem());
    assertEquals("convert the module's own weights with --weights model", e.remedy());
  }

  @Test
  void theOldestOfStageThree() throws IOException {
    files("0.4.3", 3, 2).write();

    ReweaveException e = assertThrows(ReweaveException.class, this::gather);

    assertEquals(
        "load the checkpoint with a newer DeepSpeed, save it again, and convert that", e.remedy());
  }

  /** ZeRO-1 had a layout of its own until 0.5.8. */
  @Test
  void theFirstZeroOne() throws IOException {
    files("0.5.8", 1, 2)
        .optimizer(
            state -> {
              state.put("zero_stage", 1);
              state.put(
                  "local_sub_partitions_of_fp32_groups",
                  state.remove("single_partition_of_fp32_groups"));
            })
        .write();

    ReweaveException e = assertThrows(ReweaveException.class, this::gather);

    assertEquals("no fp32 master partitions of ZeRO stage 1", e.problem());
    assertEquals("convert the module's own weights with --weights model", e.remedy());
  }

  @Test
  void groupsThatEndWithinAParameter() throws IOException {
    new VersionedFiles(temp.resolve("in"), "0.5.0", 2, 1)
        .group(EMBED)
        .group(NORM, HEAD)
        .optimizer(OldVersionsTest::shorten)
        .write();

    ReweaveException e = assertThrows(ReweaveException.class, this::gather);

    assertEquals("the parameter groups do not end where parameters do", e.problem());
  }

  private static void shorten(Map<Object, Object> state) {
    Object partitions = state.get("single_partition_of_fp32_groups");
    state.put("single_partition_of_fp32_groups", List.of(((List<?>) partitions).get(1)));
  }
}
