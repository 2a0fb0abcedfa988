package dev.reweave.checkpoint.megatron;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
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
import dev.reweave.tensor.DType;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Gathered;
import dev.reweave.testing.LocalStores;
import dev.reweave.testing.Locations;
import dev.reweave.testing.MegatronRankFiles;
import dev.reweave.testing.StoredTensors;
import dev.reweave.testing.WholeTensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Files of Megatron-LM's ranks, cut by the test as its layers are: of a model that Megatron-Core
 * saved itself, and of larger grids with values that differ everywhere.
 */
class MegatronRanksTest {
  private static final Path REAL = Fixtures.resource("trainers/megatron-016-llama-tp2");

  @TempDir Path temp;

  private Path step() {
    return temp.resolve("run/iter_0000010");
  }

  private Converting converting() {
    return Converting.between(step(), temp.resolve("out")).type("keep");
  }

  private Gathered gathered() {
    return converting().mapping("none").gather();
  }

  /** The whole tensors of the fixture, a tensor for each layer. */
  private static Map<String, WholeTensor> real() {
    Gathered whole =
        Converting.between(REAL.resolve("ckpt"), "unused").type("keep").mapping("none").gather();
    Map<String, WholeTensor> model = new LinkedHashMap<>();
    for (NamedTensor tensor : whole.checkpoint().tensors()) {
      WholeTensor all = tensor(tensor, whole);
      if (!tensor.name().startsWith("decoder.layers.")) {
        model.put(tensor.name(), all);
        continue;
      }
      for (int layer = 0; layer < all.shape().dim(0); layer++) {
        model.put(tensor.name().replace("layers.", "layers." + layer + "."), all.at(layer));
      }
    }
    return model;
  }

  private static WholeTensor tensor(NamedTensor tensor, Gathered from) {
    ByteBuffer content = from.content(tensor.name());
    byte[] bytes = new byte[content.remaining()];
    content.get(bytes);
    return new WholeTensor(tensor.spec().dtype(), tensor.spec().shape(), bytes);
  }

  private static MegatronRankFiles realFiles() {
    return new MegatronRankFiles(real())
        .arg("hidden_size", 16L)
        .arg("num_attention_heads", 4L)
        .arg("group_query_attention", true)
        .arg("num_query_groups", 2L)
        .arg("kv_channels", 4L)
        .arg("ffn_hidden_size", 24L)
        .arg("normalization", "RMSNorm")
        .arg("norm_epsilon", 1e-6)
        .arg("position_embedding_type", "rope")
        .arg("rotary_base", 10000L)
        .arg("add_bias_linear", false)
        .arg("max_position_embeddings", 32L)
        .arg("padded_vocab_size", 32L)
        .arg("vocab_size", 32L)
        .arg("bf16", true);
  }

  /** F32 tensors of values that differ everywhere. */
  private static final class Numbered {
    private final Map<String, WholeTensor> all = new LinkedHashMap<>();
    private int next;

    Numbered add(String name, long... dims) {
      Shape shape = Shape.of(dims);
      ByteBuffer values =
          ByteBuffer.allocate(Math.toIntExact(shape.elements() * 4)).order(ByteOrder.LITTLE_ENDIAN);
      for (int i = 0; i < shape.elements(); i++) {
        values.putFloat(next++);
      }
      all.put(name, new WholeTensor(DType.F32, shape, values.array()));
      return this;
    }
  }

