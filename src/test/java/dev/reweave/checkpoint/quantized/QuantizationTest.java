package dev.reweave.checkpoint.quantized;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which tensors belong to a quantized weight, told by their names and types. */
class QuantizationTest {
  /** Tensors, each as {@code name:TYPE:2x3}. */
  private static List<TensorSpec> tensors(String text) {
    return Arrays.stream(text.split(" "))
        .map(t -> t.split(":"))
        .map(
            t ->
                new TensorSpec(
                    t[0],
                    DType.valueOf(t[1]),
                    t.length < 3
                        ? Shape.SCALAR
                        : Shape.of(
                            Arrays.stream(t[2].split("x")).mapToLong(Long::parseLong).toArray())))
        .toList();
  }

  @ParameterizedTest
  @CsvSource({
    "a.weight:F8_E4M3:8x8, a.weight_scale_inv:F32:1x1",
    "a.weight:F8_E4M3:8x8, a.weight_scale:BF16:8x1",
    "a.weight:F8_E5M2:8x8, a.weight_scale:F16",
    "a.weight:F8_E4M3:8x8, a.scale_weight:F32:1",
    "a.weight:F8_E4M3:8x8, a.scale:F8_E8M0:1x1",
    "a.weight:F8_E4M3:8x8, a.qscale_weight:F32",
    "weight:F8_E4M3:8x8, weight_scale_inv:F32:1x1",
    "e.gate_up_proj:F8_E4M3:2x8x8, e.gate_up_proj_scale_inv:F32:2x1x1",
    "e.gate_up_proj:F8_E4M3:2x8x8, e.gate_up_proj_scale:F32:2x1x8",
    "a.weight:F8_E4M3FNUZ:8x8, a.weight_scale:U8:1x1",
  })
  void scalesHaveTheNamesOfTheirWriters(String weight, String scale) {
    Quantization found = Quantization.of(tensors(weight + " " + scale + " n:BF16:8 b.scale:F32"));
    assertTrue(found.isUnderstood());
    assertEquals(Set.of(scale.substring(0, scale.indexOf(':'))), found.leftOut());
  }

  @Test
  void scalesOfActivationsAndMarkersGoWithThem() {
    Quantization found =
        Quantization.of(
            tensors(
                "a.weight:F8_E4M3:8x8 a.weight_scale:F32 a.input_scale:F32 a.comfy_quant:U8:20"
                    + " model.scaled_fp8:F8_E4M3:2 attn.k_scale:F32 layer.k_scale:F32:8"
                    + " b.input_scale:F32"));
    assertEquals(
        Set.of(
            "a.weight_scale", "a.input_scale", "a.comfy_quant", "model.scaled_fp8", "attn.k_scale"),
        found.leftOut());
    assertEquals(
        List.of(
            "quantized: 1 weight of float8_e4m3fn with scales of the tensor (weight_scale);"
                + " --dtype bfloat16 dequantizes, --dtype keep keeps both as they are"),
        found.notes());
  }

  @Test
  void otherModelsAreNotQuantized() {
    Quantization none =
        Quantization.of(
            tensors(
                "a.weight:BF16:8x8 a.weight_scale:F32 ids:I64:4 bn.num_batches_tracked:I64"
                    + " W_q:F32:8x8 a.k_scale:F32 mask:BOOL:8 codes:U8:8"));
    assertFalse(none.isUnderstood());
    assertEquals(Set.of(), none.leftOut());
  }

