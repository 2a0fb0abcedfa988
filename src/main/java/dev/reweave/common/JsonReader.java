package dev.reweave.common;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.TSFBuilder;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;

/**
 * Reads JSON that nobody vouches for, in one pass: strict UTF-8, every key once, nothing behind the
 * document, and bounds for depth and number of values. What is wrong comes as {@link Broken}, so
 * that each caller says in its own words what the document should have been.
 */
public final class JsonReader {
  /** Levels of objects and lists in one another, as serde_json has it. */
  public static final int MOST_DEPTH = 127;

  /** Bytes of what Java makes of one token of a tree, about: an object takes two of them. */
  private static final int TREE_BYTES = 128;

  private static final int SEEN_CHARS = 8192;

  /** Beside the values, their text is in memory. */
  private static final int SHARE = 3;

  /** JSON as its standard has it. */
  public static final JsonReader STANDARD = new JsonReader(JsonFactory.builder(), MOST_DEPTH);

  /** The same with {@code NaN} and {@code Infinity}, which Python writes into real configs. */
  public static final JsonReader AS_PYTHON_WRITES =
      new JsonReader(
          JsonFactory.builder().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS), MOST_DEPTH);

  /** What is wrong with a document. */
  public static final class Broken extends Exception {
    private static final long serialVersionUID = 1L;

    /** Which promise it breaks. */
    public enum Fault {
      ENCODING,
      LIMIT,
      SYNTAX
    }

    private final Fault fault;
    private final String detail;
    private final int line;

    private Broken(Fault fault, String detail, int line, IOException cause) {
      super(detail, cause);
      this.fault = fault;
      this.detail = detail;
      this.line = line;
    }

    /** Which promise it breaks. */
    public Fault fault() {
      return fault;
    }

    /** What the parser says. */
    public String detail() {
      return detail;
    }

    /** What is wrong, in words. */
    public String problem() {
      return switch (fault) {
        case ENCODING -> "text is not valid UTF-8";
        case LIMIT -> "JSON is nested too deep or has too long a number";
        case SYNTAX -> "not valid JSON: " + detail;
      };
    }

    /** The place with the number of the line, where that is known. */
    public String at(String place) {
      return line > 0 ? place + ", line " + line : place;
    }
  }

  /** What is done with a parser over a whole document. */
  public interface Walk<T> {
    T read(JsonParser parser) throws IOException;
  }

  private final ObjectMapper mapper;

  private JsonReader(TSFBuilder<?, ?> factory, int mostDepth) {
    this.mapper =
        JsonMapper.builder(
                factory
                    .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                    .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .streamReadConstraints(limits(mostDepth, TREE_BYTES).build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();
  }

  /** A reader of documents that are flatter. */
  public static JsonReader ofDepth(int mostDepth) {
    return new JsonReader(JsonFactory.builder(), mostDepth);
  }

  /**
   * Jackson's own limits: as many tokens as a share of the heap can take. A document of a few
   * megabytes can hold millions of empty objects.
   *
   * @param bytes of what is made of a token, on the average
   */
  public static StreamReadConstraints.Builder limits(int mostDepth, int bytes) {
    return StreamReadConstraints.builder()
        .maxNestingDepth(mostDepth)
        .maxTokenCount(Runtime.getRuntime().maxMemory() / SHARE / bytes);
  }

  /**
   * The characters of a document.
   *
   * @throws Broken if it is not UTF-8
   */
  public static String text(byte[] json) throws Broken {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(json)).toString();
    } catch (CharacterCodingException e) {
      throw encoding(e);
    }
  }

  /**
   * The value that a document is.
   *
   * @param place of the document, for messages
   * @throws ReweaveException if the memory cannot take its values
   */
  public JsonNode tree(byte[] json, String place) throws Broken {
    return read(characters(json), place, this::tree);
  }

  /** The same of characters. */
  public JsonNode tree(String text, String place) throws Broken {
    return walk(text, place, this::tree);
  }

  private JsonNode tree(JsonParser parser) throws IOException {
    JsonNode tree = mapper.readTree(parser);
    return tree == null ? MissingNode.getInstance() : tree;
  }

  /** A document as an object of Java. */
  public <T> T value(byte[] json, String place, Class<T> type) throws Broken {
    return read(characters(json), place, parser -> mapper.readValue(parser, type));
  }

  /** What a walk over all of the document comes to. */
  public <T> T walk(String text, String place, Walk<T> walk) throws Broken {
    return read(new StringReader(text), place, walk);
  }

  // All characters at once would take twice the memory of the bytes, in one piece.
  private static Reader characters(byte[] json) throws Broken {
    try {
      requireUtf8(ByteBuffer.wrap(json));
    } catch (CharacterCodingException e) {
      throw encoding(e);
    }
    return new InputStreamReader(new ByteArrayInputStream(json), StandardCharsets.UTF_8);
  }

  /**
   * Checks the rest of a buffer, a piece at a time.
   *
   * @throws CharacterCodingException if it is not UTF-8
   */
  public static void requireUtf8(ByteBuffer text) throws CharacterCodingException {
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    CharBuffer seen = CharBuffer.allocate(SEEN_CHARS);
    CoderResult result = CoderResult.OVERFLOW;
    while (result.isOverflow()) {
      result = decoder.decode(text, seen.clear(), true);
    }
    if (result.isError()) {
      result.throwException();
    }
  }

  private static Broken encoding(CharacterCodingException cause) {
    return new Broken(Broken.Fault.ENCODING, "text is not valid UTF-8", 0, cause);
  }

  private <T> T read(Reader text, String place, Walk<T> walk) throws Broken {
    try (JsonParser parser = mapper.getFactory().createParser(text)) {
      return walk.read(parser);
    } catch (JsonProcessingException e) {
      requireMemory(e, place);
      boolean limit = e instanceof StreamConstraintsException;
      throw new Broken(
          limit ? Broken.Fault.LIMIT : Broken.Fault.SYNTAX,
          e.getOriginalMessage(),
          e.getLocation() == null ? 0 : e.getLocation().getLineNr(),
          e);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // the document is in memory
    }
  }

  /**
   * Refuses a document whose values the memory cannot take.
   *
   * @param failure what the parser threw
   * @throws ReweaveException if that is why
   */
  public static void requireMemory(JsonProcessingException failure, String place) {
    for (Throwable t = failure; t != null; t = t.getCause()) {
      if (t instanceof StreamConstraintsException e
          && e.getOriginalMessage().startsWith("Token count")) {
        throw CommonFailures.tooManyValues(place);
      }
    }
  }
}
