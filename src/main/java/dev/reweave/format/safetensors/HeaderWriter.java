package dev.reweave.format.safetensors;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import dev.reweave.format.safetensors.SafetensorsHeader.Entry;
import dev.reweave.tensor.TensorSpec;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Writes a header as serde_json does: compact, and nothing escaped that need not be. */
final class HeaderWriter {
  private static final JsonFactory FACTORY =
      JsonFactory.builder().disable(JsonWriteFeature.WRITE_HEX_UPPER_CASE).build();

  private static final String FIRST_KEY = "format";

  private HeaderWriter() {}

  static Map<String, String> ordered(Map<String, String> metadata) {
    Map<String, String> sorted = new TreeMap<>(CodePointOrder.INSTANCE);
    sorted.putAll(metadata);
    Map<String, String> ordered = new LinkedHashMap<>();
    if (sorted.containsKey(FIRST_KEY)) {
      ordered.put(FIRST_KEY, sorted.remove(FIRST_KEY));
    }
    ordered.putAll(sorted);
    return ordered;
  }

  static byte[] write(List<Entry> entries, Map<String, String> metadata) {
    check(entries, metadata);
    // By way of a writer: straight to bytes, Jackson escapes what is beyond U+FFFF.
    StringWriter text = new StringWriter();
    try (JsonGenerator json = FACTORY.createGenerator(text)) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeObjectFieldStart(SafetensorsHeader.METADATA_KEY);
        for (Map.Entry<String, String> entry : metadata.entrySet()) {
          json.writeStringField(entry.getKey(), entry.getValue());
        }
        json.writeEndObject();
      }
      for (Entry entry : entries) {
        write(entry, json);
      }
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e); // it goes to memory
    }
    return framed(text.toString().getBytes(UTF_8), entries.size());
  }

  private static void write(Entry entry, JsonGenerator json) throws IOException {
    TensorSpec spec = entry.spec();
    json.writeObjectFieldStart(spec.name());
    json.writeStringField("dtype", spec.dtype().name());
    json.writeFieldName("shape");
    json.writeArray(spec.shape().dims(), 0, spec.shape().rank());
    json.writeFieldName("data_offsets");
    json.writeArray(new long[] {entry.begin(), entry.end()}, 0, 2);
    json.writeEndObject();
  }

  private static byte[] framed(byte[] json, int tensors) {
    int padded = Math.addExact(json.length, 7) / 8 * 8;
    if (padded > SafetensorsHeader.MAX_JSON_BYTES) {
      throw SafetensorsFailures.writtenHeaderTooLong(padded, tensors);
    }
    ByteBuffer bytes = ByteBuffer.allocate(SafetensorsHeader.LENGTH_BYTES + padded);
    Arrays.fill(bytes.array(), (byte) ' ');
    bytes.order(ByteOrder.LITTLE_ENDIAN).putLong(padded).put(json);
    return bytes.array();
  }

  private static void check(List<Entry> entries, Map<String, String> metadata) {
    Set<String> names = new HashSet<>();
    for (Entry entry : entries) {
      String name = entry.spec().name();
      if (name.equals(SafetensorsHeader.METADATA_KEY)) {
        throw SafetensorsFailures.nameMeansMetadata(name);
      }
      if (!StrictJson.isUnicode(name)) {
        throw SafetensorsFailures.nameNotUnicode(name);
      }
      if (!names.add(name)) {
        throw new IllegalArgumentException("two tensors of the name " + name);
      }
    }
    metadata.forEach(
        (key, value) -> {
          if (!StrictJson.isUnicode(key) || !StrictJson.isUnicode(value)) {
            throw new IllegalArgumentException("metadata " + key + " has half a surrogate pair");
          }
        });
  }
}