  /** What is not known is refused by its name, and not cast as if it had no scale. */
  @ParameterizedTest
  @CsvSource({
    "a.weight:F8_E4M3:8x8, a.w_scale:F32",
    "a.weight:F8_E4M3:8x8, a.scales:F32:1",
    "a.weight:F8_E4M3:8x8, a.weight_scales:F32:1",
    "a.weight:F8_E4M3:8x8, a.weight.scale:F32",
    "a.weight.qdata:F8_E4M3:8x8, a.weight.scale:F32",
    "a.weight._data:F8_E4M3:8x8, a.weight._scale:F32",
    "a.qdata:F8_E4M3:8x8, a.weight.scale:F32",
    "e.w1:F8_E4M3:2x8x8, e.w1_block_scales:F32:2x1x1",
  })
  void scalesOfOtherNamesAreNamed(String weight, String scale) {
    Quantization found = Quantization.of(tensors(weight + " " + scale));

    ReweaveException e = assertThrows(ReweaveException.class, () -> found.require("here"));
    String last = scale.substring(scale.lastIndexOf('.') + 1, scale.indexOf(':'));
    assertTrue(e.problem().contains("float8_e4m3fn with " + last), e.problem());
  }

  @Test
  void scalesOfOtherThingsAreNone() {
    Quantization plain =
        Quantization.of(
            tensors(
                "a.weight:F8_E4M3:8x8 a.input_scale:F32 logit_scale:F32 attn.k_scale:F32"
                    + " a.norm.scale:F32:8 ab.w_scale:F32"));
    assertFalse(plain.isQuantized());
  }

  @Test
  void plainNumbersOf8BitsNeedNoScale() {
    Quantization plain = Quantization.of(tensors("a.weight:F8_E4M3:8x8 b.weight:F8_E5M2:8"));
    assertFalse(plain.isQuantized());
    assertFalse(plain.isNone());
    plain.require("here");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "a.weight:I8:8x8 a.weight_scale:F32:8x1 | int8 with weight_scale (a.weight)",
        "a.weight:I8:8x8 a.SCB:F32:8 | int8 with more than scales (a.weight)",
        "a.qweight:I32:1x8 a.qzeros:I32:1x1 a.scales:F16:1x8"
            + " | GPTQ or AWQ (a.qweight, a.qzeros)",
        "a.weight:U8:32x1 a.weight.absmax:F32:1 | bitsandbytes (a.weight)",
        "e.up_blocks:U8:2x4x16 e.up_scales:U8:2x4 | mxfp4 (e.up_blocks)",
        "a.weight_packed:I32:8x1 a.weight_scale:F32:8x1 a.weight_shape:I64:2"
            + " | packed by compressed-tensors (a.weight_packed)",
        "a.weight:U8:8x4 a.weight_scale:F8_E4M3:8x1 a.weight_scale_2:F32"
            + " | uint8 with more than scales (a.weight)",
        "a.W_q:U8:8x4 | HQQ (a.W_q)",
        "a.weight:F4:8x8 | float4_e2m1fn (a.weight)",
        "a.weight:F8_E4M3:8x8 a.weight_scale:F32:3x1"
            + " | float8_e4m3fn with float32 scales [3, 1] for [8, 8] (a.weight)",
        "a.weight:F8_E4M3:8x8 a.weight_scale:F32 a.scale_weight:F32"
            + " | float8_e4m3fn with several scales: a.weight_scale, a.scale_weight (a.weight)",
        "a.weight:F8_E4M3:8x8 a.weight_scale:F32 a.pre_quant_scale:F32:8"
            + " | float8_e4m3fn with pre_quant_scale (a.weight)",
        "a.weight:F8_E4M3:8x64 a.weight_scale:U8:8x2 a.comfy_quant:U8:9"
            + " | float8_e4m3fn with uint8 scales [8, 2] for [8, 64], in tiles of ComfyUI"
            + " (a.weight)",
        "b.weight_scale_inv:F32:1x1 | scales of a weight that is not here (b.weight_scale_inv)",
      })
  void whatIsNotKnownIsNamed(String text, String named) {
    Quantization found = Quantization.of(tensors(text));
    assertTrue(found.isQuantized());
    ReweaveException e = assertThrows(ReweaveException.class, () -> found.require("here"));
    assertEquals("the weights are quantized in a way that is not undone: " + named, e.problem());
    assertEquals(ReweaveException.Kind.UNSUPPORTED_INPUT, e.kind());
    assertTrue(e.remedy().contains("--dtype keep"), e.remedy());
  }
}
