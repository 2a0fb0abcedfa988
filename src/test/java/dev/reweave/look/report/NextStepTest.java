package dev.reweave.look.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.Location;
import dev.reweave.manifest.Manifest;
import dev.reweave.manifest.RecordedOptions;
import dev.reweave.manifest.WrittenTensor;
import dev.reweave.storage.Stores;
import dev.reweave.testing.Locations;
import dev.reweave.testing.TestHdfs;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which Python loads a result, by the names of its files and the configs beside them. */
class NextStepTest {
  private static final String SINGLE = "model.safetensors";

  @TempDir Path temp;

  private static Manifest manifest(
      Map<String, Object> options, List<String> shards, String index, String... tensors) {
    return new Manifest(
        "1",
        "4",
        "",
        "",
        "",
        1,
        null,
        "",
        new RecordedOptions(options),
        null,
        null,
        new Manifest.Result(
            tensors.length,
            tensors.length,
            shards.stream().map(name -> new Manifest.Shard(name, 1, "00000000", "")).toList(),
            List.of(),
            index,
            Map.of(),
            Stream.of(tensors).map(NextStepTest::tensor).toList(),
            Map.of()),
        null,
        null,
        List.of(),
        List.of(),
        List.of());
  }

  /** A name, or a name and a type. */
  private static WrittenTensor tensor(String text) {
    String[] parts = text.split(":", -1);
    String dtype = parts.length > 1 ? parts[1] : "float32";
    return new WrittenTensor(parts[0], dtype, List.of(1L), "", 0, "", 0, 0, 0, 0, 0, false, false);
  }

  private static Manifest ofOneFile(String file, String... tensors) {
    return manifest(Map.of(), List.of(file), "", tensors);
  }

