package dev.reweave.checkpoint.deepspeed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.NotTaken;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Weights;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Floats;
import dev.reweave.testing.Locations;
import dev.reweave.testing.PickleWriter.OrderedDict;
import dev.reweave.testing.VersionedFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** One file of a DeepSpeed checkpoint, named by itself. */
class LoneFileTest {
  private static final Stores STORES = new Stores(new Configuration());
  private static final String WHOLE = "mp_rank_00_model_states.pt";

  @TempDir Path temp;

  private static Checkpoint read(Object address, ReadOptions options) {
    return new CheckpointReader(STORES, new ThreadScanner(STORES))
        .read(Locations.of(address), options);
  }

  private static ReweaveException refused(Object address) {
    return assertThrows(
        ReweaveException.class, () -> read(address, ReadOptions.defaults()), address::toString);
  }

  private static Path step(String fixture) throws IOException {
    try (Stream<Path> folders = Files.list(Fixtures.folder(fixture).resolve("ckpt"))) {
      return folders.filter(Files::isDirectory).sorted().findFirst().orElseThrow();
    }
  }

  private static List<Path> files(Path step) throws IOException {
    try (Stream<Path> files = Files.list(step)) {
      return files.filter(f -> f.getFileName().toString().endsWith("_states.pt")).toList();
    }
  }

  /** A file is refused, and the folder that the message names has the model; or it is a model. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "legacy_z2_fp16_w3",
        "legacy_z3_bf16_w2_tied",
        "moe_z1_fp16_w2",
        "moe_z2_bf16_w2",
        "pipe_z0_fp16_pp2",
        "pipe_z1_bf16_pp2",
        "tp2_z1_fp16_w2",
        "tp2_z2_bf16_w4",
        "uc_from_z2_bf16_w2",
        "uc_from_z3_frozen",
        "z0_bf16_w2",
        "z0_fp16_w1",
        "z1_bf16opt_w2",
        "z1_fp16_w2_frozen",
        "z2_bf16_w2_empty",
        "z2_bf16_w2_lora",
        "z2_bf16_w2_tied",
        "z2_fp32_w2_bn",
        "z3_bf16_w2_bn",
        "z3_bf16_w2_empty",
        "z3_bf16_w2_frozen",
        "z3_bf16_w2_llama_tied",
        "z3_hpz_bf16_w4",
        "z3_mics_bf16_w4"
      })
  void isAModelOrNamesTheFolderThatIs(String fixture) throws IOException {
    Path step = step(fixture);
    boolean isWhole = fixture.matches("(legacy_|uc_from_)?z[012]_.*");
    for (Path file : files(step)) {
      if (isWhole && file.getFileName().toString().equals(WHOLE)) {
        Checkpoint whole = read(step, ReadOptions.defaults().withWeights(Weights.MODEL));
        Checkpoint lone = read(file, ReadOptions.defaults());
        assertEquals(Set.copyOf(whole.names()), Set.copyOf(lone.names()));
        boolean masters =
            files(step).stream().anyMatch(f -> f.toString().endsWith("optim_states.pt"));
        assertEquals(
            masters, lone.notTaken().stream().anyMatch(n -> n.name().startsWith("fp32 masters")));
      } else {
        ReweaveException e = refused(file);
        assertEquals(ReweaveException.Kind.USAGE, e.kind(), e.getMessage());
        assertTrue(e.problem().startsWith("this file is not a whole model, but "), e.getMessage());
        String folder = e.remedy().substring(e.remedy().indexOf("file:"));
        assertEquals(step.toUri().getPath(), folder.substring("file:".length()) + "/");
        if (fixture.startsWith("tp2_")) {
          // All ranks are there; what is asked next is how they share tensors.
          assertTrue(refused(folder).problem().startsWith("nothing says how"));
        } else {
          assertFalse(read(folder, ReadOptions.defaults()).tensors().isEmpty());
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          z3_bf16_w2          | zero_pp_rank_0_mp_rank_00_model_states.pt      | of ZeRO-3
          z3_bf16_w2_lora     | zero_pp_rank_1_mp_rank_00_model_states.pt      | of ZeRO-3
          tp2_z1_fp16_w2      | mp_rank_00_model_states.pt                     | of 2 tensor- or pipeline-parallel ranks
          pipe_z0_fp16_pp2    | mp_rank_00_model_states.pt                     | of 2 tensor- or pipeline-parallel ranks
          moe_z1_fp16_w2      | mp_rank_00_model_states.pt                     | beside its experts
          z2_bf16_w2          | bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt | part of the optimizer states
          """)
  void knownByItsContentUnderAnyNameAndAlone(String fixture, String file, String what)
      throws IOException {
    Path alone = Files.createDirectory(temp.resolve("alone")).resolve("weights.pt");
    Files.copy(step(fixture).resolve(file), alone);

    for (Path address : List.of(alone, alone.getParent())) {
      ReweaveException e = refused(address);
      assertTrue(e.problem().contains(what), e.getMessage());
      assertEquals(
          "name the folder that save_checkpoint wrote, with the files of all ranks in it",
          e.remedy());
    }
  }

  /** Ranks are numbered as their files are. */
  @Test
  void aFurtherRankIsCalledAsInItsName() throws IOException {
    ReweaveException e = refused(step("tp2_z1_fp16_w2").resolve("mp_rank_01_model_states.pt"));

    assertTrue(
        e.problem().endsWith("the part of tensor- or pipeline-parallel rank 1"), e.problem());
  }

