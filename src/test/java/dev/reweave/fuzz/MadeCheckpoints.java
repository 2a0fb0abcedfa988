package dev.reweave.fuzz;

import static dev.reweave.testing.PickleWriter.dict;

import dev.reweave.checkpoint.Adapter;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.ExpertFiles;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Floats;
import dev.reweave.testing.MadeDcp;
import dev.reweave.testing.MegatronRankFiles;
import dev.reweave.testing.ModelParallelFiles;
import dev.reweave.testing.PickleWriter.Tuple;
import dev.reweave.testing.StorageContent;
import dev.reweave.testing.TensorValue;
import dev.reweave.testing.TorchZipWriter;
import dev.reweave.testing.WholeTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Folders of kinds that no fixture has, as small as they can be. */
final class MadeCheckpoints {
  private MadeCheckpoints() {}

  /** ZeRO-3 with a layer of experts in common tensors. */
  static Path stackedExperts() throws IOException {
    String prefix = "m.experts";
    ExpertFiles files =
        new ExpertFiles(Files.createTempDirectory("experts"), 3, 2)
            .counts(List.of(2))
            .stacks(
                List.of(
                    dict(
                        "moe_layer_id", 0,
                        "module_path", "m",
                        "num_experts", 2,
                        "num_local_experts", 1,
                        "ep_size", 2,
                        "expert_key_prefix", prefix,
                        "checkpoint_format", "zero3_partitioned")))
            .module(List.of(dense()))
            .group(List.of(List.of(dense())))
            .group(List.of(stacked(prefix, 1), stacked(prefix, 2)));
    files.write();
    return files.folder();
  }

  private static Floats dense() {
    return Floats.random("head.weight", 1, 3, 2);
  }

  private static List<Floats> stacked(String prefix, int seed) {
    return List.of(".w1", ".w2", ".w3").stream()
        .map(w -> Floats.random(prefix + w, seed, 1, 3, 2))
        .toList();
  }

  /** Two tensor-parallel ranks, with what DeepSpeed says of their slices. */
  static Path tensorParallel() throws IOException {
    Path root = Files.createTempDirectory("tensor");
    ModelParallelFiles files =
        new ModelParallelFiles(root, 1, 1, 1, 2)
            .info(
                dict(
                    "universal_checkpoint_version", 0.2,
                    "original_vocab_size", 3,
                    "vocabulary_parameter_patterns", List.of("embed"),
                    "tp_replicated_parameter_patterns", List.of(".*norm"),
                    "parameter_to_average_patterns", List.of("router"),
                    "parameter_with_row_parallelism_patterns", List.of("row"),
                    "parameter_with_2_sub_params_cat_dim_0", List.of("glu"),
                    "parameter_with_sub_params",
                        List.of(
                            dict(
                                "patterns",
                                List.of("qkv"),
                                "shape",
                                new Tuple(List.of(new Tuple(List.of(4, 2, 2)), 2)),
                                "partition_dim",
                                0))));
    for (int rank = 0; rank < 2; rank++) {
      files.write(
          rank,
          List.of("embed", "norm", "router", "row", "glu", "qkv").stream()
              .map(name -> Floats.random(name, 7, name.equals("qkv") ? 4 : 2, 2))
              .toList());
    }
    return root.resolve("global_step1");
  }

  /** What four of Megatron-LM's ranks save of a model in two stages. */
  static Path megatronStages() throws IOException {
    return new MegatronRankFiles(megatron("mlp.linear_fc1.weight", "mlp.linear_fc2.weight"))
        .ranks(2, 2, 1, 1)
        .write(Files.createTempDirectory("megatron"));
  }

  /** What four of them save of one with two experts. */
  static Path megatronExperts() throws IOException {
    return new MegatronRankFiles(
            megatron(
                "mlp.experts.local_experts.0.linear_fc1.weight",
                "mlp.experts.local_experts.0.linear_fc2.weight",
                "mlp.experts.local_experts.1.linear_fc1.weight",
                "mlp.experts.local_experts.1.linear_fc2.weight"))
        .ranks(2, 1, 1, 2)
        .arg("num_experts", 2L)
        .write(Files.createTempDirectory("megatron"));
  }

  private static Map<String, WholeTensor> megatron(String... ofMlp) {
    Map<String, WholeTensor> model = new LinkedHashMap<>();
    model.put("embedding.word_embeddings.weight", square());
    for (String layer : List.of("decoder.layers.0.", "decoder.layers.1.")) {
      model.put(layer + "self_attention.linear_qkv.weight", square());
      model.put(layer + "self_attention.linear_proj.weight", square());
      for (String name : ofMlp) {
        model.put(layer + name, square());
      }
    }
    model.put("output_layer.weight", square());
    return model;
  }

  private static WholeTensor square() {
    return new WholeTensor(DType.BF16, Shape.of(4, 4), new byte[32]);
  }

  /** A distributed checkpoint of a model and an average of it. */
  static Path distributedAverage() throws IOException {
    Path folder = Files.createTempDirectory("average");
    MadeDcp made = new MadeDcp(folder.resolve("archive.pt"));
    for (String key : List.of("model", "ema")) {
      made.nested(List.of(key, "a.weight"), 2L, 3L);
      made.nested(List.of(key, "b.bias"), 3L);
    }
    made.nested(List.of("ema", "n_averaged"));
    return made.write(folder.resolve("step"));
  }

  /** What two ranks save of a model that FSDP has not cut. */
  static Path wholeCopies() throws IOException {
    Path folder = Files.createTempDirectory("copies");
    for (int rank = 0; rank < 2; rank++) {
      TensorValue value = new TensorValue("0", "FloatStorage", 3, 0, Shape.of(3), List.of(1L));
      TorchZipWriter.write(
          folder.resolve("pytorch_model_fsdp_0_rank" + rank + ".bin"),
          dict("a.weight", value),
          List.of(StorageContent.of(DType.F32, new byte[12])));
    }
    return folder;
  }

  /** A model with an adapter in it, and the adapter's config beside it. */
  static Path modelWithAdapter(String name) throws IOException {
    Path folder = Files.createTempDirectory("adapter");
    Path made = Fixtures.adapter(name);
    Files.copy(made.resolve("model.pt"), folder.resolve("model.pt"));
    Files.copy(made.resolve(Adapter.CONFIG_NAME), folder.resolve(Adapter.CONFIG_NAME));
    return folder;
  }

  /** An adapter alone, as PEFT saves it. */
  static Path adapterAlone(String name) throws IOException {
    Path folder = Files.createTempDirectory("adapter");
    Path made = Fixtures.adapter(name);
    Files.copy(
        made.resolve("adapter.safetensors"), folder.resolve(Adapter.WEIGHTS_NAME + ".safetensors"));
    Files.copy(made.resolve(Adapter.CONFIG_NAME), folder.resolve(Adapter.CONFIG_NAME));
    return folder;
  }
}
