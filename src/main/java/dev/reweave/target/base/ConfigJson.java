package dev.reweave.target.base;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.reweave.common.JsonBudget;
import dev.reweave.common.ReweaveException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Reads the configs of a base, which nobody vouches for: strict UTF-8, every key once, bounded in
 * size and depth. {@code NaN} and {@code Infinity} pass, as Python writes them into real configs.
 */
public final class ConfigJson {
  /** The most bytes of a config that are believed; large tokenizers' come to a few megabytes. */
  public static final int MAX_BYTES = 16 << 20;

  private static final String REMEDY = "copy the file again from its source, or correct it";

  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(127).build())
          .build();

  private static final ObjectMapper MAPPER =
      JsonMapper.builder(FACTORY).enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  private ConfigJson() {}

  /** What is done with a parser over a whole document. */
  interface Walk<T> {
    T read(JsonParser parser) throws IOException;
  }

  /**
   * The object in {@code json}.
   *
   * @param place address of the config, for messages
   * @throws ReweaveException if it is none
   */
  public static JsonNode object(byte[] json, String place) {
    String text = text(json, place);
    walk(text, place, parser -> withinMemory(parser, place));
    JsonNode node = walk(text, place, MAPPER::readTree);
    if (node == null || !node.isObject()) {
      throw new ReweaveException("config is not a JSON object", place, REMEDY);
    }
    return node;
  }

  private static String withinMemory(JsonParser parser, String place) throws IOException {
    JsonBudget.require(parser, place);
    return place;
  }

  /** The characters of {@code json}, each of which is one or more of its bytes. */
  static String text(byte[] json, String place) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(json)).toString();
    } catch (CharacterCodingException e) {
      throw new ReweaveException("text is not valid UTF-8", place, REMEDY, e);
    }
  }

  /** Walks over {@code text} and reports what is wrong with it. */
  static <T> T walk(String text, String place, Walk<T> walk) {
    try (JsonParser parser = FACTORY.createParser(text.toCharArray())) {
      return walk.read(parser);
    } catch (StreamConstraintsException e) {
      String problem = "config is nested too deep or has too long a number";
      throw new ReweaveException(problem, place, REMEDY, e);
    } catch (JsonProcessingException e) {
      String problem = "config is not sound JSON (" + e.getOriginalMessage() + ")";
      throw new ReweaveException(problem, place, REMEDY, e);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // the document is in memory
    }
  }

  /** The string at {@code key}, if there is one. */
  public static Optional<String> string(JsonNode object, String key) {
    return Optional.ofNullable(object.get(key)).filter(JsonNode::isTextual).map(JsonNode::asText);
  }
}
