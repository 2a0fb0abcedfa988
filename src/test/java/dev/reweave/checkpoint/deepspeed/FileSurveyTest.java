package dev.reweave.checkpoint.deepspeed;

import static dev.reweave.testing.PickleWriter.dict;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Caution;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.TorchProbe;
import dev.reweave.checkpoint.Weights;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Floats;
import dev.reweave.testing.Locations;
import dev.reweave.testing.PickleWriter.Instance;
import dev.reweave.testing.PickleWriter.Tuple;
import dev.reweave.testing.StorageContent;
import dev.reweave.testing.TensorValue;
import dev.reweave.testing.TorchZipWriter;
import dev.reweave.testing.VersionedFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is taken for unknown in files of DeepSpeed, and what is not. */
class FileSurveyTest {
  private static final Stores STORES = new Stores(new Configuration());
  private static final Floats EMBED = Floats.random("embed.weight", 1, 7, 5);
  private static final Floats NORM = Floats.random("norm.weight", 2, 5);
  private static final Floats HEAD = Floats.random("head.weight", 3, 11, 3);

  @TempDir Path temp;

  private VersionedFiles files(String version, int stage) throws IOException {
    return new VersionedFiles(temp.resolve("in"), version, stage, 2).group(EMBED, NORM).group(HEAD);
  }

  private static Checkpoint read(Path input, Optional<Weights> weights) {
    return new CheckpointReader(STORES, new ThreadScanner(STORES))
        .read(
            Locations.of(input),
            new ReadOptions(Optional.empty(), weights, ReadOptions.Frozen.INCLUDE));
  }

  private Checkpoint read() {
    return read(temp.resolve("in"), Optional.empty());
  }

  private static List<String> problems(Checkpoint checkpoint) {
    return checkpoint.cautions().stream().map(Caution::problem).toList();
  }

  private static String unknown(String key, String dict) {
    return "unknown key '" + key + "' in " + dict + ", which may change where weights lie";
  }

