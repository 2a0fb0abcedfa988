package dev.reweave.look.doctor;

import static dev.reweave.look.doctor.ModelFolder.tensor;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.tensor.DType;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.Fixtures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Folders that libraries load: what fits together, and each way in which something does not. */
class ModelDoctorTest {
  private static final String SHARD = "model-00002-of-00002.safetensors";

  @TempDir Path temp;
  private ModelFolder model;

  @BeforeEach
  void folder() {
    model = new ModelFolder(temp.resolve("model"));
  }

  private Complaints complaints() {
    return Complaints.of(model.path());
  }

  /** A copy of the pipeline, with the components that the original lacks. */
  private Path pipeline() throws IOException {
    Path copy = Fixtures.copy(Fixtures.folder("base_pipeline"), model.path());
    model
        .text("text_encoder/config.json", "{'architectures': ['T5EncoderModel']}")
        .weights("text_encoder/model.safetensors", tensor("shared.weight", DType.F32, 8, 4))
        .text("tokenizer/tokenizer_config.json", "{'tokenizer_class': 'T5Tokenizer'}");
    return copy;
  }

  @Test
  void aWholePipeline() throws IOException {
    pipeline();

    complaints()
        .none()
        .says(Severity.INFO, "CogVideoXPipeline of scheduler, text_encoder, tokenizer")
        .says(Severity.INFO, "diffusion_pytorch_model.safetensors: 64 tensors of", "/transformer)");
  }

