package dev.reweave.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ByteSizeTest {
  @Test
  void readsAsTheHubDoes() throws IOException {
    JsonNode sizes =
        new ObjectMapper()
            .readTree(ByteSizeTest.class.getResourceAsStream("/safetensors/sizes.json"));
    for (var size : sizes.properties()) {
      assertEquals(size.getValue().longValue(), ByteSize.parse(size.getKey()), size.getKey());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "5GB, 5000000000",
    "1.5MB, 1500000",
    "500 KB, 500000",
    "2tb, 2000000000000",
    "' 7. Kb ', 7000",
    ".5KB, 500",
    "0.0019KB, 1",
    "100, 100",
    "100B, 100",
    "100 b, 100",
    "9223372036854775807, 9223372036854775807",
  })
  void reads(String text, long bytes) {
    assertEquals(bytes, ByteSize.parse(text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "GB",
        "0",
        "0GB",
        "0.0001KB",
        "-1GB",
        "1.5",
        "1.5B",
        "5GiB",
        "5G",
        "1e3KB",
        "5GB5",
        "NaNGB",
        "infGB",
        "1_000KB",
        "9223372036854775808",
        "9223373TB",
        "5 G B",
        "0x10",
        "1dKB"
      })
  void refuses(String text) {
    assertEquals(
        "'"
            + text
            + "' is not a size: give a number above 0 with KB, MB, GB or TB"
            + " (powers of 1000), such as 5GB, or whole bytes, such as 500 or 500B",
        assertThrows(IllegalArgumentException.class, () -> ByteSize.parse(text)).getMessage());
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0 B",
    "12, 12 B",
    "999, 999 B",
    "1000, 1 KB",
    "1949, 1.9 KB",
    "99949, 99.9 KB",
    "99950, 100 KB",
    "980000000, 980 MB",
    "999499999, 999 MB",
    "999500000, 1 GB",
    "1234567890, 1.2 GB",
    "5000000000, 5 GB",
    "13476839424, 13.5 GB",
    "1200000000000000, 1200 TB",
  })
  void showsAboutSoMany(long bytes, String text) {
    assertEquals(text, ByteSize.format(bytes));
  }

  @Test
  void showsNoNegativeSize() {
    assertThrows(IllegalArgumentException.class, () -> ByteSize.format(-1));
  }
}
