package dev.reweave.target.base;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.target.base.WeightFile.Role;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class WeightNamesTest {
  @Test
  void namesFilesAsDiffusers() {
    WeightNames names = WeightNames.of("diffusion_pytorch_model", Optional.empty());
    assertEquals("diffusion_pytorch_model.safetensors", names.single());
    assertEquals("diffusion_pytorch_model-00001-of-00002.safetensors", names.shard(1, 2));
    assertEquals("diffusion_pytorch_model.safetensors.index.json", names.index());
    assertEquals("diffusion_pytorch_model.bin", names.asBin().single());
    assertEquals("diffusion_pytorch_model.bin.index.json", names.asBin().index());
  }

  @Test
  void namesVariantsAsDiffusers() {
    WeightNames names = WeightNames.of("diffusion_pytorch_model", Optional.of("fp16"));
    assertEquals("diffusion_pytorch_model.fp16.safetensors", names.single());
    assertEquals("diffusion_pytorch_model.fp16-00003-of-00012.safetensors", names.shard(3, 12));
    assertEquals("diffusion_pytorch_model.safetensors.index.fp16.json", names.index());
    assertEquals("diffusion_pytorch_model.fp16-00003-of-00012.bin", names.asBin().shard(3, 12));
    assertEquals("diffusion_pytorch_model.bin.index.fp16.json", names.asBin().index());
  }

  @Test
  void namesFilesAsTransformers() {
    WeightNames names = WeightNames.of("model", Optional.empty());
    assertEquals("model-00001-of-00001.safetensors", names.shard(1, 1));
    assertEquals("pytorch_model.bin", names.asBin().single());
    assertEquals("pytorch_model-00001-of-00001.bin", names.asBin().shard(1, 1));
    assertEquals("pytorch_model.bin.index.json", names.asBin().index());
  }

  @Test
  void refusesNumbersAndVariantsThatNoFileHas() {
    WeightNames names = WeightNames.of("model", Optional.empty());
    assertThrows(IllegalArgumentException.class, () -> names.shard(0, 2));
    assertThrows(IllegalArgumentException.class, () -> names.shard(3, 2));
    assertThrows(IllegalArgumentException.class, () -> WeightNames.of("", Optional.empty()));
    ReweaveException e =
        assertThrows(ReweaveException.class, () -> WeightNames.of("model", Optional.of("../fp16")));
    assertEquals(
        "not the name of a variant: --variant ../fp16;"
            + " name one of letters, digits, '_' and '-', such as fp16",
        e.getMessage());
  }

  @ParameterizedTest
  @CsvSource({
    "model.safetensors, model, , SINGLE",
    "model.fp16.safetensors, model, fp16, SINGLE",
    "model-00001-of-00002.safetensors, model, , SHARD",
    "model.fp16-00001-of-00002.safetensors, model, fp16, SHARD",
    "model-00001-of-00002.fp16.safetensors, model, fp16, SHARD",
    "model.safetensors.index.json, model, , INDEX",
    "model.safetensors.index.fp16.json, model, fp16, INDEX",
    "model.safetensors.fp16.index.json, model, fp16, INDEX",
    "diffusion_pytorch_model.non_ema.safetensors, diffusion_pytorch_model, non_ema, SINGLE",
    "wan2.1_t2v_1.3B.safetensors, wan2.1_t2v_1.3B, , SINGLE",
    "wan2.1-00001-of-00002.safetensors, wan2.1, , SHARD",
  })
  void readsNames(String name, String stem, String variant, Role role) {
    WeightFile file = WeightFile.parse(name).orElseThrow();
    assertEquals(WeightNames.of(stem, Optional.ofNullable(variant)), file.names());
    assertEquals(role, file.role());
    assertTrue(WeightFile.isWeights(name));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "pytorch_model.bin",
        "pytorch_model.bin.index.json",
        "pytorch_model.bin.index.fp16.json",
        "diffusion_pytorch_model.fp16-00001-of-00002.bin",
        "consolidated.00.pth",
        "ema.pt",
        "v1-5.ckpt",
        "flax_model.msgpack",
        "flax_model.msgpack.index.json",
        "tf_model.h5",
        "rust_model.ot",
        "model.onnx",
        "model.onnx_data",
        "q4.gguf"
      })
  void knowsOtherWeights(String name) {
    assertTrue(WeightFile.isWeights(name));
    assertEquals(Optional.empty(), WeightFile.parse(name));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "config.json",
        "model_index.json",
        "tokenizer.json",
        "spiece.model",
        ".safetensors",
        "vocab.txt",
        "README.md"
      })
  void leavesWhatIsNoWeights(String name) {
    assertFalse(WeightFile.isWeights(name));
    assertEquals(Optional.empty(), WeightFile.parse(name));
  }
}