  @Test
  void aPipelineThatLacksComponents() {
    Complaints complaints = Complaints.of(Fixtures.folder("base_pipeline"));

    assertEquals(2, complaints.of(Severity.PROBLEM).size());
    complaints
        .says(
            Severity.PROBLEM,
            "names text_encoder (transformers.T5EncoderModel), which is not there",
            "a pipeline does not load without it")
        .says(Severity.PROBLEM, "names tokenizer (transformers.T5Tokenizer)");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "tokenizer/tokenizer_config.json | tokenizer (transformers.T5Tokenizer), which is not",
        "scheduler/scheduler_config.json | names scheduler (diffusers.CogVideoXDDIMScheduler)",
        "vae/config.json | vae (diffusers.AutoencoderKLCogVideoX) has no config.json",
        "vae/diffusion_pytorch_model.safetensors | AutoencoderKLCogVideoX) has no weights",
      })
  void aComponentThatIsNotWhole(String file, String problem) throws IOException {
    Files.delete(pipeline().resolve(file));

    complaints().oneProblem(problem);
  }

  @Test
  void aFolderThatThePipelineDoesNotName() throws IOException {
    pipeline();
    model.text("extra/config.json", "{}");

    complaints().none().says(Severity.INFO, "does not name this folder", "/extra)");
  }

  @Test
  void configsThatAreNoJson() throws IOException {
    pipeline();
    model.text("model_index.json", "{'_class_name': ").text("vae/config.json", "[]");

    Complaints complaints = complaints();

    assertEquals(2, complaints.of(Severity.PROBLEM).size());
    complaints
        .says(Severity.PROBLEM, "not sound JSON", "/model_index.json)")
        .says(Severity.PROBLEM, "not a JSON object", "/vae/config.json)");
  }

  @Test
  void anIndexWithoutClass() throws IOException {
    pipeline();
    Path index = model.path().resolve("model_index.json");
    Files.writeString(index, Files.readString(index).replace("_class_name", "_class"));

    complaints().oneProblem("model_index.json has no _class_name");
  }

  @Test
  void configsOfVersionsFarApart() throws IOException {
    Path config = pipeline().resolve("vae/config.json");
    Files.writeString(config, Files.readString(config).replace("0.40.0.dev0", "0.20.1"));
    Path scheduler = model.path().resolve("scheduler/scheduler_config.json");
    Files.writeString(scheduler, Files.readString(scheduler).replace("0.40.0.dev0", "0.41.0"));

    complaints()
        .none()
        .says(Severity.INFO, "by diffusers 0.20.1, and", "model_index.json by 0.40.0.dev0")
        .says(Severity.INFO, "diffusers 0.41.0, newer than 0.40", "scheduler_config.json");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"num_layers\": 2 | \"num_layers\": 3 | num_layers is 3, and the weights have 2 layers",
        "\"attention_head_dim\": 8 | \"attention_head_dim\": 4 | num_attention_heads × attention_head_dim is 8, and patch_embed",
        "\"in_channels\": 4 | \"in_channels\": 8 | in_channels is 8, and patch_embed.proj.weight has shape [16, 4, 2, 2]",
        "\"patch_size_t\": null | \"patch_size_t\": 2 | patch_size_t is 2, and patch_embed.proj.weight has shape",
        "\"text_embed_dim\": 10 | \"text_embed_dim\": 12 | text_embed_dim is 12",
        "\"time_embed_dim\": 12 | \"time_embed_dim\": 9 | time_embed_dim is 9, and time_embedding",
        "\"ofs_embed_dim\": null | \"ofs_embed_dim\": 6 | ofs_embed_dim is 6, and there are no tensors",
      })
  void aConfigOfAnotherModel(String from, String to, String problem) throws IOException {
    Path config = pipeline().resolve("transformer/config.json");
    Files.writeString(config, Files.readString(config).replace(from, to));

    Complaints complaints = complaints();

    complaints.says(
        Severity.PROBLEM, problem, "/transformer/config.json)", "of the model that was trained");
    assertEquals(
        List.of(),
        complaints.of(Severity.PROBLEM).stream()
            .filter(f -> !f.place().endsWith("/transformer/config.json"))
            .toList());
  }

  @Test
  void aMatrixOfPatches() throws IOException {
    String config =
        "{'_class_name': 'CogVideoXTransformer3DModel', 'in_channels': 4, 'patch_size': 2,"
            + "'patch_size_t': 2, 'num_attention_heads': 2, 'attention_head_dim': 8}";
    model
        .text("config.json", config)
        .weights("model.safetensors", tensor("patch_embed.proj.weight", DType.BF16, 16, 32));
    complaints().none();

    model.weights("model.safetensors", tensor("patch_embed.proj.weight", DType.BF16, 16, 16));
    complaints()
        .oneProblem("in_channels × patch_size × patch_size × patch_size_t is 32", "[16, 16]");
  }

  private void llama(String config, TensorSpec... more) throws IOException {
    TensorSpec[] tensors = Arrays.copyOf(more, more.length + 3);
    tensors[more.length] = tensor("model.embed_tokens.weight", DType.BF16, 32, 8);
    tensors[more.length + 1] = tensor("model.layers.0.mlp.up_proj.weight", DType.BF16, 4, 8);
    tensors[more.length + 2] = tensor("model.layers.1.mlp.up_proj.weight", DType.BF16, 4, 8);
    model
        .text("config.json", "{'architectures': ['LlamaForCausalLM'], " + config + "}")
        .weights("model.safetensors", tensors);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'num_hidden_layers': 3 | num_hidden_layers is 3, and the weights have 2 layers",
        "'num_hidden_layers': 1 | num_hidden_layers is 1",
        "'vocab_size': 30 | vocab_size is 30, and model.embed_tokens.weight has shape [32, 8]",
        "'hidden_size': 16 | hidden_size is 16",
        "'tie_word_embeddings': false | tie_word_embeddings is false, and there is no lm_head",
      })
  void aConfigOfAnotherLanguageModel(String config, String problem) throws IOException {
    llama(config);

    complaints().oneProblem(problem, "/config.json)");
  }

  @Test
  void aConfigOfTheLanguageModel() throws IOException {
    llama(
        "'num_hidden_layers': 1, 'num_nextn_predict_layers': 1, 'vocab_size': 32,"
            + "'hidden_size': 8, 'tie_word_embeddings': true, 'torch_dtype': 'bfloat16'");
    complaints().none();

    llama("'tie_word_embeddings': true", tensor("lm_head.weight", DType.BF16, 32, 8));
    complaints().none().says(Severity.INFO, "there is a lm_head.weight: it is not used");
  }

  @Test
  void anotherType() throws IOException {
    llama("'torch_dtype': 'float32'");

    Complaints complaints = complaints();

    assertEquals(List.of(), complaints.of(Severity.PROBLEM));
    complaints.says(
        Severity.WARNING,
        "config.json says float32, and most of the weights are bfloat16",
        "--dtype float32");
  }

  @Test
  void aQuantizedModelHasOtherShapes() throws IOException {
    llama("'hidden_size': 16, 'torch_dtype': 'float32', 'quantization_config': {}");

    complaints().none();
  }

  @Test
  void wholeShards() throws IOException {
    model.shards().text("config.json", "{}");

    complaints().none().says(Severity.INFO, "2 tensors of bfloat16 in 2 shards, 8 bytes");
  }

  /** transformers takes the single file, diffusers the index: neither says so. */
  @Test
  void aStrayFileBesideShards() throws IOException {
    model
        .text("config.json", "{}")
        .shards()
        .weights("model.safetensors", tensor("t1", DType.U8, 3));

    Complaints found = complaints();

    found
        .oneProblem("there are several models here", "name the one that is meant")
        .says(
            Severity.WARNING,
            "two models, of which transformers takes model.safetensors and diffusers the shards",
            "move away the one that is not meant: model.safetensors, or the index with its shards");
    Files.delete(model.path().resolve("model.safetensors"));
    complaints().none();
    model.weights("model.fp16.safetensors", tensor("t1", DType.F16, 2), tensor("t2", DType.F16, 2));
    complaints().none();
  }

  @Test
  void anAdapterBesideAModel() throws IOException {
    model.shards().text("adapter_config.json", "{'peft_type': 'LORA'}").text("config.json", "{}");

    Complaints found = complaints();

    assertEquals(List.of(), found.of(Severity.PROBLEM));
    found.says(Severity.WARNING, "an adapter beside a whole model: transformers puts it on top");
    Files.delete(model.path().resolve("adapter_config.json"));
    complaints().none();
  }

  @Test
  void aMissingShard() throws IOException {
    Files.delete(model.shards().path().resolve(SHARD));

    complaints().oneProblem("names " + SHARD + ", which is not there", "copy the shard");
  }

  @Test
  void aTruncatedShard() throws IOException {
    Path shard = model.shards().path().resolve(SHARD);
    byte[] content = Files.readAllBytes(shard);
    Files.write(shard, Arrays.copyOf(content, content.length - 1));

    complaints().oneProblem(SHARD);
  }

  @Test
  void anEmptyShard() throws IOException {
    model.shards().bytes(SHARD, new byte[0]);

    complaints().oneProblem("the file is empty", SHARD, "copy it again");
  }

  @Test
  void aPointerInPlaceOfAShard() throws IOException {
    model
        .shards()
        .text(SHARD, "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 80\n");

    complaints().oneProblem("git-lfs pointer", SHARD, "git lfs pull");
  }

  @Test
  void aTensorThatTheIndexDoesNotName() throws IOException {
    model.shards().weights(SHARD, tensor("t2", DType.BF16, 2), tensor("t3", DType.BF16, 2));

    Complaints complaints = complaints();

    complaints
        .says(Severity.WARNING, "does not name t3, which is in " + SHARD, "convert the model")
        .says(Severity.WARNING, "says total_size 8: tensors have 12 bytes");
    assertEquals(List.of(), complaints.of(Severity.PROBLEM));
  }

  @Test
  void noIndex() throws IOException {
    Files.delete(model.shards().path().resolve("model.safetensors.index.json"));

    Complaints complaints = complaints();

    assertEquals(List.of(), complaints.of(Severity.PROBLEM));
    complaints.says(Severity.WARNING, "2 shards, but no index", "which writes an index");
  }

  @Test
  void weightsWithoutConfig() throws IOException {
    model.weights("model.safetensors", tensor("t", DType.BF16, 2));
    complaints().none().says(Severity.INFO, "bare weights");

    model.weights("part/model.safetensors", tensor("t", DType.BF16, 2));
    assertEquals(List.of(), complaints().of(Severity.PROBLEM));
    complaints().says(Severity.WARNING, "weights without a config.json", "/part)");
  }

  @Test
  void anAdapterNeedsNoConfig() throws IOException {
    model.weights("pytorch_lora_weights.safetensors", tensor("t.lora_A.weight", DType.BF16, 2));

    complaints()
        .none()
        .says(Severity.INFO, "read as safetensors, the module's own weights: 1 tensor");
    assertEquals(2, complaints().findings().size());
  }

  @Test
  void oneFile() throws IOException {
    model.shards();

    Complaints.of(model.path().resolve("model.safetensors.index.json")).none();
    Complaints.of(model.path().resolve(SHARD))
        .oneProblem("this is one of 2 shards of a model", "name its index");
  }

  @Test
  void anotherModelThanTheBase() throws IOException {
    String base = pipeline().toString();
    ModelFolder other = new ModelFolder(temp.resolve("other"));
    other
        .text("model_index.json", "{'_class_name': 'P', 'vae': ['diffusers', 'V']}")
        .text("vae/config.json", "{}")
        .weights("vae/diffusion_pytorch_model.safetensors", tensor("t", DType.BF16, 2));

    Complaints.of(other.path().toString(), Optional.of(base), Depth.STRUCTURE)
        .oneProblem("tensors do not fit the base", "/vae");
    Complaints.of(base, Optional.of(base), Depth.STRUCTURE)
        .none()
        .says(Severity.INFO, "names and shapes of the base", "/vae)");
  }

  @Test
  void aBaseThatIsNone() throws IOException {
    model.shards();

    Complaints.of(
            model.path().toString(), Optional.of(temp.resolve("none").toString()), Depth.STRUCTURE)
        .oneProblem("no such file or folder", "/none");
  }
}