  /**
   * A model of Megatron-Core.
   *
   * @param experts by {@code %d}, how the tensors of an expert are called; empty for none
   */
  private static Map<String, WholeTensor> model(int layers, String experts) {
    Numbered model = new Numbered().add("embedding.word_embeddings.weight", 16, 8);
    for (int layer = 0; layer < layers; layer++) {
      String at = "decoder.layers." + layer + ".";
      model
          .add(at + "self_attention.linear_proj.weight", 8, 8)
          .add(at + "self_attention.linear_qkv.layer_norm_weight", 8)
          .add(at + "self_attention.linear_qkv.weight", 16, 8)
          .add(at + "self_attention.linear_qkv.bias", 16);
      if (experts.isEmpty()) {
        model
            .add(at + "mlp.linear_fc1.layer_norm_weight", 8)
            .add(at + "mlp.linear_fc1.weight", 24, 8)
            .add(at + "mlp.linear_fc2.weight", 8, 12);
      } else {
        model.add(at + "pre_mlp_layernorm.weight", 8).add(at + "mlp.router.weight", 4, 8);
        for (int expert = 0; expert < 4; expert++) {
          model
              .add(at + "mlp.experts." + experts.formatted(1, expert), 8, 8)
              .add(at + "mlp.experts." + experts.formatted(2, expert), 8, 4);
        }
      }
    }
    return model.add("decoder.final_layernorm.weight", 8).add("output_layer.weight", 16, 8).all;
  }

  private static final String ONE_BY_ONE = "local_experts.%2$d.linear_fc%1$d.weight";
  private static final String AT_ONCE = "linear_fc%d.weight%d";

  private static void assertSame(Map<String, WholeTensor> expected, Gathered gathered) {
    Map<String, String> shapes = new TreeMap<>();
    expected.forEach((name, tensor) -> shapes.put(name, tensor.shape().toString()));
    Map<String, String> found = new TreeMap<>();
    gathered.checkpoint().tensors().forEach(t -> found.put(t.name(), t.spec().shape().toString()));
    assertEquals(shapes, found);
    expected.forEach(
        (name, tensor) ->
            assertArrayEquals(
                tensor.bytes(), tensor(named(gathered, name), gathered).bytes(), name));
    assertEquals(Map.of(), gathered.differences());
  }

  private static NamedTensor named(Gathered gathered, String name) {
    return gathered.checkpoint().tensors().stream()
        .filter(t -> t.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "2, 1", "1, 2", "2, 2"})
  void aRealModelInTheFilesOfItsRanks(int tensor, int pipeline) throws IOException {
    realFiles().ranks(tensor, pipeline, 1, 1).write(step());

    Gathered gathered = converting().base(REAL.resolve("hf")).gather();

    assertEquals(StoredTensors.of(REAL.resolve("expected.safetensors")), gathered.tensors());
    assertEquals("megatron-llama", gathered.prepared().mapping().orElseThrow().name());
    assertEquals(Map.of(), gathered.differences());
  }

  @Test
  void theArgumentsGiveNamesAndConfig() throws IOException {
    realFiles().ranks(2, 2, 1, 1).write(step());

    Gathered gathered = converting().gather();

    assertEquals(StoredTensors.of(REAL.resolve("expected.safetensors")), gathered.tensors());
    assertEquals(
        List.of("config.json"),
        gathered.prepared().plan().configs().stream().map(c -> c.path()).toList());
  }

  /** The names of the models before Megatron-Core, whose queries, keys and values lie the same. */
  @ParameterizedTest
  @CsvSource({"1, 1, 2.0", "2, 2, 3.0"})
  void aRealModelUnderItsOldNames(int tensor, int pipeline, double version) throws IOException {
    Map<String, WholeTensor> old = new LinkedHashMap<>();
    real()
        .forEach(
            (name, whole) ->
                old.put(
                    "language_model."
                        + name.replace("decoder.", "encoder.")
                            .replace("final_layernorm", "final_norm")
                            .replace(
                                "self_attention.linear_qkv.layer_norm_weight", "input_norm.weight")
                            .replace("input_layernorm", "input_norm")
                            .replace(
                                "mlp.linear_fc1.layer_norm_weight", "post_attention_norm.weight")
                            .replace("pre_mlp_layernorm", "post_attention_norm")
                            .replace("linear_qkv", "query_key_value")
                            .replace("linear_proj", "dense")
                            .replace("linear_fc1", "dense_h_to_4h")
                            .replace("linear_fc2", "dense_4h_to_h"),
                    whole));
    new MegatronRankFiles(old)
        .nested()
        .version(version)
        .ranks(tensor, pipeline, 1, 1)
        .write(step());

    Gathered gathered = converting().base(REAL.resolve("hf")).gather();

    assertEquals(StoredTensors.of(REAL.resolve("expected.safetensors")), gathered.tensors());
    assertTrue(
        gathered.names().contains("language_model.encoder.layers.1.mlp.dense_h_to_4h.weight"),
        gathered.names().toString());
  }

