package dev.reweave.target.base;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigAverageTest {
  private static String left(String json) {
    byte[] left = ConfigAverage.drop(json.getBytes(StandardCharsets.UTF_8), "config.json");
    return new String(left, StandardCharsets.UTF_8);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"a\": 1, \"decay\": 0.9, \"inv_gamma\": 1.0, \"optimization_step\": 3, \"b\": [1],"
            + " \"update_after_step\": 0, \"use_ema_warmup\": false} | {\"a\": 1, \"b\": [1]}",
        "{\"decay\": 0.9, \"optimization_step\": 3, \"update_after_step\": 0,"
            + " \"use_ema_warmup\": true, \"power\": 0.6, \"b\": 1} | { \"b\": 1}",
        "{\"decay\":1,\"optimization_step\":3,\"update_after_step\":0,\"use_ema_warmup\":true}"
            + " | {}",
        "{\"x_config\": {\"decay\": 2}, \"decay\": 1, \"optimization_step\": 3,"
            + " \"update_after_step\": 0, \"use_ema_warmup\": true}"
            + " | {\"x_config\": {\"decay\": 2}}",
        "{\"decay\": 0.9, \"power\": 2} | {\"decay\": 0.9, \"power\": 2}"
      })
  void numbersOfTheAverageGo(String config, String left) {
    assertEquals(left, left(config));
  }
}