  private String place(String file) {
    return "file:" + temp.resolve("in/global_step1").resolve(file);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void aKeyInTheOptimizerState(int stage) throws IOException {
    files("0.19.8", stage)
        .optimizer(state -> state.put("param_tile_order", List.of(List.of(1, 0), List.of(0))))
        .write();

    Checkpoint checkpoint = read();

    // All ranks have it, and the first one's file is named.
    assertEquals(
        List.of(unknown("param_tile_order", "optimizer_state_dict")), problems(checkpoint));
    Caution caution = checkpoint.cautions().get(0);
    assertEquals(Caution.Kind.UNKNOWN_KEY, caution.kind());
    assertEquals("param_tile_order", caution.name());
    assertEquals(
        place("bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt") + " at optimizer_state_dict",
        caution.place());
    assertEquals(
        List.of(), read(temp.resolve("in/global_step1"), Optional.empty()).remarks().clientState());
  }

  @Test
  void whatTheUsersOptimizerKeepsIsItsOwn() throws IOException {
    files("0.19.8", 2)
        .optimizer(
            state ->
                state.put(
                    "base_optimizer_state",
                    dict("state", dict(0, dict("param_shards", 1)), "param_groups", List.of())))
        .write();

    assertEquals(List.of(), problems(read()));
  }

  @Test
  void filesOfBf16Optimizer() throws IOException {
    files("0.19.8", 1).bf16Optimizer().optimizer(state -> state.put("tiles", 4)).write();

    assertEquals(List.of(unknown("tiles", "optimizer_state_dict")), problems(read()));
  }

  @Test
  void keysOfAllDictsThatAreDeepSpeedsOwn() throws IOException {
    files("0.19.8", 2)
        .config("parameter_tiling", 16)
        .model(
            root -> {
              root.put("universal_checkpoint_info", dict("tile_map", 1, "affine_map", dict()));
              root.put(
                  "checkpoint_parallel_dimensions",
                  dict("pp_degree", 1, "tp_degree", 1, "cp_degree", 1));
            })
        .optimizer(state -> state.put("universal_checkpoint_info", dict("strips", 1)))
        .write();

    assertEquals(
        List.of(
            unknown("tile_map", "universal_checkpoint_info"),
            unknown("cp_degree", "checkpoint_parallel_dimensions"),
            unknown("parameter_tiling", "ds_config.zero_optimization"),
            unknown("strips", "universal_checkpoint_info")),
        problems(read()));
  }

  /** Some are of layouts that are read, and all are known. */
  @Test
  void keysOfTheNewestVersion() throws IOException {
    files("0.19.8", 2)
        .config("parameter_alignment", false)
        .model(
            root ->
                root.put(
                    "universal_checkpoint_info",
                    dict("universal_checkpoint_version", 0.4, "affine_map", dict())))
        .optimizer(
            state -> state.put("param_alignment_paddings", List.of(List.of(0, 0), List.of(0))))
        .write();

    Checkpoint checkpoint = read();

    assertEquals(List.of(), problems(checkpoint));
    assertEquals(List.of(), checkpoint.remarks().clientState());
  }

  @Test
  void noneSaysThatNothingIsThere() throws IOException {
    files("0.19.8", 2)
        .model(root -> root.put("param_tiles", null))
        .optimizer(state -> state.put("param_tiles", null))
        .write();

    assertEquals(List.of(), problems(read()));
  }

  @Test
  void eachRanksFileIsLookedAt() throws IOException {
    files("0.19.8", 2).write();
    Path first = temp.resolve("in/global_step1/bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt");
    Path kept = Files.move(first, temp.resolve("kept"));
    files("0.19.8", 2).optimizer(state -> state.put("tiles", 4)).write();
    Files.delete(first);
    Files.move(kept, first);

    assertEquals(
        List.of(
            place("bf16_zero_pp_rank_1_mp_rank_00_optim_states.pt") + " at optimizer_state_dict"),
        read().cautions().stream().map(Caution::place).toList());
  }

  @Test
  void manyKeysAreCut() throws IOException {
    files("0.19.8", 2)
        .optimizer(
            state -> {
              for (int i = 0; i < 1000; i++) {
                state.put(i + "x".repeat(1000), i);
              }
            })
        .write();

    List<Caution> cautions = read().cautions();

    assertEquals(KnownKeys.MOST, cautions.size());
    assertTrue(cautions.get(0).problem().length() < 250, cautions.get(0)::problem);
  }

  static Stream<Map<String, Object>> ofLayout() {
    return Stream.of(
        Map.of("param_alignments", 16),
        Map.of("frozen_param_offsets", dict()),
        Map.of("expertPlacement", List.of(1, 0)),
        Map.of("fp32_layout_version", 2),
        // Keyed by parameters, whatever the name.
        Map.of("tiles", dict("embed.weight", List.of(0, 4), "norm.weight", List.of(4, 5))),
        Map.of("tiles", dict("embed.weight", 35, "norm.weight", 5, "head.weight", 33)),
        Map.of("tiles", List.of(dict("embed.weight", new Tuple(List.of(7, 5))), dict())),
        Map.of("tiles", dict("version", 1, "params", dict("^norm\\.weight$", dict("at", 4)))),
        Map.of("tiles", dict("norm.weight", new Instance("deepspeed.tiles", "Tile", dict("a", 1)))),
        // One by one, in the order of the groups.
        Map.of("tiles", List.of(List.of(0, 4), List.of(2))),
        Map.of("flat_order", List.of("norm.weight", "embed.weight", "head.weight")));
  }

  @ParameterizedTest
  @MethodSource("ofLayout")
  void keysAtTheTopLevelThatSpeakOfParameters(Map<String, Object> keys) throws IOException {
    files("0.19.8", 2).model(root -> root.putAll(keys)).write();

    Checkpoint checkpoint = read();

    String key = keys.keySet().iterator().next();
    assertEquals(List.of(unknown(key, "the model states")), problems(checkpoint));
    assertEquals(place("mp_rank_00_model_states.pt"), checkpoint.cautions().get(0).place());
    assertEquals(List.of(), checkpoint.remarks().clientState());
  }

  static Stream<Map<String, Object>> ofTrainers() {
    return Stream.of(
        Map.of("iteration", 100),
        Map.of("args", new Instance("argparse", "Namespace", dict("padded_vocab_size", 50304))),
        Map.of("checkpoint_version", 3.0),
        Map.of("opt_param_scheduler", dict("num_steps", 4, "lr", 0.1)),
        Map.of("random_rng_state", new Tuple(List.of(3, new Tuple(List.of(1, 2)), true))),
        Map.of("rng_state", List.of(dict("np_rng_state", 1))),
        Map.of("num_params", 73),
        Map.of("hyper_parameters", dict("hidden", 5, "padding", "max_length")),
        Map.of("padding_idx", 0),
        Map.of("data_shards", List.of(4, 2)),
        Map.of("shard_offset", 12),
        Map.of("loss_scale_map", dict("a", 1)),
        Map.of("loops", dict("fit_loop", dict("state_dict", dict(), "epoch", 1))),
        Map.of("pytorch-lightning_version", "2.6.0"),
        Map.of("milestones", List.of(3, 5)),
        Map.of("trainable", List.of("embed.weight", "norm.weight")),
        Map.of("learning_rates", dict("embed.weight", 0.1, "norm.weight", 0.2)),
        Map.of("is_decayed", dict("embed.weight", true, "norm.weight", false)),
        Map.of(
            "optimizer_d",
            dict("state", dict("embed.weight", dict("step", 1)), "param_groups", List.of())));
  }

  @ParameterizedTest
  @MethodSource("ofTrainers")
  void stateOfTheTrainer(Map<String, Object> keys) throws IOException {
    files("0.19.8", 2).model(root -> root.putAll(keys)).write();

    Checkpoint checkpoint = read();

    assertEquals(List.of(), problems(checkpoint));
    assertEquals(List.copyOf(keys.keySet()), checkpoint.remarks().clientState());
  }

  /** Averages and gradients are kept by name as well. */
  @ParameterizedTest
  @ValueSource(strings = {"ema", "teacher", "grad_norms_by_layer"})
  void copiesOfTheWeights(String key) throws IOException {
    files("0.19.8", 2).model(root -> root.put(key, root.get("module"))).write();

    assertEquals(List.of(), problems(read()));
    assertEquals(List.of(key), read().remarks().clientState());
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
    "0.6.7, 2",
    "0.7.0, 1",
    "0.7.3, 2",
    "0.7.7, 2",
    "0.8.3, 1",
    "0.9.0, 2",
    "0.9.1, 2",
    "0.9.5, 1",
    "0.10.0, 2",
    "0.10.3, 2",
    "0.12.6, 1",
    "0.14.5, 2",
    "0.16.9, 2",
    "0.18.9, 1",
    "0.19.5, 2",
    "0.19.8, 2",
    "0.4.4, 3",
    "0.5.10, 3",
    "0.6.0, 3",
    "0.7.7, 3",
    "0.9.2, 3",
    "0.13.5, 3",
    "0.19.8, 3"
  })
  void formsOfAllReleases(String version, int stage) throws IOException {
    files(version, stage).frozen(Floats.random("frozen.weight", 5, 3, 7)).write();

    Checkpoint checkpoint = read();

    assertEquals(List.of(), problems(checkpoint));
    assertEquals(List.of(), checkpoint.remarks().clientState());
  }

