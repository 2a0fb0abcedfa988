package dev.reweave.target.base;

import com.fasterxml.jackson.databind.JsonNode;
import dev.reweave.common.JsonReader;
import dev.reweave.common.ReweaveException;
import java.util.Optional;

/**
 * Reads the configs of a base, which nobody vouches for: strict UTF-8, every key once, bounded in
 * size and depth. {@code NaN} and {@code Infinity} pass, as Python writes them into real configs.
 */
public final class ConfigJson {
  /** The most bytes of a config that are believed; large tokenizers' come to a few megabytes. */
  public static final int MAX_BYTES = 16 << 20;

  private ConfigJson() {}

  /**
   * The object in {@code json}.
   *
   * @param place address of the config, for messages
   * @throws ReweaveException if it is none
   */
  public static JsonNode object(byte[] json, String place) {
    try {
      JsonNode node = JsonReader.AS_PYTHON_WRITES.tree(json, place);
      if (node != null && node.isObject()) {
        return node;
      }
    } catch (JsonReader.Broken e) {
      throw BaseFailures.brokenConfig(e, place);
    }
    throw BaseFailures.notObject(place);
  }

  /** The characters of {@code json}, each of which is one or more of its bytes. */
  static String text(byte[] json, String place) {
    try {
      return JsonReader.text(json);
    } catch (JsonReader.Broken e) {
      throw BaseFailures.brokenConfig(e, place);
    }
  }

  /** Walks over {@code text} and reports what is wrong with it. */
  static <T> T walk(String text, String place, JsonReader.Walk<T> walk) {
    try {
      return JsonReader.AS_PYTHON_WRITES.walk(text, place, walk);
    } catch (JsonReader.Broken e) {
      throw BaseFailures.brokenConfig(e, place);
    }
  }

  /** The string at {@code key}, if there is one. */
  public static Optional<String> string(JsonNode object, String key) {
    return Optional.ofNullable(object.get(key)).filter(JsonNode::isTextual).map(JsonNode::asText);
  }
}
