package dev.reweave.plan.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which files beside a result are loaded in its place. */
class StraysTest {
  private static final List<String> SHARDS =
      List.of(
          "model-00001-of-00002.safetensors",
          "model-00002-of-00002.safetensors",
          "model.safetensors.index.json",
          "config.json",
          "reweave.json");

  @ParameterizedTest
  @ValueSource(
      strings = {
        "model.safetensors",
        "model.fp16.safetensors",
        "model-00001-of-00003.safetensors",
        "model.fp16-00001-of-00002.safetensors",
        "model-00001-of-00002.fp16.safetensors",
        "model.safetensors.index.fp16.json",
        "pytorch_model.bin",
        "pytorch_model-00001-of-00002.bin",
        "pytorch_model.bin.index.json",
        "pytorch_model.bin.index.fp16.json",
        "diffusion_pytorch_model.safetensors",
        "diffusion_pytorch_model.safetensors.index.json",
        "diffusion_pytorch_model.bin",
        "adapter_config.json",
        "adapter_model.safetensors",
        "adapter_model.bin"
      })
  void whatLoadersTake(String stray) {
    assertEquals(List.of(stray), Strays.among(List.of("config.json", stray), SHARDS));
    assertEquals(
        List.of("vae/" + stray),
        Strays.among(
            List.of("vae/" + stray, "other/" + stray),
            List.of("vae/diffusion_pytorch_model.bf16.safetensors", "model_index.json")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "model-00001-of-00002.safetensors",
        "config.json",
        "generation_config.json",
        "tokenizer.model",
        "optimizer.safetensors",
        "pytorch_lora_weights.safetensors",
        "model_notes.txt",
        "model.safetensors.md5",
        "training_args.bin",
        "scheduler/model.safetensors",
        "models.safetensors",
        "my-model.safetensors"
      })
  void whatTheyDoNot(String file) {
    assertEquals(List.of(), Strays.among(List.of(file), SHARDS));
  }

  @Test
  void namesThatSomebodyChose() {
    List<String> made = List.of("net-00001-of-00002.safetensors", "net-00002-of-00002.safetensors");

    assertEquals(
        List.of("net.safetensors", "model.safetensors"),
        Strays.among(List.of("net.safetensors", "model.safetensors", "nets.safetensors"), made));
    assertEquals(
        List.of("nets.safetensors"),
        Strays.others(List.of("net.safetensors", "nets.safetensors", "a/x.safetensors"), made));
  }

  /** What belongs to an adapter is no stray beside it, and it lies on top of any model. */
  @Test
  void besideAnAdapter() {
    assertEquals(
        List.of("adapter_model.bin"),
        Strays.among(
            List.of("adapter_config.json", "adapter_model.bin", "model.safetensors"),
            List.of("adapter_model.safetensors")));
  }
}
