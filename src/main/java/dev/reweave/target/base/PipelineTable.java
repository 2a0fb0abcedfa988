package dev.reweave.target.base;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What is known of diffusers' pipelines: {@code pipelines.json} beside this class, from the sources
 * of diffusers 0.40. Of rules that match, the first one counts.
 *
 * @param modules of the classes that are defined in a pipeline's own module, which a model index
 *     names in place of a library
 */
record PipelineTable(Map<String, String> modules, List<PipelineRule> rules) {
  private static final PipelineTable TABLE = load();

  PipelineTable {
    modules = Map.copyOf(modules);
    rules = List.copyOf(rules);
  }

  /** The module of a class that is in none of the libraries. */
  static Optional<String> moduleOf(String className) {
    return Optional.ofNullable(TABLE.modules.get(className));
  }

  /** Whether pipelines are known that this is the main component of. */
  static boolean knows(String mainClass) {
    return TABLE.rules.stream().anyMatch(rule -> rule.model().equals(mainClass));
  }

  static Optional<PipelineRule> rule(String mainClass, JsonNode config, Set<String> components) {
    return TABLE.rules.stream().filter(r -> r.matches(mainClass, config, components)).findFirst();
  }

  static List<PipelineRule> all() {
    return TABLE.rules;
  }

  private static PipelineTable load() {
    try (InputStream in = PipelineTable.class.getResourceAsStream("pipelines.json")) {
      return new ObjectMapper().readValue(in, PipelineTable.class);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // a part of the program
    }
  }
}
