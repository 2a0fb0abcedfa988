package dev.reweave.target.mapping;

import dev.reweave.tensor.CombinedLayout;
import dev.reweave.tensor.Slicing;
import dev.reweave.tensor.SlicingRule;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.PatternSyntaxException;

/** Reads what a mapping file says of the slices of tensor-parallel ranks. */
final class SlicingReader {
  private static final Set<String> RULE =
      Set.of("match", "dim", "kind", "parts", "shares", "vocabulary");

  private SlicingReader() {}

  static List<SlicingRule> read(JsonObject root) {
    List<SlicingRule> rules = new ArrayList<>();
    for (JsonObject rule : root.objects("tensorParallel", "tensorParallel", RULE)) {
      Slicing slicing = slicing(rule);
      if (rule.has("vocabulary")) {
        slicing = new Slicing.Padded(slicing, rule.number("vocabulary", 1));
      }
      try {
        rules.add(new SlicingRule(rule.text("match"), slicing));
      } catch (PatternSyntaxException e) {
        throw MappingFileFailures.notRegex(rule.text("match"), e, rule.place());
      }
    }
    return rules;
  }

  private static Slicing slicing(JsonObject rule) {
    if (rule.has("kind")) {
      for (String member : List.of("dim", "parts", "shares")) {
        if (rule.has(member)) {
          throw MappingFileFailures.noMeaningBeside(member, "kind", rule.place());
        }
      }
      return switch (rule.text("kind")) {
        case "replicated" -> new Slicing.Copied(CombinedLayout.Kind.REPLICATED);
        case "averaged" -> new Slicing.Copied(CombinedLayout.Kind.AVERAGED);
        default -> throw MappingFileFailures.unknownKind(rule.place());
      };
    }
    if (!rule.has("dim")) {
      throw MappingFileFailures.neither("dim", "kind", rule.place());
    }
    if (rule.has("parts") && rule.has("shares")) {
      throw MappingFileFailures.both("parts", "shares", rule.place());
    }
    if (rule.has("shares")) {
      return new Slicing.Parts(rule.dimension(), rule.tableOfNumbers("shares"));
    }
    if (rule.has("parts")) {
      return rule.hasList("parts")
          ? new Slicing.SizedParts(rule.dimension(), rule.numbers("parts", 0))
          : new Slicing.EvenParts(
              rule.dimension(), (int) Math.min(Integer.MAX_VALUE, rule.number("parts", 1)));
    }
    return new Slicing.Along(rule.dimension());
  }
}
