package dev.reweave.target.base;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.testing.Fixtures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BaseFolderTest {
  @TempDir Path temp;

  @Test
  void readsAPipeline() throws IOException {
    SampleBase sample = new SampleBase(Fixtures.folder("base_pipeline"));
    BaseFolder base = sample.read();
    assertTrue(base.isPipeline());
    assertEquals(sample.uri(), base.address().uri());
    assertEquals(
        Map.of(
            "scheduler", known("diffusers", "CogVideoXDDIMScheduler"),
            "transformer", known("diffusers", "CogVideoXTransformer3DModel"),
            "vae", known("diffusers", "AutoencoderKLCogVideoX")),
        base.components());
    assertEquals(
        List.of(
            "model_index.json names text_encoder, which is not in the base",
            "model_index.json names tokenizer, which is not in the base"),
        base.notes());
    assertEquals(
        List.of(
            "model_index.json",
            "scheduler/scheduler_config.json",
            "transformer/config.json",
            "transformer/diffusion_pytorch_model.safetensors",
            "vae/config.json",
            "vae/diffusion_pytorch_model.safetensors"),
        List.copyOf(base.files().keySet()));
    assertArrayEquals(
        Files.readAllBytes(sample.folder().resolve("model_index.json")),
        base.content("model_index.json"));
  }

  @Test
  void readsTheFolderOfOneModel() {
    BaseFolder base = new SampleBase(Fixtures.folder("base_pipeline_sharded_transformer")).read();
    assertFalse(base.isPipeline());
    assertEquals(Map.of("", known("diffusers", "CogVideoXTransformer3DModel")), base.components());
    assertEquals(List.of(), base.notes());
  }

  @Test
  void takesTwoFoldersWithConfigsForAPipeline() throws IOException {
    SampleBase sample =
        sample()
            .model("unet", "UNet2DConditionModel", "a")
            .text("text_encoder/config.json", "{'architectures': ['CLIPTextModel']}")
            .text("text_encoder/generation_config.json", "{}")
            .text("loras/notes.json", "{}");
    BaseFolder base = sample.read();
    assertTrue(base.isPipeline());
    assertEquals(
        Map.of(
            "text_encoder", known("transformers", "CLIPTextModel"),
            "unet", known("diffusers", "UNet2DConditionModel")),
        base.components());
  }

  @Test
  void takesAModelWithConfiguredFoldersForAModel() throws IOException {
    SampleBase sample =
        sample()
            .text("config.json", "{'architectures': ['BertModel']}")
            .weights("model.safetensors", "a")
            .text("1_Pooling/config.json", "{}")
            .text("2_Dense/config.json", "{}")
            .text("2_Dense/pytorch_model.bin", "");
    BaseFolder base = sample.read();
    assertFalse(base.isPipeline());
    assertEquals(
        List.of(
            "weights that belong to no component stay those of the base:"
                + " 2_Dense/pytorch_model.bin"),
        base.notes());
  }

  @Test
  void knowsNoClassWhereNoConfigSays() throws IOException {
    BaseFolder base = sample().text("config.json", "{}").weights("model.safetensors", "a").read();
    assertEquals(Map.of("", Optional.empty()), base.components());
  }

  @Test
  void believesTheModelIndexOverTheConfigs() throws IOException {
    BaseFolder base =
        sample()
            .text(
                "model_index.json",
                "{'_class_name': 'P', 'boundary_ratio': 0.9, 'image_encoder': [null, null],"
                    + "'requires': true, 'tokenizer': ['transformers', 'T5TokenizerFast']}")
            .text("tokenizer/tokenizer_config.json", "{'tokenizer_class': 'T5Tokenizer'}")
            .model("transformer", "T", "a")
            .read();
    assertEquals(known("transformers", "T5TokenizerFast"), base.components().get("tokenizer"));
    assertEquals(List.of(), base.notes());
  }

  @Test
  void leavesOutWhatIsNoPartOfTheModel() throws IOException {
    SampleBase sample =
        sample()
            .text("config.json", "{}")
            .weights("model.safetensors", "a")
            .text(".gitattributes", "")
            .text(".git/config", "")
            .text(".cache/huggingface/download/a.lock", "")
            .text(".reweave/run/staged", "")
            .text(".reweave.lock", "")
            .text(".reweave.lock.1", "")
            .text("reweave.json", "{}")
            .text("figures/.git/kept", "");
    assertEquals(
        List.of(".gitattributes", "config.json", "figures/.git/kept", "model.safetensors"),
        List.copyOf(sample.read().files().keySet()));
  }

  @Test
  void followsTheLinksOfADownloadCache() throws IOException {
    SampleBase blobs = new SampleBase(temp.resolve("blobs")).weights("1", "a").text("2", "{}");
    SampleBase sample = sample();
    Files.createDirectories(sample.folder());
    Files.createSymbolicLink(
        sample.folder().resolve("model.safetensors"), blobs.folder().resolve("1"));
    Files.createSymbolicLink(sample.folder().resolve("config.json"), blobs.folder().resolve("2"));
    assertEquals(List.of("a"), List.copyOf(sample.component().tensors().keySet()));
  }

  @Test
  void refusesWhatIsNoFolder() throws IOException {
    SampleBase sample = new SampleBase(temp.resolve("b/model.safetensors"));
    assertRefused(
        sample,
        "no base model is there, as it is not a folder: "
            + sample.uri()
            + "; give the folder of a downloaded model, with its config.json or"
            + " model_index.json");
    new SampleBase(temp.resolve("b")).weights("model.safetensors", "a");
    assertThrows(ReweaveException.class, sample::read);
  }

  @Test
  void refusesAFolderThatIsNoBase() throws IOException {
    SampleBase sample = sample().text("README.md", "").weights("model.safetensors", "a");
    String problem =
        "folder is no base: it has neither a model_index.json, nor two folders with configs, nor"
            + " a config.json or adapter_config.json: "
            + sample.uri()
            + "; name the folder of a pipeline or of one model";
    assertRefused(sample, problem);
    sample.text("snapshots/0a1b/model_index.json", "{}");
    assertRefused(sample, problem + ", such as its folder snapshots/0a1b");
  }

  @Test
  void refusesABaseWithoutSafetensors() throws IOException {
    SampleBase sample =
        sample().text("config.json", "{}").text("pytorch_model.bin", "").text("README.md", "");
    assertRefused(
        sample,
        "base has its weights as pytorch_model.bin and not as safetensors: "
            + sample.uri()
            + "; convert that folder to safetensors first, or take the revision of it that has"
            + " them");
    SampleBase bare = new SampleBase(temp.resolve("bare")).text("model_index.json", "{}");
    assertRefused(
        bare,
        "base has no weights, which say how tensors are called and shaped: "
            + bare.uri()
            + "; download the whole model, with its .safetensors files");
  }

  @Test
  void refusesConfigsThatAreNotSound() throws IOException {
    SampleBase sample = sample().weights("model.safetensors", "a");
    String remedy =
        ": " + sample.uri() + "/config.json; copy the file again from its source, or correct it";
    sample.text("config.json", "{'a': 1, 'a': 2}");
    assertRefused(sample, "config is not sound JSON (Duplicate field 'a')" + remedy);
    sample.text("config.json", "[]");
    assertRefused(sample, "config is not a JSON object" + remedy);
    sample.text("config.json", "");
    assertRefused(sample, "config is not a JSON object" + remedy);
    sample.bytes("config.json", new byte[] {'{', '"', (byte) 0xff, '"', ':', '1', '}'});
    assertRefused(sample, "text is not valid UTF-8" + remedy);
    for (String broken : List.of("{", "{} {}", "\ufeff{}", "{a: 1}")) {
      sample.text("config.json", broken);
      String message = assertThrows(ReweaveException.class, sample::read).getMessage();
      assertTrue(message.startsWith("config is not sound JSON ("), message);
      assertTrue(message.endsWith(remedy), message);
    }
    sample.text("config.json", "{'a': [" + "[".repeat(200));
    assertRefused(sample, "config is nested too deep or has too long a number" + remedy);
    sample.bytes("config.json", new byte[ConfigJson.MAX_BYTES + 1]);
    String message = assertThrows(ReweaveException.class, sample::read).getMessage();
    assertTrue(message.startsWith("file of 16777217 bytes where at most 16777216"), message);
  }

  @Test
  void takesTheNumbersThatPythonWrites() throws IOException {
    sample()
        .text("config.json", "{'time_step_limit': [0.0, Infinity], 'x': NaN, 'y': -Infinity}")
        .weights("model.safetensors", "a")
        .read();
  }

  private SampleBase sample() {
    return new SampleBase(temp.resolve("base"));
  }

  private static Optional<LibraryClass> known(String library, String name) {
    return Optional.of(new LibraryClass(library, name));
  }

  private static void assertRefused(SampleBase sample, String message) {
    assertEquals(message, assertThrows(ReweaveException.class, sample::read).getMessage());
  }
}
