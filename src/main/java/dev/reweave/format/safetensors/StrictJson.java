package dev.reweave.format.safetensors;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonParser.NumberType;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import dev.reweave.common.JsonReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.HashSet;
import java.util.Set;

/**
 * Walks one JSON document of an untrusted file: strict UTF-8, every key once, no numbers but whole
 * ones, nothing after the document. What is refused is reported with the place and remedy given.
 */
final class StrictJson {
  /** Reads the value that comes next, whole. */
  interface Value {
    void read() throws IOException;
  }

  /** Reads the value of a member, whole. */
  interface Member {
    void read(String key) throws IOException;
  }

  /** Reads a whole document. */
  interface Document {
    void read(StrictJson json) throws IOException;
  }

  /** Bytes of what is kept of one token, about: of a tensor's entry, fifteen of them. */
  private static final int TOKEN_BYTES = 40;

  // Names and strings are bounded by the length of the document, which the caller has checked.
  // Interning and canonicalizing names would only fill tables with what a file brings.
  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
          .streamReadConstraints(
              JsonReader.limits(JsonReader.MOST_DEPTH, TOKEN_BYTES)
                  .maxNameLength(Integer.MAX_VALUE)
                  .maxStringLength(Integer.MAX_VALUE)
                  .build())
          .build();

  private static final int SHOWN_CHARS = 200;

  /**
   * Whose JSON it is, for messages.
   *
   * @param place the file
   * @param remedy what to do where it is broken
   */
  record Source(String place, String remedy) {}

  private final JsonParser parser;
  private final Source source;

  private StrictJson(JsonParser parser, Source source) {
    this.parser = parser;
    this.source = source;
  }

  /** Walks the document in {@code json}, which is on the heap. */
  static void read(ByteBuffer json, String place, String remedy, Document document) {
    Source source = new Source(place, remedy);
    try {
      JsonReader.requireUtf8(json.duplicate());
    } catch (CharacterCodingException e) {
      throw JsonFailures.notUtf8(source, e);
    }
    try (JsonParser parser = FACTORY.createParser(characters(json))) {
      StrictJson walk = new StrictJson(parser, source);
      parser.nextToken();
      document.read(walk);
      if (parser.nextToken() != null) {
        throw JsonFailures.textBehindEnd(source);
      }
    } catch (StreamConstraintsException e) {
      JsonReader.requireMemory(e, place);
      throw JsonFailures.beyondLimits(source, e);
    } catch (JsonProcessingException e) {
      throw JsonFailures.notJson(source, e);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // the document is in memory
    }
  }

  // All characters at once would take twice the memory of the bytes, in one piece.
  private static Reader characters(ByteBuffer json) {
    return new InputStreamReader(
        new ByteArrayInputStream(
            json.array(), json.arrayOffset() + json.position(), json.remaining()),
        UTF_8);
  }

  /** Reads an object, with {@code member} reading each value. */
  void object(String what, Member member) throws IOException {
    expect(parser.currentToken() == JsonToken.START_OBJECT, what, "an object");
    Set<String> keys = new HashSet<>();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String key = unicode(parser.currentName());
      if (!keys.add(key)) {
        throw JsonFailures.keyTwice(key, what, source);
      }
      parser.nextToken();
      member.read(key);
    }
  }

  /** Reads an array, with {@code element} reading each value. */
  void array(String what, Value element) throws IOException {
    expect(parser.currentToken() == JsonToken.START_ARRAY, what, "a list");
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      element.read();
    }
  }

  String string(String what) throws IOException {
    expect(parser.currentToken() == JsonToken.VALUE_STRING, what, "a string");
    return unicode(parser.getText());
  }

  /** Reads a whole number from 0 to {@link Long#MAX_VALUE}. */
  long length(String what) throws IOException {
    boolean whole =
        parser.currentToken() == JsonToken.VALUE_NUMBER_INT && !parser.getText().startsWith("-");
    expect(whole, what, "a whole number of at least 0");
    if (parser.getNumberType() == NumberType.BIG_INTEGER) {
      throw JsonFailures.tooLarge(what, source);
    }
    return parser.getLongValue();
  }

  /** Whether the value that comes next is a string. */
  boolean isString() {
    return parser.currentToken() == JsonToken.VALUE_STRING;
  }

  /** Whether the value that comes next is {@code null}. */
  boolean isNull() {
    return parser.currentToken() == JsonToken.VALUE_NULL;
  }

  /** Passes over the value that comes next, which must be sound all the same. */
  void skip(String what) throws IOException {
    switch (parser.currentToken()) {
      case START_OBJECT -> object(what, key -> skip(what));
      case START_ARRAY -> array(what, () -> skip(what));
      case VALUE_STRING -> string(what);
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> {
        if (Double.isInfinite(parser.getDoubleValue())) {
          throw JsonFailures.hasTooLarge(what, source);
        }
      }
      default -> {} // true, false, null
    }
  }

  /** Whose JSON it is, for messages. */
  Source source() {
    return source;
  }

  private void expect(boolean condition, String what, String kind) {
    if (!condition) {
      throw JsonFailures.isNot(kind, what, source);
    }
  }

  private String unicode(String text) {
    if (!isUnicode(text)) {
      throw JsonFailures.halfSurrogate(source);
    }
    return text;
  }

  /** Whether {@code text} can be written as UTF-8: surrogates come in pairs. */
  static boolean isUnicode(String text) {
    return UTF_8.newEncoder().canEncode(text);
  }

  /** A name for a message, as names in files can be of any length. */
  static String abbreviated(String name) {
    return name.length() <= SHOWN_CHARS ? name : name.substring(0, SHOWN_CHARS) + "…";
  }
}