  @Test
  void versionsOfEachFile() throws IOException {
    files("0.20.1", 3).write();

    Checkpoint checkpoint = read();

    assertEquals(List.of("written by DeepSpeed 0.20.1; tested up to 0.19.8"), problems(checkpoint));
    assertEquals("DeepSpeed 0.20.1", checkpoint.cautions().get(0).name());
    assertEquals(
        place("zero_pp_rank_0_mp_rank_00_model_states.pt"), checkpoint.cautions().get(0).place());
  }

  @ParameterizedTest
  @CsvSource({"0.19.8+cpu, 0", "0.19.9.dev0, 1", "'', 0", "local, 0"})
  void versionsOfBuilds(String version, int cautions) throws IOException {
    files("0.19.8", 2).model(root -> root.put("ds_version", version)).write();

    assertEquals(cautions, read().cautions().size());
  }

  private Path universal() throws IOException {
    return Fixtures.copy(
        Fixtures.folder("uc_from_z2_bf16_w2").resolve("ckpt"), temp.resolve("universal"));
  }

  @Test
  void aFileBesideTheWeightsOfAParameter() throws IOException {
    Path zero = universal().resolve("global_step3_universal/zero");
    Path parameter;
    try (Stream<Path> folders = Files.list(zero)) {
      parameter = folders.filter(Files::isDirectory).sorted().findFirst().orElseThrow();
    }
    for (String name :
        List.of("fp32_tail.pt", "fp32.pt.1", ".fp32.pt.crc", "_SUCCESS", "a.sha256")) {
      Files.writeString(parameter.resolve(name), "");
    }

    Checkpoint checkpoint = read(temp.resolve("universal"), Optional.empty());

    assertEquals(
        List.of("fp32.pt.1", "fp32_tail.pt"),
        checkpoint.cautions().stream().map(Caution::name).sorted().toList());
    for (Caution caution : checkpoint.cautions()) {
      assertEquals(Caution.Kind.UNKNOWN_FILE, caution.kind());
      assertEquals("file:" + parameter.resolve(caution.name()), caution.place());
      assertEquals(
          "unknown file "
              + caution.name()
              + " beside the weights of a parameter, which may be a part of them",
          caution.problem());
    }
  }

