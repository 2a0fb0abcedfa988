package dev.reweave.manifest;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import dev.reweave.common.Option;
import dev.reweave.common.Options;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The options that decide what a result looks like, as they were given or by default.
 *
 * @param values texts and numbers by the keys under which options are recorded; what is empty is
 *     not there
 */
public record RecordedOptions(@JsonValue Map<String, Object> values) {
  static final RecordedOptions NONE = new RecordedOptions(Map.of());

  /** What was recorded first stands first; what came later stands behind it. */
  private static final String ORDER =
      "dtype frozen weights format shards maxShardBytes weightsName chunkBytes only proving"
          + " unfamiliar names";

  /**
   * Checks that each is a text or a number.
   *
   * @throws IllegalArgumentException if one is not
   */
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public RecordedOptions {
    Map<String, Object> there = new LinkedHashMap<>(values);
    there.values().removeIf(value -> value == null || value.equals(""));
    // Jackson reads small numbers as other objects than large ones.
    there.replaceAll((key, value) -> value instanceof Integer n ? n.longValue() : value);
    if (there.values().stream().anyMatch(v -> v instanceof Map || v instanceof List)) {
      throw new IllegalArgumentException("a value of another type");
    }
    values = there;
  }

  /** What is recorded of these; of those that are not of the result, what is not as by default. */
  static RecordedOptions of(Options options) {
    Map<String, Object> recorded = new TreeMap<>();
    options
        .given()
        .forEach(
            (option, value) -> {
              if (option.part() == Option.Part.RESULT
                  || !value.equals(option.values().standard())) {
                Object there = value instanceof Optional<?> some ? some.orElse(null) : value;
                recorded.put(
                    option.recorded(), there instanceof Long ? there : Option.written(value));
              }
            });
    Map<String, Object> ordered = new LinkedHashMap<>();
    for (String key : ORDER.split(" ", -1)) {
      ordered.put(key, recorded.remove(key));
    }
    ordered.putAll(recorded);
    return new RecordedOptions(ordered);
  }

  /** The text of an option; empty if it has none. */
  public String text(Option<?> option) {
    return String.valueOf(values.getOrDefault(option.recorded(), ""));
  }

  /**
   * What was recorded of these options.
   *
   * @throws IllegalArgumentException if one cannot be so
   */
  public Options of(List<Option<?>> options) {
    Options recorded = Options.NONE;
    for (Option<?> option : options) {
      if (values.containsKey(option.recorded())) {
        recorded = recorded.parse(option, text(option));
      }
    }
    return recorded;
  }
}
