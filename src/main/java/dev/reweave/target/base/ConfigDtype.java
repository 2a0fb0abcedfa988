package dev.reweave.target.base;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import dev.reweave.tensor.DType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Lets a {@code config.json} name the element type that the weights have now. Nothing else in the
 * file changes, down to its spaces.
 */
public final class ConfigDtype {
  private static final Set<String> KEYS = Set.of("torch_dtype", "dtype");

  // Older releases of transformers wrote the type with its module.
  private static final Pattern VALUE =
      Pattern.compile("\"((?:torch\\.)?)(?:bfloat16|float16|float32|float64)\"");

  private ConfigDtype() {}

  /**
   * The config with {@code torch_dtype} and {@code dtype} changed to {@code dtype}, at the top and
   * in configs that are nested in it, such as {@code text_config}; what is no floating point type,
   * such as {@code auto}, stays.
   *
   * @param json bytes of a config
   * @param dtype of the weights; if it is none that a cast gives, nothing changes
   * @param place address of the config, for messages
   * @throws dev.reweave.common.ReweaveException if the config is not sound JSON
   */
  public static byte[] follow(byte[] json, DType dtype, String place) {
    String text = ConfigJson.text(json, place);
    StringBuilder changed = new StringBuilder();
    int[] copied = {0};
    ConfigJson.walk(
        text,
        place,
        parser -> {
          for (int start : values(parser)) {
            Matcher value = VALUE.matcher(text).region(start, text.length());
            if (dtype.isCastable() && value.lookingAt()) {
              changed.append(text, copied[0], value.end(1)).append(dtype.torchName()).append('"');
              copied[0] = value.end();
            }
          }
          return changed;
        });
    changed.append(text, copied[0], text.length());
    return changed.toString().getBytes(StandardCharsets.UTF_8);
  }

  /** The type of weights that a config states, at its top. */
  public static Optional<DType> of(byte[] json, String place) {
    JsonNode config = ConfigJson.object(json, place);
    return ConfigJson.string(config, "torch_dtype")
        .or(() -> ConfigJson.string(config, "dtype"))
        .flatMap(text -> DType.ofTorchName(text.replaceFirst("^torch\\.", "")))
        .filter(type -> type == DType.F32 || type == DType.BF16 || type == DType.F16);
  }

  /** Where the strings begin that name a type, in characters. */
  private static List<Integer> values(JsonParser parser) throws IOException {
    Deque<Integer> starts = new ArrayDeque<>();
    Deque<Boolean> configs = new ArrayDeque<>();
    for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
      if (token.isStructStart()) {
        configs.push(token == JsonToken.START_OBJECT && isConfig(parser, configs));
      } else if (token.isStructEnd()) {
        configs.pop();
      } else if (token == JsonToken.VALUE_STRING
          && Boolean.TRUE.equals(configs.peek())
          && KEYS.contains(parser.currentName())) {
        starts.add((int) parser.currentTokenLocation().getCharOffset());
      }
    }
    return List.copyOf(starts);
  }

  private static boolean isConfig(JsonParser parser, Deque<Boolean> parents) {
    if (parents.isEmpty()) {
      return true;
    }
    // What a quantizer says of its types is about its own.
    String name = parser.getParsingContext().getParent().getCurrentName();
    return parents.peek()
        && name != null
        && name.endsWith("_config")
        && !name.equals("quantization_config");
  }
}
