package dev.reweave.format.safetensors;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reweave.common.ReweaveException;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsIndexTest {
  private static final String PLACE = "mem:/m.safetensors.index.json";
  private static final String REMEDY = "copy the index again from its source, or correct it";

  @Test
  void writesAsPython() throws IOException {
    Map<String, String> weights = new HashMap<>();
    for (int i = 0; i < Samples.NAMES.size(); i++) {
      weights.put(Samples.NAMES.get(i), "model-%05d-of-00003.safetensors".formatted(i % 3 + 1));
    }
    Map<String, String> dropped = Map.of("z😀", "a", "lm_head", "embed", "\ue000", "a");
    byte[] expected = Samples.bytes("names.index.json");

    SafetensorsIndex index = new SafetensorsIndex(dropped, 123456789012L, weights);
    assertEquals(new String(expected, UTF_8), new String(index.bytes(), UTF_8));
    assertArrayEquals(expected, index.bytes());

    SafetensorsIndex read = SafetensorsIndex.parse(expected, PLACE);
    assertEquals(weights, read.weightMap());
    assertEquals(dropped, read.droppedNames());
    assertEquals(OptionalLong.of(123456789012L), read.totalSize());
    assertArrayEquals(expected, read.bytes());
  }

  @Test
  void writesNothingAsPython() throws IOException {
    byte[] expected = Samples.bytes("bare.index.json");
    assertArrayEquals(expected, new SafetensorsIndex(Map.of(), 0, Map.of()).bytes());
  }

  @Test
  void passesOverWhatItNeedNotKnow() {
    SafetensorsIndex index =
        parse(
            " {'x':[{}],'weight_map':{'b':'s.safetensors','a':'s.safetensors'},"
                + "'metadata':{'format':'pt','n':1.5,'o':{'total_size':2}}}\n");
    assertEquals(List.of("a", "b"), List.copyOf(index.weightMap().keySet()));
    assertEquals(Map.of("format", "pt"), index.droppedNames());
    assertEquals(OptionalLong.empty(), index.totalSize());
  }

  @Test
  void needsNoMetadata() {
    assertEquals(Map.of("a", "s"), parse("{'weight_map':{'a':'s'}}").weightMap());
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      delimiter = '|',
      value = {
        "[] | the index is not an object",
        "`` | the index is not an object",
        "{} | index has no weight_map",
        "{'weight_map':null} | weight_map is not an object",
        "{'weight_map':{'a':1}} | shard of tensor 'a' is not a string",
        "{'weight_map':{'a':'s','a':'s'}} | key 'a' is twice in weight_map",
        "{'weight_map':{},'weight_map':{}} | key 'weight_map' is twice in the index",
        "{'weight_map':{},'metadata':{'x':'1','x':'1'}} | key 'x' is twice in metadata",
        "{'weight_map':{},'metadata':[]} | metadata is not an object",
        "{'weight_map':{},'metadata':{'total_size':'5'}}"
            + " | total_size is not a whole number of at least 0",
        "{'weight_map':{},'metadata':{'total_size':5.0}}"
            + " | total_size is not a whole number of at least 0",
        "{'weight_map':{},'metadata':{'total_size':-5}}"
            + " | total_size is not a whole number of at least 0",
        "{'weight_map':{},'metadata':{'total_size':9223372036854775808}}"
            + " | total_size is too large a number",
        "{'weight_map':{'\\ud83d':'s'}} | text has half a surrogate pair",
        "{'weight_map':{}}x | text is not valid JSON near character 17",
        "{'weight_map':{}} {} | text after the end of the JSON",
        "{'weight_map':{} | text is not valid JSON near character 16",
      })
  void refusesWhatIsNoIndex(String json, String problem) {
    assertRefused(problem, json.replace('\'', '"').getBytes(UTF_8));
  }

  @Test
  void refusesWhatIsNotUtf8() {
    assertRefused(
        "text is not valid UTF-8", "{\"weight_map\":{\"\u00ff\":\"s\"}}".getBytes(ISO_8859_1));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", ".", "..", "../s", "a/s", "/s", "a\\s", "s..t", "s3:s", "s\0", "s\n", "C:s"})
  void refusesShardsElsewhere(String shard) {
    String escaped = shard.replace("\\", "\\\\").replace("\0", "\\u0000").replace("\n", "\\n");
    assertRefused(
        "shard of tensor 'a', '"
            + shard.replace("\0", "\\u0000").replace("\n", "\\n")
            + "', is not a plain file name",
        ("{\"weight_map\":{\"a\":\"" + escaped + "\"}}").getBytes(UTF_8));
  }

  @Test
  void refusesADroppedNameThatHidesTheSize() {
    ReweaveException e =
        assertThrows(
            ReweaveException.class,
            () -> new SafetensorsIndex(Map.of("total_size", "a"), 4, Map.of("a", "s")));
    assertEquals(
        "name of a dropped tensor means something else in the index: tensor 'total_size';"
            + " rename the tensor with a mapping",
        e.getMessage());
    assertThrows(
        IllegalArgumentException.class, () -> new SafetensorsIndex(Map.of(), -1, Map.of()));
  }

  private static void assertRefused(String problem, byte[] json) {
    ReweaveException e =
        assertThrows(ReweaveException.class, () -> SafetensorsIndex.parse(json, PLACE));
    assertEquals(problem + ": " + PLACE + "; " + REMEDY, e.getMessage());
  }

  private static SafetensorsIndex parse(String json) {
    return SafetensorsIndex.parse(json.replace('\'', '"').getBytes(UTF_8), PLACE);
  }
}