  private void write(String file, String json) throws IOException {
    Path path = temp.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, json);
  }

  /** Lines of Python, with the folder as {@code OUT}. */
  private List<String> code(Manifest manifest) {
    List<String> lines = NextStep.of(TestSpark.stores(), manifest, Locations.of(temp));
    assertEquals(List.of("next   load it with Python:", ""), lines.subList(0, 2));
    return lines.stream().skip(2).map(l -> l.replace(temp.toString(), "OUT")).toList();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"architectures\": [\"LlamaForCausalLM\"]} | AutoModelForCausalLM | OUT\"",
        "{\"architectures\": [\"T5EncoderModel\"]} | T5EncoderModel | OUT\"",
        "{\"architectures\": [\"Qwen2_5_VLForConditionalGeneration\"], \"x\": NaN}"
            + " | Qwen2_5_VLForConditionalGeneration | OUT\"",
        "{\"model_type\": \"llama\"} | AutoModelForCausalLM | OUT\"",
        "{\"architectures\": [\"OwnForCausalLM\"], \"auto_map\": {\"AutoConfig\": \"c.Own\","
            + " \"AutoModelForCausalLM\": \"m.OwnForCausalLM\"}}"
            + " | AutoModelForCausalLM | OUT\", trust_remote_code=True",
        "{\"architectures\": [\"Own\"], \"auto_map\": {\"AutoModel\": \"m.Own\"}}"
            + " | AutoModel | OUT\", trust_remote_code=True",
      })
  void modelsOfTransformers(String config, String type, String arguments) throws IOException {
    write("config.json", config);

    assertEquals(
        List.of(
            "from transformers import " + type,
            "",
            "model = " + type + ".from_pretrained(\"" + arguments + ")"),
        code(ofOneFile(SINGLE, "model.norm.weight")));
  }

  @Test
  void aModelWithoutItsHead() throws IOException {
    write("config.json", "{\"model_type\": \"bert\"}");

    assertEquals(
        "model = AutoModel.from_pretrained(\"OUT\")",
        code(ofOneFile("model-00001-of-00001.safetensors", "encoder.w")).get(2));
    assertEquals(
        "model = AutoModelForCausalLM.from_pretrained(\"OUT\", variant=\"fp16\")",
        code(ofOneFile("pytorch_model.fp16.bin", "lm_head.weight")).get(2));
  }

  @Test
  void componentsAndPipelinesOfDiffusers() throws IOException {
    write("transformer/config.json", "{\"_class_name\": \"CogVideoXTransformer3DModel\"}");
    Manifest half = ofOneFile("transformer/diffusion_pytorch_model.fp16.safetensors", "w:float16");

    assertEquals(
        List.of(
            "import torch",
            "from diffusers import CogVideoXTransformer3DModel",
            "",
            "model = CogVideoXTransformer3DModel.from_pretrained(\"OUT/transformer\","
                + " variant=\"fp16\", torch_dtype=torch.float16)"),
        code(half));

    write(
        "model_index.json",
        "{\"_class_name\": \"CogVideoXPipeline\", \"transformer\": [\"diffusers\", \"C\"],"
            + " \"vae\": [\"diffusers\", \"V\"], \"feature_extractor\": [null, null]}");
    assertEquals("from diffusers import CogVideoXTransformer3DModel", code(half).get(1));

    write("vae/config.json", "{}");
    assertEquals(
        List.of(
            "from diffusers import DiffusionPipeline",
            "",
            "pipe = DiffusionPipeline.from_pretrained(\"OUT\")"),
        code(ofOneFile("transformer/diffusion_pytorch_model.safetensors", "w:float32", "i:int64")));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"task_type\": \"CAUSAL_LM\", \"base_model_name_or_path\": \"meta/L\"}"
            + " | transformers | AutoModelForCausalLM | AutoModelForCausalLM.from_pretrained(\"meta/L\")",
        "{\"task_type\": \"SEQ_CLS\", \"base_model_name_or_path\": null}"
            + " | transformers | AutoModelForSequenceClassification"
            + " | AutoModelForSequenceClassification.from_pretrained(\"MODEL\")"
            + "  # the model that the adapter was trained on",
        "{\"base_model_name_or_path\": \"b\", \"auto_mapping\": {\"base_model_class\": \"Wan\","
            + " \"parent_library\": \"diffusers.models.wan\"}}"
            + " | diffusers | Wan | Wan.from_pretrained(\"b\")",
        "{\"auto_mapping\": {\"base_model_class\": \"Tiny\", \"parent_library\": \"models\"}}"
            + " | | | ...  # the model that the adapter was trained on",
      })
  void adapters(String config, String library, String type, String base) throws IOException {
    write("adapter_config.json", config);
    List<String> imported =
        library == null ? List.of() : List.of("from " + library + " import " + type);

    assertEquals(
        Stream.of(
                List.of("from peft import PeftModel"),
                imported,
                List.of("", "base = " + base, "model = PeftModel.from_pretrained(base, \"OUT\")"))
            .flatMap(List::stream)
            .toList(),
        code(ofOneFile("adapter_model.safetensors", "base_model.model.w.lora_A.weight")));
  }

  @Test
  void adaptersOfDiffusers() {
    assertEquals(
        List.of(
            "from diffusers import DiffusionPipeline",
            "",
            "pipe = DiffusionPipeline.from_pretrained(\"MODEL\")"
                + "  # the model that the adapter was trained on",
            "pipe.load_lora_weights(\"OUT\", weight_name=\"pytorch_lora_weights.safetensors\")"),
        code(ofOneFile("pytorch_lora_weights.safetensors")));
  }

  @Test
  void tensorsWhereNoConfigSaysWhatTheyAreOf() {
    assertEquals(
        List.of(
            "from safetensors.torch import load_file",
            "",
            "tensors = load_file(\"OUT/model.safetensors\")"),
        code(ofOneFile(SINGLE)));
    assertEquals(
        List.of(
            "import torch",
            "",
            "tensors = torch.load(\"OUT/pytorch_model.bin\", map_location=\"cpu\","
                + " weights_only=True)"),
        code(ofOneFile("pytorch_model.bin")));
    assertEquals(
        List.of(
            "import json",
            "from pathlib import Path",
            "from safetensors.torch import load_file",
            "",
            "index = Path(\"OUT/x/model.safetensors.index.json\")",
            "tensors = {}",
            "for shard in sorted(set(json.loads(index.read_text())[\"weight_map\"].values())):",
            "    tensors.update(load_file(index.parent / shard))"),
        code(
            manifest(
                Map.of(),
                List.of("x/model-00001-of-00002.safetensors", "x/model-00002-of-00002.safetensors"),
                "x/model.safetensors.index.json")));
  }

  /** A library would miss what was left out, or not find the files. */
  @Test
  void notAsAModelWhatIsNoneOfTheWhole() throws IOException {
    write("config.json", "{\"architectures\": [\"LlamaForCausalLM\"]}");

    for (Manifest manifest :
        List.of(
            manifest(Map.of("only", "norm"), List.of(SINGLE), ""),
            manifest(Map.of("frozen", "exclude"), List.of(SINGLE), ""))) {
      assertEquals("tensors = load_file(\"OUT/model.safetensors\")", code(manifest).get(2));
    }
    assertEquals(
        "tensors = load_file(\"OUT/mine.safetensors\")",
        code(ofOneFile("mine.safetensors")).get(2));
    assertEquals(
        "from transformers import AutoModelForCausalLM",
        code(manifest(Map.of("frozen", "include"), List.of(SINGLE), "")).get(0));
  }

  /** Who copies it runs nothing that a config has brought along. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"architectures\": [\"os; import os; os.system('x') #ForCausalLM\"]}",
        "{\"architectures\": \"LlamaForCausalLM\"}",
        "{\"_class_name\": \"LlamaForCausalLM\"}",
        "[1]",
        "{\"architectures\": [\"Llama",
        "''",
      })
  void configsThatSayNothing(String config) throws IOException {
    write("config.json", config);

    assertEquals("tensors = load_file(\"OUT/model.safetensors\")", code(ofOneFile(SINGLE)).get(2));
  }

  @Test
  void namesOfModelsAreQuoted() throws IOException {
    write(
        "adapter_config.json",
        "{\"task_type\": \"CAUSAL_LM\", \"base_model_name_or_path\": \"a\\\"); x(\\\\\\n\\u202e\"}");

    assertEquals(
        "base = AutoModelForCausalLM.from_pretrained(\"a\\\"); x(\\\\\\n\\u202e\")",
        code(ofOneFile("adapter_model.safetensors")).get(3));
  }

  @Test
  void nothingToLoad() {
    Manifest none = manifest(Map.of(), List.of(), "");

    assertEquals(List.of(), NextStep.of(TestSpark.stores(), none, Locations.of(temp)));
  }

  @Test
  void resultsThatAreFarAway() {
    Location there = new Location(TestHdfs.fileSystem().getUri() + "/models/it's mine");

    assertEquals(
        List.of(
            "next   read it back: reweave verify '" + quoted(there) + "'",
            "       fetch it:     hadoop fs -get '" + quoted(there) + "' 'it'\\''s mine'"),
        NextStep.of(new Stores(TestHdfs.configuration()), ofOneFile(SINGLE), there));
    assertEquals(
        List.of(
            "next   read it back: reweave verify s3a://models/run-17",
            "       fetch it:     aws s3 cp --recursive s3://models/run-17 run-17"),
        FarAway.lines(new Location("s3a://models/run-17")));
    assertEquals(
        "next   read it back: reweave verify $'s3a://m/a\\u202eb\\\\c\\'d'",
        FarAway.lines(new Location("s3a://m/a\u202eb\\c'd")).get(0));
  }

  private static String quoted(Location place) {
    return place.uri().replace("'", "'\\''");
  }

  @Test
  void aDistributedCheckpointIsLoadedIntoAModel() {
    assertEquals(
        List.of(
            "import torch.distributed.checkpoint as dcp",
            "",
            "# on any number of ranks; model is the one to train, sharded or not",
            "state = model.state_dict()",
            "dcp.load(state, checkpoint_id=\"OUT\")",
            "model.load_state_dict(state)"),
        code(ofOneFile("__0_0.distcp", "a")));
    assertTrue(
        code(ofOneFile("transformer/__0_0.distcp", "a"))
            .contains("dcp.load(state, checkpoint_id=\"OUT/transformer\")"));
  }
}
