package dev.reweave.target.base;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reweave.common.ReweaveException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A config of which nothing but the quantization goes. */
class ConfigQuantizationTest {
  private static String dropped(String json) {
    byte[] left = ConfigQuantization.drop(json.getBytes(StandardCharsets.UTF_8), "config.json");
    return new String(left, StandardCharsets.UTF_8);
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      delimiter = '|',
      value = {
        "{'a': 1, 'quantization_config': {'b': [1, {}]}, 'c': 2} | {'a': 1, 'c': 2}",
        "{'quantization_config': {'b': 1}, 'c': 2} | { 'c': 2}",
        "{'a': 1.5 , 'quantization_config': {}} | {'a': 1.5 }",
        "{'quantization_config': {}} | {}",
        "{ 'quantization_config': {} } | { }",
        "{'a': null, 'quantization_config': null} | {'a': null, 'quantization_config': null}",
        "{'t_config': {'x': 'ü', 'quantization_config': {}}, 'b': 1}"
            + " | {'t_config': {'x': 'ü'}, 'b': 1}",
        "{'compression_config': {'quantization_config': {}}, 'b': 1} | { 'b': 1}",
        "{'a': {'quantization_config': {}}} | {'a': {'quantization_config': {}}}",
        "{'a': 'quantization_config'} | {'a': 'quantization_config'}",
      })
  void nothingElseChanges(String config, String left) {
    assertEquals(left.replace('\'', '"'), dropped(config.replace('\'', '"')));
  }

  @Test
  void linesStay() {
    assertEquals(
        "{\n  \"a\": 1,\n  \"z\": 2\n}\n",
        dropped(
            "{\n  \"a\": 1,\n  \"quantization_config\": {\n    \"b\": 1\n  },\n  \"z\": 2\n}\n"));
  }

  @Test
  void damageIsToldOf() {
    assertThrows(ReweaveException.class, () -> dropped("{\"quantization_config\": {"));
  }
}