  @ParameterizedTest
  @CsvSource({"1, 2, 2", "2, 2, 2", "4, 4, 1", "2, 4, 2", "1, 1, 4"})
  void layersOfAllStages(int tensor, int pipeline, int virtual) throws IOException {
    Map<String, WholeTensor> model = model(8, "");
    new MegatronRankFiles(model).ranks(tensor, pipeline, virtual, 1).write(step());

    assertSame(model, gathered());
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 1, " + ONE_BY_ONE,
    "1, 1, 4, " + ONE_BY_ONE,
    "2, 1, 2, " + ONE_BY_ONE,
    "2, 2, 2, " + ONE_BY_ONE,
    "1, 2, 2, " + AT_ONCE,
    "2, 2, 4, " + AT_ONCE
  })
  void expertsOfAllRanks(int tensor, int pipeline, int expert, String names) throws IOException {
    Map<String, WholeTensor> model = model(2, names);
    new MegatronRankFiles(model)
        .ranks(tensor, pipeline, 1, expert)
        .arg("num_experts", 4L)
        .write(step());

    assertSame(model, gathered());
  }

  /** With 2 tensor- and 4 expert-parallel ranks there are files of 0 and 0, 1 and 1, 0 and 2, … */
  @ParameterizedTest
  @CsvSource({"2, 1, 4, " + ONE_BY_ONE, "2, 2, 2, " + AT_ONCE, "4, 1, 2, " + ONE_BY_ONE})
  void expertsThatNoRanksShare(int tensor, int pipeline, int expert, String names)
      throws IOException {
    Map<String, WholeTensor> model = model(2, names);
    new MegatronRankFiles(model)
        .ranks(tensor, pipeline, 1, expert)
        .arg("num_experts", 4L)
        .wholeExperts()
        .write(step());

    assertSame(model, gathered());
    Path lost = step().resolve("mp_rank_01" + (pipeline > 1 ? "_000" : "") + "_001");
    Fixtures.remove(lost);
    assertTrue(refused().startsWith("of the ranks of this step mp_rank_0"), refused());
  }

  @ParameterizedTest
  @CsvSource({ONE_BY_ONE, AT_ONCE})
  void expertsGetTheNamesOfTransformers(String names) throws IOException {
    new MegatronRankFiles(model(2, names))
        .ranks(2, 1, 1, 2)
        .arg("num_experts", 4L)
        .arg("num_attention_heads", 2L)
        .arg("num_query_groups", 1L)
        .arg("kv_channels", 4L)
        .write(step());

    Gathered gathered = converting().mapping("megatron-mixtral").gather();

    assertTrue(
        gathered
            .tensors()
            .get("model.layers.1.block_sparse_moe.experts.3.w3.weight")
            .contains("[4, 8]"));
    assertEquals(1 + 2 * (6 + 1 + 2 + 1 + 12) + 2, gathered.tensors().size());
  }

  /** The last stage keeps a copy of the embedding, which it is tied to. */
  @Test
  void aTiedHead() throws IOException {
    Map<String, WholeTensor> model = model(2, "");
    model.put("output_layer.weight", model.get("embedding.word_embeddings.weight"));
    new MegatronRankFiles(model)
        .ranks(2, 2, 1, 1)
        .arg("untie_embeddings_and_output_weights", false)
        .write(step());
    Map<String, WholeTensor> expected = new LinkedHashMap<>(model);
    expected.remove("output_layer.weight");

    Gathered gathered = gathered();

    assertSame(expected, gathered);
    assertEquals(
        List.of(
            "'optimizer' in model_optim_rng.pt (exp_avg), 4 tensors, training state: no part of the"
                + " model",
            "output_layer.weight, 1 tensor, the last stage's copy of the embedding, which it is"
                + " tied to: compared with it"),
        gathered.checkpoint().notTaken().stream().map(NotTaken::text).toList());

    model.put("output_layer.weight", model.get("embedding.word_embeddings.weight").flipped());
    new MegatronRankFiles(model)
        .ranks(2, 2, 1, 1)
        .arg("untie_embeddings_and_output_weights", false)
        .write(step());

    assertEquals(Map.of("embedding.word_embeddings.weight", 1L), gathered().differences());
  }

  /** As of DeepSpeed's ranks: the first one's is taken, and what differs is counted. */
  @Test
  void normsOfRanksThatDiffer() throws IOException {
    Map<String, WholeTensor> model = model(2, "");
    new MegatronRankFiles(model).ranks(2, 1, 1, 1).write(step());
    Map<String, WholeTensor> others = new LinkedHashMap<>(model);
    String norm = "decoder.layers.1.mlp.linear_fc1.layer_norm_weight";
    others.put(norm, model.get(norm).flipped());
    Path other = new MegatronRankFiles(others).ranks(2, 1, 1, 1).write(temp.resolve("other"));
    replace(other, "mp_rank_01");

    Gathered gathered = gathered();

    assertEquals(Map.of(norm, 1L), gathered.differences());
    assertArrayEquals(model.get(norm).bytes(), tensor(named(gathered, norm), gathered).bytes());
  }

  private void replace(Path other, String folder) throws IOException {
    Files.copy(
        other.resolve(folder).resolve(MegatronRankFiles.MODEL),
        step().resolve(folder).resolve(MegatronRankFiles.MODEL),
        StandardCopyOption.REPLACE_EXISTING);
  }

  private Checkpoint read(Path address, ReadOptions options) {
    return new CheckpointReader(LocalStores.ALL, new ThreadScanner(LocalStores.ALL))
        .read(Locations.of(address), options);
  }

  @Test
  void stepsOfARun() throws IOException {
    Path run = temp.resolve("run");
    MegatronRankFiles files = new MegatronRankFiles(model(2, "")).ranks(2, 1, 1, 1);
    for (int step : List.of(10, 20, 30)) {
      files.iteration(step).write(run.resolve("iter_%07d".formatted(step)));
    }
    ReadOptions newest = ReadOptions.defaults();
    ReadOptions first =
        new ReadOptions(Optional.of("iter_0000010"), Optional.empty(), ReadOptions.Frozen.INCLUDE);

    assertEquals("iter_0000030", read(run, newest).source().tag());
    Checkpoint chosen = read(run, first);
    assertEquals("iter_0000010", chosen.source().tag());
    assertEquals(2, chosen.arguments().number("num_layers").orElseThrow());
    assertEquals(List.of("iter_0000010", "iter_0000020", "iter_0000030"), chosen.source().tags());
    assertEquals("iter_0000010", read(run.resolve("iter_0000010"), newest).source().tag());
    Files.writeString(run.resolve("latest_checkpointed_iteration.txt"), "20");
    assertEquals("iter_0000020", read(run, newest).source().tag());
  }

  @Test
  void aReleaseIsAStep() throws IOException {
    new MegatronRankFiles(model(2, "")).ranks(1, 1, 1, 1).write(temp.resolve("run/release"));

    assertEquals("release", read(temp.resolve("run"), ReadOptions.defaults()).source().tag());
  }

  private String refused() {
    return assertThrows(ReweaveException.class, this::gathered).problem();
  }

  @Test
  void aRankThatIsMissing() throws IOException {
    new MegatronRankFiles(model(2, "")).ranks(2, 2, 1, 1).write(step());
    Fixtures.remove(step().resolve("mp_rank_01_001"));
    assertEquals("of the ranks of this step mp_rank_01_001 are not here", refused());
    Fixtures.remove(step().resolve("mp_rank_00_001"));
    assertEquals(
        "of the ranks of this step mp_rank_00_001, mp_rank_01_001 are not here", refused());
    Fixtures.remove(step().resolve("mp_rank_01_000"));
    assertEquals(
        "of the ranks of this step mp_rank_01_000, mp_rank_00_001, mp_rank_01_001 are not here",
        refused());
  }

  @Test
  void anEarlyVersion() throws IOException {
    new MegatronRankFiles(model(2, "")).ranks(1, 1, 1, 1).version(1.0).write(step());

    assertEquals(
        "a checkpoint of version 1.0, in which queries, keys and values lie in another order than"
            + " since version 2.0",
        refused());
  }

  @Test
  void filesOfTwoSteps() throws IOException {
    MegatronRankFiles files = new MegatronRankFiles(model(2, "")).ranks(2, 1, 1, 1);
    files.write(step());
    replace(files.iteration(20).write(temp.resolve("other")), "mp_rank_01");

    assertEquals(
        "not of one step: the first rank's file is of iteration 10 and version 3.0, and this one of"
            + " iteration 20 and version 3.0",
        refused());
  }

  @Test
  void moreFoldersThanRanks() throws IOException {
    MegatronRankFiles files = new MegatronRankFiles(model(2, "")).ranks(2, 1, 1, 1);
    files.arg("tensor_model_parallel_size", 1L).write(step());

    assertEquals(
        "there are folders of 2 ranks, and the arguments of the training say"
            + " tensor_model_parallel_size 1",
        refused());
  }

  @Test
  void layersThatAreMissing() throws IOException {
    new MegatronRankFiles(model(2, "")).ranks(1, 2, 1, 1).arg("num_layers", 4L).write(step());

    assertEquals(
        "all stages together have 2 layers, and the arguments of the training say num_layers 4",
        refused());
  }

  @Test
  void whatNobodyKnowsHowToJoin() throws IOException {
    Map<String, WholeTensor> model = model(2, "");
    model.put("decoder.layers.0.mine.weight", model.get("output_layer.weight"));
    new MegatronRankFiles(model).ranks(2, 1, 1, 1).write(step());
    assertEquals(
        "how the tensor-parallel ranks share 1 tensor is not known: decoder.layers.0.mine.weight",
        refused());

    Path rules =
        Files.writeString(
            temp.resolve("rules.json"),
            "{\"name\": \"mine\", \"description\": \"own\", \"tensorParallel\": [{\"match\":"
                + " \".*mine.*\", \"kind\": \"replicated\"}]}");
    assertSame(model, converting().mapping(rules.toString()).gather());
  }

  @Test
  void expertsThatAreCutOtherwise() throws IOException {
    MegatronRankFiles files =
        new MegatronRankFiles(model(2, ONE_BY_ONE)).ranks(4, 1, 1, 1).arg("num_experts", 4L);
    files.arg("expert_tensor_parallel_size", 2L).write(step());
    assertEquals(
        "experts are shared by 2 tensor-parallel ranks, and all else by 4"
            + " (expert_tensor_parallel_size)",
        refused());
    Fixtures.remove(step());

    Map<String, WholeTensor> grouped = model(2, "");
    grouped.put("decoder.layers.0.mlp.experts.weight1", grouped.get("output_layer.weight"));
    new MegatronRankFiles(grouped).ranks(2, 1, 1, 1).write(step());
    assertEquals(
        "decoder.layers.0.mlp.experts.weight1 has all experts of a rank in it, in an order of its"
            + " own",
        refused());
  }

  @Test
  void mastersHaveNoNames() throws IOException {
    new MegatronRankFiles(model(2, "")).ranks(1, 1, 1, 1).write(step());

    assertEquals(
        "the fp32 masters in the files of Megatron-LM's ranks have no names",
        assertThrows(
                ReweaveException.class,
                () -> read(step(), ReadOptions.defaults().withWeights(Weights.MASTER)))
            .problem());
  }
}
