package dev.reweave.target.base;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which pipelines a main component is used in.
 *
 * @param model class of the main component
 * @param config values that its config must have; {@code null} for a key that may be absent
 * @param ratio of its input channels to its output channels; 0 if that does not matter
 * @param with components that must be there
 * @param without components that must not be there
 * @param pipelines that fit; more than one if the files do not tell them apart
 * @param settings of the pipeline that stand in its model index
 */
record PipelineRule(
    String model,
    Map<String, JsonNode> config,
    int ratio,
    @JsonProperty("with") List<String> with,
    List<String> without,
    List<String> pipelines,
    Map<String, JsonNode> settings) {

  // JSON leaves out what does not matter, and Jackson gives null for that.
  PipelineRule {
    config = config == null ? Map.of() : Map.copyOf(config);
    with = with == null ? List.of() : List.copyOf(with);
    without = without == null ? List.of() : List.copyOf(without);
    pipelines = List.copyOf(pipelines);
    settings = settings == null ? Map.of() : Map.copyOf(settings);
  }

  boolean matches(String mainClass, JsonNode mainConfig, Set<String> components) {
    return model.equals(mainClass)
        && components.containsAll(with)
        && without.stream().noneMatch(components::contains)
        && (ratio == 0 || hasRatio(mainConfig))
        && config.entrySet().stream().allMatch(e -> holds(mainConfig, e.getKey(), e.getValue()));
  }

  private boolean hasRatio(JsonNode mainConfig) {
    long in = mainConfig.path("in_channels").asLong(-1);
    long out = mainConfig.path("out_channels").asLong(in); // null means as many
    return in > 0 && in == ratio * out;
  }

  private static boolean holds(JsonNode config, String key, JsonNode value) {
    JsonNode actual = config.path(key);
    return value.isNull() ? actual.isNull() || actual.isMissingNode() : actual.equals(value);
  }
}
