package dev.reweave.sql;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reweave.checkpoint.AdapterChoice;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.ReweaveException;
import dev.reweave.testing.Locations;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Options of queries that make no sense are refused by a message. */
class SourceOptionsTest {
  private static SourceOptions of(Map<String, String> options) {
    return SourceOptions.of(new CaseInsensitiveStringMap(options));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"null", "[]", "[null]", "[\"a\",null]", "{}", "7", "[", "[[]]", "[{}]", "\"a\""})
  void pathsThatAreNone(String paths) {
    ReweaveException e =
        assertThrows(ReweaveException.class, () -> of(Map.of("paths", paths)), paths);

    assertEquals(
        "not a JSON array of addresses: option paths; give one address as path", e.getMessage());
    assertEquals(ReweaveException.Kind.USAGE, e.kind());
  }

  @ParameterizedTest
  @CsvSource({
    "followLinks, perhaps",
    "weights, ' '",
    "names, clean",
    "part, both",
    "maxMetadataBytes, -1",
    "maxMetadataBytes, NaN",
    "maxMetadataBytes, 99999999999999999999999",
  })
  void valuesThatAreNone(String option, String value) {
    ReweaveException e =
        assertThrows(ReweaveException.class, () -> of(Map.of("path", "a", option, value)), value);

    assertEquals(ReweaveException.Kind.USAGE, e.kind());
  }

  @Test
  void namesArePlainUnlessAskedFor() {
    assertEquals(ReadOptions.Names.PLAIN, of(Map.of("path", "a")).reading().names());
    assertEquals(
        ReadOptions.Names.AS_SAVED, of(Map.of("path", "a", "names", "as-saved")).reading().names());
  }

  @Test
  void allPartsUnlessOneIsAskedFor() {
    assertEquals(Optional.empty(), of(Map.of("path", "a")).reading().adapter().part());
    AdapterChoice asked =
        of(Map.of("path", "a", "part", "ADAPTER", "adapter", "mine", "adapterConfig", "c"))
            .reading()
            .adapter();
    assertEquals(
        new AdapterChoice(
            Optional.of(AdapterChoice.Part.ADAPTER),
            Optional.of("mine"),
            Optional.of("c"),
            AdapterChoice.Merging.APART),
        asked);
  }

  @Test
  void addresses() {
    assertEquals(List.of("a", "b"), of(Map.of("paths", "[\"a\", \"b\"]")).addresses());
    assertEquals(List.of("a"), of(Map.of("PATH", "a")).addresses());
    assertEquals("b", of(Map.of("path", "a/b")).modelName(Locations.of("a/b")));
  }

  @Test
  void addressesWithKeys() {
    for (Map<String, String> options :
        List.of(
            Map.of("path", "s3a://KEY:SEC/RET@bucket/x"),
            Map.of("paths", "[\"a\",\"s3a://KEY:SEC/RET@bucket/x\"]"))) {
      ReweaveException e = assertThrows(ReweaveException.class, () -> of(options));

      assertEquals("s3a://***", e.place());
    }
  }
}
