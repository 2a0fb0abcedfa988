package dev.reweave.target.base;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.DType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigDtypeTest {
  private static final String PLACE = "mem:/config.json";

  @ParameterizedTest
  @CsvSource({
    "float32, BF16, bfloat16",
    "bfloat16, F32, float32",
    "float16, F64, float64",
    "torch.float32, F16, torch.float16",
    "float16, F16, float16",
    "float32, F8_E4M3, float32",
    "auto, BF16, auto",
    "float8_e4m3fn, BF16, float8_e4m3fn",
  })
  void followsTheWeights(String before, DType dtype, String after) {
    String json = "{\"a\": 1, \"torch_dtype\": \"%s\",\"dtype\":\"%s\"}";
    assertEquals(json.formatted(after, after), follow(json.formatted(before, before), dtype));
  }

  @Test
  void changesNestedConfigsAndNothingElse() {
    String json =
        """
        {
          "text_config" : {"dtype": "%1$s", "x": [{"dtype": "float32"}], "é😀": "\\u00e9"},\r
        \t"vision_config":{ "torch_dtype":   "torch.%1$s" , "deep_config": {"dtype":"%1$s"}},
          "quantization_config": {"dtype": "float32", "weights_config": {"dtype": "float32"}},
          "other": {"dtype": "float32", "a_config": {"dtype": "float32"}},
          "dtypes": "float32", "text": "\\"dtype\\": \\"float32\\"", "n": -1.50E+3, "i": Infinity,
          "torch_dtype": null, "list_config": ["dtype", "float32"],
          "dtype": "%1$s"}

        """;
    assertEquals(json.formatted("bfloat16"), follow(json.formatted("float32"), DType.BF16));
  }

  @Test
  void findsPlacesInLongConfigs() {
    String json = "{\"pad\": \"" + "é".repeat(100_000) + "\", \"torch_dtype\": \"%s\"}";
    assertEquals(json.formatted("float16"), follow(json.formatted("float32"), DType.F16));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        " {\"a\" : [1,2]}\n",
        "{\"dtype\": {\"dtype\": \"float32\"}}",
        "{\"dtype\": \"float3\\u0032\"}",
        "[{\"dtype\": \"float32\"}]"
      })
  void leavesTheRest(String json) {
    assertArrayEquals(
        json.getBytes(UTF_8), ConfigDtype.follow(json.getBytes(UTF_8), DType.BF16, PLACE));
  }

  @ParameterizedTest
  @ValueSource(strings = {"{", "{\"dtype\": \"float32\", \"dtype\": \"float32\"}", "{'a': 1}"})
  void refusesWhatIsNotSound(String json) {
    assertThrows(ReweaveException.class, () -> follow(json, DType.BF16));
  }

  private static String follow(String json, DType dtype) {
    return new String(ConfigDtype.follow(json.getBytes(UTF_8), dtype, PLACE), UTF_8);
  }
}
