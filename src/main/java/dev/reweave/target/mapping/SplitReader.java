package dev.reweave.target.mapping;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Reads how a rule cuts a tensor: split into equal parts, parts of different sizes, or regrouped;
 * unstacked, and each part split or not.
 */
final class SplitReader {
  private static final Set<String> CUT = Set.of("dim", "length", "into");
  private static final Set<String> SPLIT = Set.of("dim", "into", "sizes", "parts");
  private static final Set<String> UNSTACK = Set.of("dim", "into", "split");

  private SplitReader() {}

  static Action.Split read(JsonObject rule, NamePattern pattern) {
    JsonObject split = rule.object("split", SPLIT);
    if (split.hasObjects("into")) {
      return regrouped(split, pattern);
    }
    if (split.has("parts")) {
      throw MappingFileFailures.partsWithoutTake(split.place());
    }
    return inOrder(split, pattern);
  }

  static Action.Cut cut(JsonObject rule, NamePattern pattern) {
    JsonObject cut = rule.object("cut", CUT);
    Template into = Template.parse(cut.text("into"), pattern, cut);
    return new Action.Cut(into, cut.dimension(), cut.number("length", 1));
  }

  static Action.Unstack unstack(JsonObject rule, NamePattern pattern) {
    JsonObject unstack = rule.object("unstack", UNSTACK);
    if (unstack.has("into") == unstack.has("split")) {
      throw MappingFileFailures.notOneOf("into", "split", unstack.place());
    }
    if (pattern.hasGroup(Action.Unstack.INDEX)) {
      throw MappingFileFailures.groupCalledAsNumber(unstack.place());
    }
    NamePattern numbered = pattern.giving(Action.Unstack.INDEX);
    int dim = unstack.dimension();
    if (unstack.has("split")) {
      Action.Split split = read(unstack, numbered);
      split.shares().forEach(share -> requireNumber(share.to(), unstack));
      return new Action.Unstack(dim, split);
    }
    Template into = Template.parse(unstack.text("into"), numbered, unstack);
    requireNumber(into, unstack);
    return new Action.Unstack(dim, new Action.Rename(into));
  }

  private static void requireNumber(Template name, JsonObject unstack) {
    if (!name.refersTo(Action.Unstack.INDEX)) {
      throw MappingFileFailures.nameWithoutNumber(unstack.place());
    }
  }

  private static Action.Split inOrder(JsonObject split, NamePattern pattern) {
    List<String> names = split.texts("into");
    List<Long> sizes =
        split.has("sizes")
            ? split.numbers("sizes", 1)
            : names.stream().map(name -> Long.valueOf(1)).toList();
    if (sizes.size() != names.size()) {
      throw MappingFileFailures.sizesForNames(sizes.size(), names.size(), split.place());
    }
    List<Action.Share> shares = new ArrayList<>();
    long parts = 0;
    for (int i = 0; i < names.size(); i++) {
      Template to = Template.parse(names.get(i), pattern, split);
      shares.add(new Action.Share(to, List.of(new Action.Range(parts, sizes.get(i)))));
      if (sizes.get(i) > Long.MAX_VALUE - parts) {
        throw MappingFileFailures.sizesTooLarge(split.place());
      }
      parts += sizes.get(i);
    }
    return new Action.Split(split.dimension(), parts, shares);
  }

  private static Action.Split regrouped(JsonObject split, NamePattern pattern) {
    if (split.has("sizes")) {
      throw MappingFileFailures.sizesWithTake(split.place());
    }
    long parts = split.number("parts", 1);
    Set<Long> taken = new HashSet<>();
    List<Action.Share> shares = new ArrayList<>();
    for (JsonObject share : split.objects("into", "'into'", Set.of("to", "take"))) {
      List<Action.Range> ranges = new ArrayList<>();
      for (long part : share.numbers("take", 0)) {
        if (part >= parts) {
          throw MappingFileFailures.noSuchPart(part, parts, share.place());
        }
        if (!taken.add(part)) {
          throw MappingFileFailures.partTakenTwice(part, share.place());
        }
        extend(ranges, part);
      }
      shares.add(new Action.Share(Template.parse(share.text("to"), pattern, share), ranges));
    }
    if (taken.size() < parts) {
      throw MappingFileFailures.partsNotTaken(parts, taken.size(), split.place());
    }
    return new Action.Split(split.dimension(), parts, shares);
  }

  private static void extend(List<Action.Range> ranges, long part) {
    int last = ranges.size() - 1;
    if (last >= 0 && ranges.get(last).from() + ranges.get(last).count() == part) {
      Action.Range range = ranges.get(last);
      ranges.set(last, new Action.Range(range.from(), range.count() + 1));
    } else {
      ranges.add(new Action.Range(part, 1));
    }
  }
}
