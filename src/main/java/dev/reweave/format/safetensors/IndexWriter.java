package dev.reweave.format.safetensors;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.PrettyPrinter;
import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.io.CharacterEscapes;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import com.fasterxml.jackson.core.util.Separators.Spacing;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.TreeMap;

/** Writes an index as Python's {@code json.dumps(…, indent=2, sort_keys=True)} does. */
final class IndexWriter {
  static final String METADATA = "metadata";
  static final String TOTAL_SIZE = "total_size";
  static final String WEIGHT_MAP = "weight_map";

  private static final JsonFactory FACTORY =
      new JsonFactoryBuilder()
          .characterEscapes(new EscapedDelete())
          .enable(JsonWriteFeature.ESCAPE_NON_ASCII)
          .disable(JsonWriteFeature.WRITE_HEX_UPPER_CASE)
          .build();

  private IndexWriter() {}

  static byte[] write(SafetensorsIndex index) {
    Map<String, Object> metadata = new TreeMap<>(CodePointOrder.INSTANCE);
    metadata.putAll(index.droppedNames());
    index.totalSize().ifPresent(size -> metadata.put(TOTAL_SIZE, size));

    StringWriter text = new StringWriter();
    try (JsonGenerator json = FACTORY.createGenerator(text)) {
      json.setPrettyPrinter(pythonIndent());
      json.writeStartObject();
      write(METADATA, metadata, json);
      write(WEIGHT_MAP, index.weightMap(), json);
      json.writeEndObject();
      json.writeRaw('\n');
    } catch (IOException e) {
      throw new UncheckedIOException(e); // it goes to memory
    }
    return text.toString().getBytes(US_ASCII);
  }

  private static void write(String key, Map<String, ?> members, JsonGenerator json)
      throws IOException {
    json.writeObjectFieldStart(key);
    for (Map.Entry<String, ?> member : members.entrySet()) {
      json.writeObjectField(member.getKey(), member.getValue());
    }
    json.writeEndObject();
  }

  private static PrettyPrinter pythonIndent() {
    Separators separators =
        Separators.createDefaultInstance()
            .withObjectFieldValueSpacing(Spacing.AFTER)
            .withObjectEmptySeparator("");
    return new DefaultPrettyPrinter(separators).withObjectIndenter(new DefaultIndenter("  ", "\n"));
  }

  /** JSON's own escapes, and DEL, which Python does not count as ASCII to be left alone. */
  private static final class EscapedDelete extends CharacterEscapes {
    private static final long serialVersionUID = 1L;

    private final int[] escapes = standardAsciiEscapesForJSON();

    EscapedDelete() {
      escapes[0x7f] = ESCAPE_STANDARD;
    }

    @Override
    public int[] getEscapeCodesForAscii() {
      return escapes;
    }

    @Override
    public SerializableString getEscapeSequence(int c) {
      throw new IllegalStateException("no escapes of our own");
    }
  }
}