  @Test
  void theFileOfOneParameterOfAUniversalCheckpoint() throws IOException {
    Path step = step("uc_from_z2_bf16_w2");
    ReweaveException e = refused(step.resolve("zero/layers.0.bias/fp32.pt"));

    assertEquals("this is the file of one parameter of a universal checkpoint", e.problem());
    assertTrue(e.remedy().endsWith(step.toString()), e.remedy());
    assertFalse(read(step, ReadOptions.defaults()).tensors().isEmpty());
  }

  private Path withAverages(int stage) throws IOException {
    VersionedFiles files =
        new VersionedFiles(temp.resolve("in"), "0.19.6", stage, 2)
            .group(Floats.random("embed.weight", 1, 7, 5), Floats.random("norm.weight", 2, 5))
            .model(LoneFileTest::addAverages);
    files.write();
    return files.folder();
  }

  private static void addAverages(Map<Object, Object> root) {
    root.put("ema", new LinkedHashMap<>(((OrderedDict) root.get("module")).items()));
  }

  @Test
  void aTrainersDictIsToldAndTakenByItsKey() throws IOException {
    Path folder = withAverages(2);

    Checkpoint masters = read(folder, ReadOptions.defaults());
    NotTaken ema =
        masters.notTaken().stream().filter(n -> n.name().contains("ema")).findFirst().orElseThrow();
    assertEquals("'ema' in " + WHOLE, ema.name());
    assertEquals("not read: --weights ema takes it in place of the model", ema.reason());

    for (String address : List.of(ema.place(), folder.toString())) {
      Checkpoint taken = read(address, ReadOptions.defaults().withWeightsNamed("ema"));
      assertEquals(ema.tensors(), taken.names().size());
      assertEquals(Set.copyOf(masters.names()), Set.copyOf(taken.names()));
      assertTrue(taken.notTaken().stream().anyMatch(n -> n.name().startsWith("'module'")));
    }
  }

  @Test
  void piecesOfATrainersDictAreNot() throws IOException {
    Path folder = withAverages(3);
    NotTaken ema =
        read(folder, ReadOptions.defaults()).notTaken().stream()
            .filter(n -> n.name().contains("'ema'"))
            .findFirst()
            .orElseThrow();

    assertEquals("not read: each rank has pieces of its own", ema.reason());
    ReweaveException e =
        assertThrows(
            ReweaveException.class,
            () -> read(ema.place(), ReadOptions.defaults().withWeightsNamed("ema")));
    assertTrue(e.problem().contains("of ZeRO-3"), e.getMessage());
  }

  @Test
  void whatIsOpenedAndNotTakenIsCounted() throws IOException {
    Map<String, Long> told = new TreeMap<>();
    for (String fixture :
        List.of("z2_bf16_w2", "z3_bf16_w2", "pipe_z1_bf16_pp2", "uc_from_z2_bf16_w2")) {
      read(step(fixture), ReadOptions.defaults())
          .notTaken()
          .forEach(n -> told.put(fixture + ": " + n.name(), n.tensors()));
    }

    List<String> lines = new ArrayList<>();
    told.forEach((name, tensors) -> lines.add(name + " = " + tensors));
    assertEquals(
        List.of(
            "pipe_z1_bf16_pp2: module in 9 files = 18",
            "pipe_z1_bf16_pp2: optimizer state (step, exp_avg, exp_avg_sq) in 2 files = 6",
            "uc_from_z2_bf16_w2: module (bfloat16) in mp_rank_00_model_states.pt = 12",
            "uc_from_z2_bf16_w2: optimizer state (exp_avg, exp_avg_sq, step) in 36 files = 36",
            "z2_bf16_w2: module (bfloat16) in mp_rank_00_model_states.pt = 12",
            "z2_bf16_w2: optimizer state (step, exp_avg, exp_avg_sq) in 2 files = 6",
            "z3_bf16_w2: optimizer state (step, exp_avg, exp_avg_sq) in 2 files = 6"),
        lines);
  }

  @Test
  void mastersThatAreNotReadAreTold() throws IOException {
    List<NotTaken> left =
        read(step("z2_bf16_w2"), ReadOptions.defaults().withWeights(Weights.MODEL)).notTaken();

    assertEquals(
        Set.of("fp32 masters in 2 *_optim_states.pt files"),
        new TreeSet<>(left.stream().map(NotTaken::name).toList()));
    assertEquals("not read: leave --weights out to convert them", left.get(0).reason());
  }
}
