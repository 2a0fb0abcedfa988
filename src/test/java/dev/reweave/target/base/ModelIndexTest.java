package dev.reweave.target.base;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reweave.common.ReweaveException;
import dev.reweave.testing.Fixtures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelIndexTest {
  private static final Optional<String> NONE = Optional.empty();

  @TempDir Path temp;

  @Test
  void writesAsDiffusers() throws IOException {
    Path folder = Fixtures.copy(Fixtures.folder("base_pipeline"), temp.resolve("base"));
    String expected =
        Files.readString(folder.resolve("model_index.json"))
            .replaceAll("  \"(text_encoder|tokenizer)\": \\[[^]]*],\n", "");
    Files.delete(folder.resolve("model_index.json"));
    SampleBase sample = new SampleBase(folder);
    assertEquals(expected + "\n", generate(sample, NONE));
    assertEquals(
        expected.replace("CogVideoXPipeline", "CogVideoXVideoToVideoPipeline") + "\n",
        generate(sample, Optional.of("CogVideoXVideoToVideoPipeline")));
  }

  @Test
  void findsTheClassOfEveryComponent() throws IOException {
    SampleBase sample =
        sample()
            .model("transformer", "FluxTransformer2DModel", "a")
            .text("text_encoder/config.json", "{'architectures': ['CLIPTextModel', 'X']}")
            .text("scheduler/scheduler_config.json", "{'_class_name': 'DDIMScheduler'}")
            .text("tokenizer/tokenizer_config.json", "{'tokenizer_class': 'CLIPTokenizer'}")
            .text("tokenizer/vocab.json", "{}")
            .text("tokenizer/tokenizer.json", "{}")
            .text("tokenizer_2/tokenizer_config.json", "{'tokenizer_class': 'T5Tokenizer'}")
            .text("tokenizer_2/tokenizer.json", "{}")
            .text("tokenizer_3/tokenizer_config.json", "{'tokenizer_class': 'LlamaTokenizerFast'}")
            .text("tokenizer_3/tokenizer.json", "{}")
            .text(
                "feature_extractor/preprocessor_config.json",
                "{'image_processor_type': 'CLIPImageProcessor', 'processor_class': 'P',"
                    + "'feature_extractor_type': 'F'}")
            .text("old/preprocessor_config.json", "{'feature_extractor_type': 'F'}")
            .text("bare/preprocessor_config.json", "{'processor_class': 'P'}")
            .text(
                "processor/preprocessor_config.json",
                "{'image_processor_type': 'I', 'processor_class': 'Qwen2VLProcessor'}")
            .text("processor/tokenizer_config.json", "{'tokenizer_class': 'T'}")
            .text(
                "safety_checker/config.json", "{'architectures': ['StableDiffusionSafetyChecker']}")
            .text("connectors/config.json", "{'_class_name': 'LTX2TextConnectors'}")
            .text("unknown/config.json", "{}")
            .text("evil/config.json", "{'_class_name': 'a\\\", b'}")
            .text("not-a-name/config.json", "{'_class_name': 'A'}");
    JsonNode index = new ObjectMapper().readTree(generate(sample, Optional.of("FluxPipeline")));
    assertPair("diffusers.FluxTransformer2DModel", index, "transformer");
    assertPair("transformers.CLIPTextModel", index, "text_encoder");
    assertPair("diffusers.DDIMScheduler", index, "scheduler");
    assertPair("transformers.CLIPTokenizer", index, "tokenizer");
    assertPair("transformers.T5TokenizerFast", index, "tokenizer_2");
    assertPair("transformers.LlamaTokenizerFast", index, "tokenizer_3");
    assertPair("transformers.CLIPImageProcessor", index, "feature_extractor");
    assertPair("transformers.F", index, "old");
    assertPair("transformers.P", index, "bare");
    assertPair("transformers.Qwen2VLProcessor", index, "processor");
    assertPair("stable_diffusion.StableDiffusionSafetyChecker", index, "safety_checker");
    assertPair("ltx2.LTX2TextConnectors", index, "connectors");
    assertFalse(index.has("unknown"));
    assertFalse(index.has("evil"));
    assertFalse(index.has("not-a-name"));
    assertFalse(index.has("_diffusers_version"));
  }

  @Test
  void takesTheNewestVersion() throws IOException {
    SampleBase sample =
        sample()
            .text("vae/config.json", "{'_class_name': 'V', '_diffusers_version': '0.9.0'}")
            .text(
                "transformer/config.json",
                "{'_class_name': 'MochiTransformer3DModel', '_diffusers_version': '0.31.0.dev0'}")
            .text("te/config.json", "{'architectures':['T'], 'transformers_version': '4.46.2'}")
            .weights("transformer/diffusion_pytorch_model.safetensors", "a");
    assertEquals(
        """
        {
          "_class_name": "MochiPipeline",
          "_diffusers_version": "0.31.0.dev0",
          "te": [
            "transformers",
            "T"
          ],
          "transformer": [
            "diffusers",
            "MochiTransformer3DModel"
          ],
          "vae": [
            "diffusers",
            "V"
          ]
        }
        """,
        generate(sample, NONE));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "CogVideoXTransformer3DModel | 'in_channels':32,'out_channels':16"
            + " | | CogVideoXImageToVideoPipeline",
        "CogVideoXTransformer3DModel | 'in_channels':16,'out_channels':16 | | CogVideoXPipeline",
        "UNet2DConditionModel | 'in_channels':4,'out_channels':4 | text_encoder vae tokenizer"
            + " | StableDiffusionPipeline",
        "UNet2DConditionModel | 'in_channels':4,'encoder_hid_dim':null"
            + " | text_encoder vae tokenizer safety_checker | StableDiffusionPipeline",
        "UNet2DConditionModel | 'in_channels':9 | text_encoder vae tokenizer"
            + " | StableDiffusionInpaintPipeline",
        "UNet2DConditionModel | 'in_channels':4"
            + " | text_encoder text_encoder_2 tokenizer tokenizer_2 vae | StableDiffusionXLPipeline",
        "FluxTransformer2DModel | 'in_channels':64,'out_channels':null | | FluxPipeline",
        "FluxTransformer2DModel | 'in_channels':384,'out_channels':64 | | FluxFillPipeline",
        "SD3Transformer2DModel | 'in_channels':16 | | StableDiffusion3Pipeline",
        "WanTransformer3DModel | 'in_channels':16,'out_channels':16 | | WanPipeline",
        "WanTransformer3DModel | 'in_channels':36,'out_channels':16 | | WanImageToVideoPipeline",
        "HunyuanVideoTransformer3DModel | 'in_channels':16,'out_channels':16"
            + " | | HunyuanVideoPipeline",
        "HunyuanVideoTransformer3DModel | 'in_channels':33,'out_channels':16"
            + " | | HunyuanVideoImageToVideoPipeline",
        "HunyuanVideoTransformer3DModel"
            + " | 'in_channels':16,'out_channels':16,'image_condition_type':'token_replace'"
            + " | | HunyuanVideoImageToVideoPipeline",
        "LTXVideoTransformer3DModel | 'in_channels':128 | | LTXPipeline",
        "AllegroTransformer3DModel | | | AllegroPipeline",
        "CogView3PlusTransformer2DModel | | | CogView3PlusPipeline",
        "CogView4Transformer2DModel | 'in_channels':16,'out_channels':16 | | CogView4Pipeline",
        "AuraFlowTransformer2DModel | | | AuraFlowPipeline",
        "SanaTransformer2DModel | | | SanaPipeline",
        "SanaTransformer2DModel | 'guidance_embeds':true | | SanaSprintPipeline",
        "Lumina2Transformer2DModel | | | Lumina2Pipeline",
        "QwenImageTransformer2DModel | | tokenizer | QwenImagePipeline",
      })
  void findsThePipeline(String model, String config, String others, String pipeline)
      throws IOException {
    SampleBase sample = pipeline(model, config == null ? "" : config, others == null ? "" : others);
    JsonNode index = new ObjectMapper().readTree(generate(sample, NONE));
    assertEquals(pipeline, index.get("_class_name").asText());
  }

  @Test
  void keepsTheSettingsOfAPipeline() throws IOException {
    String two = "'in_channels':16,'out_channels':16";
    SampleBase sample = pipeline("WanTransformer3DModel", two, "transformer_2");
    String index = generate(sample, NONE);
    assertTrue(index.contains(",\n  \"boundary_ratio\": 0.875,\n"), index);
    assertEquals(index, generate(sample, Optional.of("WanPipeline")));
    assertFalse(
        generate(sample, Optional.of("WanVideoToVideoPipeline")).contains("boundary_ratio"));
    SampleBase five =
        pipeline("WanTransformer3DModel", "'in_channels':48,'out_channels':48", "vae");
    assertTrue(generate(five, NONE).contains(",\n  \"expand_timesteps\": true,\n"));
  }

  @Test
  void asksWhereSeveralPipelinesWouldDo() throws IOException {
    SampleBase sample = pipeline("PixArtTransformer2DModel", "", "vae");
    assertRefused(
        "base could be of several pipelines: PixArtAlphaPipeline, PixArtSigmaPipeline: "
            + sample.uri()
            + "; name its class with --pipeline CLASS",
        sample,
        NONE);
    assertTrue(
        generate(sample, Optional.of("PixArtSigmaPipeline")).contains("\"PixArtSigmaPipeline\""));
  }

  @Test
  void asksWhereNoPipelineIsKnown() throws IOException {
    SampleBase sample = pipeline("NewTransformer", "", "vae");
    assertRefused(
        "no pipeline is known for the base's components transformer (diffusers.NewTransformer),"
            + " vae (diffusers.X): "
            + sample.uri()
            + "; name its class with --pipeline CLASS",
        sample,
        NONE);
    assertRefused(
        "not the name of a class: --pipeline a b;"
            + " name a pipeline's class, such as CogVideoXPipeline",
        sample,
        Optional.of("a b"));
  }

  @Test
  void refusesTheFolderOfOneModel() {
    SampleBase sample = new SampleBase(Fixtures.folder("base_pipeline_sharded_transformer"));
    assertRefused(
        "base is the folder of one model, which has no model_index.json: "
            + sample.uri()
            + "; leave --pipeline out, or name the folder of the whole pipeline as the base",
        sample,
        Optional.of("CogVideoXPipeline"));
  }

  @Test
  void knowsPipelinesByTheirRules() {
    for (PipelineRule rule : PipelineTable.all()) {
      assertTrue(LibraryClass.isIdentifier(rule.model()), rule.model());
      assertFalse(rule.pipelines().isEmpty(), rule.model());
      rule.pipelines().forEach(name -> assertTrue(name.endsWith("Pipeline"), name));
    }
  }

  private SampleBase pipeline(String model, String config, String others) throws IOException {
    String folder = model.startsWith("UNet") ? "unet" : "transformer";
    String more = config.isEmpty() ? "" : ", " + config;
    SampleBase sample =
        new SampleBase(temp.resolve(model + config.hashCode()))
            .text("scheduler/scheduler_config.json", "{}")
            .text(folder + "/config.json", "{'_class_name': '" + model + "'" + more + "}")
            .weights(folder + "/diffusion_pytorch_model.safetensors", "a");
    for (String other : others.split(" ", -1)) {
      if (!other.isEmpty()) {
        sample.text(other + "/config.json", "{'_class_name': 'X'}");
      }
    }
    return sample;
  }

  private SampleBase sample() {
    return new SampleBase(temp.resolve("base"));
  }

  private static String generate(SampleBase sample, Optional<String> pipeline) {
    return new String(ModelIndex.generate(sample.read(), pipeline), UTF_8);
  }

  private static void assertPair(String expected, JsonNode index, String component) {
    assertEquals(
        expected,
        index.get(component).get(0).asText() + "." + index.get(component).get(1).asText());
  }

  private static void assertRefused(String message, SampleBase sample, Optional<String> pipeline) {
    assertEquals(
        message,
        assertThrows(ReweaveException.class, () -> generate(sample, pipeline)).getMessage());
  }
}
