package dev.reweave.target.mapping;

import dev.reweave.tensor.SlicingRule;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Reads mapping files. */
final class MappingReader {
  private static final Set<String> MAPPING =
      Set.of(
          "name",
          "description",
          "component",
          "weightsName",
          "recognise",
          "rules",
          "values",
          "config",
          "tensorParallel");
  private static final Set<String> ACTIONS =
      Set.of(
          "rename", "then", "cut", "split", "reorder", "join", "unstack", "stack", "drop",
          "require");
  private static final Set<String> RULE =
      Stream.concat(ACTIONS.stream(), Stream.of("match", "prefix", "shape", "translate", "beside"))
          .collect(Collectors.toUnmodifiableSet());

  /** Components and weight names become names of folders and files. */
  private static final Pattern FILE_NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]*");

  private MappingReader() {}

  static Mapping read(byte[] json, String place) {
    JsonObject root = JsonObject.parse(json, place, MAPPING);
    List<Rule> rules = new ArrayList<>();
    List<Requirement> requirements = new ArrayList<>();
    Map<String, NamedValue> values = root.has("values") ? ValueReader.read(root) : Map.of();
    List<SlicingRule> slicing = root.has("tensorParallel") ? SlicingReader.read(root) : List.of();
    boolean keepsNames = !root.has("rules") && !slicing.isEmpty();
    if (keepsNames) {
      rules.add(Rule.KEEP_NAME);
    }
    for (JsonObject rule :
        keepsNames ? List.<JsonObject>of() : root.objects("rules", "rule", RULE)) {
      String action = action(rule);
      if (action.equals("require")) {
        requirements.add(requirement(rule));
      } else {
        rules.add(rule(rule, action));
        ValueReader.requireKnown(rules.get(rules.size() - 1), values.keySet());
      }
    }
    Mapping.Title title =
        new Mapping.Title(
            root.text("name"),
            root.text("description"),
            fileName(root, "component"),
            fileName(root, "weightsName"),
            root.has("recognise") ? Optional.of(recognition(root)) : Optional.empty());
    Optional<ConfigRecipe> config =
        root.has("config") ? Optional.of(ConfigReader.read(root)) : Optional.empty();
    return new Mapping(
        title, place, json, new Mapping.Rules(rules, requirements, slicing, values), config);
  }

  private static Optional<String> fileName(JsonObject root, String member) {
    Optional<String> name = root.optionalText(member);
    if (name.filter(text -> !FILE_NAME.matcher(text).matches()).isPresent()) {
      throw MappingFileFailures.notFileName(member, root.place());
    }
    return name;
  }

  private static Recognition recognition(JsonObject root) {
    JsonObject recognise = root.object("recognise", Set.of("all", "none", "base", "config"));
    Optional<Recognition.Scheme> base =
        recognise.has("base")
            ? Optional.of(scheme(recognise.object("base", Set.of("all", "none"))))
            : Optional.empty();
    return new Recognition(
        scheme(recognise), base, recognise.has("config") ? recognise.texts("config") : List.of());
  }

  private static Recognition.Scheme scheme(JsonObject names) {
    List<String> none = names.has("none") ? names.texts("none") : List.of();
    return new Recognition.Scheme(
        names.texts("all").stream().map(regex -> NamePattern.regex(regex, names)).toList(),
        none.stream().map(regex -> NamePattern.regex(regex, names)).toList());
  }

  private static String action(JsonObject rule) {
    List<String> actions = ACTIONS.stream().filter(rule::has).sorted().toList();
    if (actions.isEmpty()) {
      throw MappingFileFailures.noAction(ACTIONS, rule.place());
    }
    if (actions.size() > 1) {
      throw MappingFileFailures.severalActions(actions, rule.place());
    }
    return actions.get(0);
  }

  private static Optional<NamePattern> pattern(JsonObject rule) {
    if (rule.has("match") && rule.has("prefix")) {
      throw MappingFileFailures.both("match", "prefix", rule.place());
    }
    if (rule.has("translate") && !rule.has("match")) {
      throw MappingFileFailures.translateWithoutMatch(rule.place());
    }
    for (String group : rule.tables("translate").keySet()) {
      if (!rule.mentions("${" + group + "}")) {
        throw MappingFileFailures.translateUnused(group, rule.place());
      }
    }
    return rule.optionalText("match")
        .map(regex -> NamePattern.regex(regex, rule.tables("translate"), rule))
        .or(() -> rule.optionalText("prefix").map(NamePattern::prefix));
  }

  private static Requirement requirement(JsonObject rule) {
    Optional<NamePattern> pattern = pattern(rule);
    refuse(rule, "require", "shape", "translate", "beside");
    NamePattern groups = pattern.orElse(NamePattern.WHOLE);
    if (pattern.isEmpty() && rule.mentions("$")) {
      throw MappingFileFailures.requireOfNoGroup(rule.place());
    }
    return new Requirement(
        pattern,
        rule.texts("require").stream().map(text -> Template.parse(text, groups, rule)).toList());
  }

  private static void refuse(JsonObject rule, String action, String... members) {
    for (String member : members) {
      if (rule.has(member)) {
        throw MappingFileFailures.noMeaningBeside(member, action, rule.place());
      }
    }
  }

  private static Rule rule(JsonObject rule, String action) {
    NamePattern pattern =
        pattern(rule)
            .orElseThrow(() -> MappingFileFailures.neither("match", "prefix", rule.place()));
    ShapePattern shape =
        rule.has("shape") ? new ShapePattern(Optional.of(rule.lengths("shape"))) : ShapePattern.ANY;
    return new Rule(
        rule.place(),
        pattern,
        shape,
        rule.optionalText("beside").map(regex -> NamePattern.regex(regex, rule)),
        switch (action) {
          case "rename" -> new Action.Rename(name(rule, action, pattern));
          case "then" -> new Action.Then(name(rule, action, pattern));
          case "reorder" -> SplitReader.reorder(rule, pattern);
          case "cut" -> SplitReader.cut(rule, pattern);
          case "split" -> SplitReader.read(rule, pattern);
          case "join" -> JoinReader.read(rule, pattern);
          case "unstack" -> SplitReader.unstack(rule, pattern);
          case "stack" -> JoinReader.stack(rule, pattern);
          default -> drop(rule);
        });
  }

  /** The new name that stands under the action; behind a prefix, what takes its place. */
  private static Template name(JsonObject rule, String action, NamePattern pattern) {
    return rule.has("prefix")
        ? Template.prefix(rule.mayBeEmpty(action), rule)
        : Template.parse(rule.text(action), pattern, rule);
  }

  private static Action.Drop drop(JsonObject rule) {
    refuse(rule, "drop", "translate");
    return new Action.Drop(rule.text("drop"));
  }
}
