package dev.reweave.target.base;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.reweave.common.ReweaveException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Makes the {@code model_index.json} of a pipeline folder that has none. */
public final class ModelIndex {
  private static final List<String> MAIN = List.of("transformer", "unet");

  private final BaseFolder base;
  private final SortedMap<String, LibraryClass> components = new TreeMap<>();

  private ModelIndex(BaseFolder base) {
    this.base = base;
    base.components()
        .forEach(
            (folder, found) ->
                found
                    .filter(c -> LibraryClass.isIdentifier(folder))
                    .ifPresent(c -> components.put(folder, c)));
  }

  /**
   * The index of a pipeline with the components that stand in {@code base}, byte for byte as {@code
   * save_config} of diffusers writes it ({@code configuration_utils.py}).
   *
   * @param pipeline its class, if the user has named it; otherwise it follows from the main
   *     component
   * @throws ReweaveException if the class is needed, as it is not known or several would do
   */
  public static byte[] generate(BaseFolder base, Optional<String> pipeline) {
    if (!base.isPipeline()) {
      throw BaseFailures.noPipeline(base.address().uri());
    }
    return new ModelIndex(base).write(pipeline);
  }

  private byte[] write(Optional<String> wanted) {
    wanted.ifPresent(ModelIndex::requireClass);
    Optional<PipelineRule> rule = main().flatMap(this::rule);
    String pipeline = wanted.orElseGet(() -> onlyOne(rule));
    SortedMap<String, String> members = new TreeMap<>();
    rule.filter(r -> r.pipelines().contains(pipeline))
        .ifPresent(r -> r.settings().forEach((key, value) -> members.put(key, value.toString())));
    members.put("_class_name", quoted(pipeline));
    version().ifPresent(version -> members.put("_diffusers_version", quoted(version)));
    for (Map.Entry<String, LibraryClass> entry : components.entrySet()) {
      LibraryClass loaded = entry.getValue();
      members.put(
          entry.getKey(),
          "[\n    %s,\n    %s\n  ]".formatted(quoted(loaded.library()), quoted(loaded.name())));
    }
    return members.entrySet().stream()
        .map(member -> "  " + quoted(member.getKey()) + ": " + member.getValue())
        .collect(Collectors.joining(",\n", "{\n", "\n}\n"))
        .getBytes(StandardCharsets.US_ASCII);
  }

  private String onlyOne(Optional<PipelineRule> rule) {
    if (rule.isPresent() && rule.get().pipelines().size() == 1) {
      return rule.get().pipelines().get(0);
    }
    throw rule.map(r -> BaseFailures.severalPipelines(r.pipelines(), base.address().uri()))
        .orElseGet(() -> BaseFailures.unknownPipeline(components, base.address().uri()));
  }

  /** Folder of the component that tells which pipeline this is. */
  private Optional<String> main() {
    Optional<String> usual = MAIN.stream().filter(this::isKnown).findFirst();
    List<String> others = components.keySet().stream().filter(this::isKnown).toList();
    return usual.or(() -> others.stream().findFirst().filter(folder -> others.size() == 1));
  }

  private boolean isKnown(String folder) {
    return components.containsKey(folder) && PipelineTable.knows(components.get(folder).name());
  }

  private Optional<PipelineRule> rule(String folder) {
    String config = folder + "/" + FolderClass.CONFIG;
    JsonNode main =
        base.files().containsKey(config) ? base.json(config) : MissingNode.getInstance();
    return PipelineTable.rule(components.get(folder).name(), main, components.keySet());
  }

  private Optional<String> version() {
    return LibraryVersion.newest(
        LibraryVersion.of(base).stream().filter(v -> v.library().equals("diffusers")).toList());
  }

  private static void requireClass(String pipeline) {
    if (!LibraryClass.isIdentifier(pipeline)) {
      throw BaseFailures.notClass(pipeline);
    }
  }

  // Nothing but identifiers and versions comes here, so there is nothing to escape.
  private static String quoted(String text) {
    return '"' + text + '"';
  }
}