  @Test
  void aKeyInTheFileOfAParameter() throws IOException {
    Path file = temp.resolve("step1_universal/zero/norm.weight/fp32.pt");
    Files.createDirectories(file.getParent());
    TensorValue tensor =
        new TensorValue("0", "FloatStorage", 2, 0, Shape.of(2), List.of(1L)).trained();
    TorchZipWriter.write(
        file,
        dict("param", tensor, "cat_dim", 0, "vocab_tensor", true, "tile_order", List.of(1, 0)),
        List.of(StorageContent.of(DType.F32, new byte[8])));

    Checkpoint checkpoint = read(temp.resolve("step1_universal"), Optional.empty());

    assertEquals(unknown("tile_order", "the file of a parameter"), problems(checkpoint).get(0));
    assertEquals("file:" + file, checkpoint.cautions().get(0).place());
  }

  private static Surveyed<String> survey(InputFile file, FileSurvey survey) {
    return new ThreadScanner(STORES)
        .scan(List.of(TorchProbe.request(file, 0, survey.with(f -> "read"))))
        .get(0);
  }

  /** Real files, those that cannot be read as a checkpoint among them. */
  @Test
  void allFixtures() throws IOException {
    List<Path> paths;
    try (Stream<Path> files = Files.walk(Fixtures.resource("fixtures"))) {
      paths = files.filter(f -> f.getFileName().toString().endsWith(".pt")).sorted().toList();
    }
    int read = 0;
    List<String> found = new ArrayList<>();
    for (Path path : paths) {
      InputFile file = STORES.file(Locations.of(path)).orElseThrow();
      Optional<FileSurvey> kind =
          file.name().equals("fp32.pt")
              ? Optional.of(FileSurvey.PARAMETER)
              : RankFile.of(file).map(f -> FileSurvey.of(f.kind()));
      if (kind.isPresent()) {
        try {
          survey(file, kind.get()).cautions().forEach(c -> found.add(c.text()));
          read++;
        } catch (ReweaveException e) {
          assertTrue(path.toString().contains("/corrupt/"), e::getMessage);
        }
      }
    }
    assertEquals(List.of(), found);
    assertTrue(read > 200, "only " + read);
  }
}
