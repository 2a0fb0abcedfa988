package dev.reweave.target.base;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reweave.common.ReweaveException;
import dev.reweave.testing.Fixtures;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ComponentChoiceTest {
  private static final Optional<String> NONE = Optional.empty();

  @TempDir Path temp;
  private SampleBase sample;

  @BeforeEach
  void writePipeline() throws IOException {
    sample =
        new SampleBase(temp.resolve("base"))
            .text("model_index.json", "{}")
            .text("scheduler/scheduler_config.json", "{}")
            .model("text_encoder", "T5EncoderModel", "embed", "shared")
            .model("vae", "AutoencoderKL", "conv_in", "conv_out", "shared");
  }

  @Test
  void takesTheOneThatIsNamed() {
    BaseFolder base = sample.read();
    assertEquals("vae", choose(base, Optional.of("vae"), Optional.of("text_encoder"), "embed"));
    assertEquals("vae", choose(base, NONE, Optional.of("vae"), "embed"));
  }

  @Test
  void refusesOneThatIsNotThere() {
    BaseFolder base = sample.read();
    assertRefused(
        "base has no such component: --component unet;"
            + " name one of text_encoder, vae with --component",
        base,
        Optional.of("unet"),
        NONE);
    assertRefused(
        "base has no such component: component transformer of the mapping;"
            + " name one of text_encoder, vae with --component",
        base,
        NONE,
        Optional.of("transformer"));
  }

  @Test
  void takesTheOneWhoseNamesMatchBest() {
    assertEquals("vae", choose(sample.read(), NONE, NONE, "conv_in", "shared", "other"));
    assertEquals("text_encoder", choose(sample.read(), NONE, NONE, "embed"));
  }

  @Test
  void matchesNamesInWhateverVariantThereIs() throws IOException {
    sample
        .text("unet/config.json", "{}")
        .weights("unet/diffusion_pytorch_model.fp16.safetensors", "down", "up")
        .weights("unet/diffusion_pytorch_model.bf16.safetensors", "down", "up");
    Component component =
        sample.read().component(NONE, NONE, List.of("down", "up"), Optional.of("bf16"));
    assertEquals("unet", component.folder());
    assertEquals(Optional.of("bf16"), component.names().variant());
  }

  @Test
  void fallsBackOnTheUsualOnes() throws IOException {
    sample.model("unet", "UNet2DConditionModel", "down");
    assertEquals("unet", choose(sample.read(), NONE, NONE, "module.down"));
    sample.model("transformer", "FluxTransformer2DModel", "blocks");
    assertEquals("transformer", choose(sample.read(), NONE, NONE, "module.down"));
  }

  @Test
  void saysThatAnotherWouldDoAsWell() throws IOException {
    sample
        .model("transformer", "WanTransformer3DModel", "blocks")
        .model("transformer_2", "WanTransformer3DModel", "blocks");
    Component component = sample.component("blocks");
    assertEquals("transformer", component.folder());
    assertEquals(
        List.of(
            "tensors are called alike in transformer_2 and in transformer, which was taken;"
                + " --component names another"),
        component.notes());
  }

  @Test
  void refusesToGuess() {
    BaseFolder base = sample.read();
    String message =
        "the tensors' names do not tell which component of the base they are for: "
            + base.address()
            + "; name one of text_encoder, vae with --component";
    for (List<String> names : List.of(List.of("other"), List.of("shared"), List.<String>of())) {
      ReweaveException e =
          assertThrows(ReweaveException.class, () -> base.component(NONE, NONE, names, NONE));
      assertEquals(message, e.getMessage());
    }
  }

  @Test
  void takesTheOnlyOne() throws IOException {
    SampleBase one =
        new SampleBase(temp.resolve("one"))
            .text("model_index.json", "{}")
            .text("scheduler/scheduler_config.json", "{}")
            .model("prior", "PriorTransformer", "a");
    assertEquals("prior", choose(one.read(), NONE, NONE, "other"));
  }

  @Test
  void needsNoChoiceInTheFolderOfOneModel() {
    BaseFolder base = new SampleBase(Fixtures.folder("base_pipeline_sharded_transformer")).read();
    assertEquals("", choose(base, NONE, Optional.of("transformer"), "other"));
    assertRefused(
        "base is the folder of one model and has no components: --component transformer;"
            + " leave --component out, or name the folder of the whole pipeline as the base",
        base,
        Optional.of("transformer"),
        NONE);
  }

  /** The library that has written the config finds them, as its {@code save_pretrained} does. */
  @ParameterizedTest
  @CsvSource({
    "{'_class_name':'FluxTransformer2DModel'; '_diffusers_version':'0.36.0'}, config.json,"
        + " diffusion_pytorch_model",
    "{'_class_name':'Net'}, config.json, model",
    "{'architectures':['LlamaForCausalLM']}, config.json, model",
    "{'peft_type':'LORA'}, adapter_config.json, adapter_model",
  })
  void callsWeightsWhereThereAreNoneAsTheirLibraryDoes(String config, String file, String stem)
      throws IOException {
    SampleBase bare = new SampleBase(temp.resolve("bare")).text(file, config.replace(';', ','));

    assertEquals(stem + ".safetensors", bare.component("any").names().single());
  }

  @Test
  void refusesComponentsWithoutSafetensors() throws IOException {
    sample.text("unet/config.json", "{}").text("unet/diffusion_pytorch_model.bin", "");
    BaseFolder base = sample.read();
    String remedy =
        "; convert it to safetensors first, take the revision of the base that has them, or name"
            + " another with --component";
    assertRefused(
        "component of the base has its weights as diffusion_pytorch_model.bin and not as"
            + " safetensors: "
            + base.address()
            + "/unet"
            + remedy,
        base,
        Optional.of("unet"),
        NONE);
    assertRefused(
        "component of the base has no weights: " + base.address() + "/scheduler" + remedy,
        base,
        Optional.of("scheduler"),
        NONE);
    BaseFolder elsewhere =
        new SampleBase(temp.resolve("elsewhere"))
            .text("model_index.json", "{}")
            .weights("flux1-dev.safetensors", "a")
            .read();
    assertRefused(
        "none of the base's components has safetensors: "
            + elsewhere.address()
            + "; download the weights of the component that the result is for",
        elsewhere,
        NONE,
        NONE);
  }

  private static String choose(
      BaseFolder base, Optional<String> wanted, Optional<String> mapped, String... names) {
    return base.component(wanted, mapped, List.of(names), NONE).folder();
  }

  private static void assertRefused(
      String message, BaseFolder base, Optional<String> wanted, Optional<String> mapped) {
    ReweaveException e =
        assertThrows(
            ReweaveException.class, () -> base.component(wanted, mapped, List.of("a"), NONE));
    assertEquals(message, e.getMessage());
  }
}
