package dev.reweave.target.mapping;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * Reads how a rule takes a tensor apart: split into equal parts, parts of different sizes, or
 * regrouped; unstacked, and each part split or not; or puts the parts of it in another order.
 */
final class SplitReader {
  private static final Set<String> CUT = Set.of("dim", "length", "into");
  private static final Set<String> SPLIT =
      Set.of("dim", "into", "sizes", "parts", "groups", "unit");
  private static final Set<String> EQUAL_PARTS = Set.of("dim", "into", "sizes", "parts");
  private static final Set<String> REORDER = Set.of("dim", "as", "order", "into");
  private static final Set<String> UNSTACK = Set.of("dim", "into", "then", "split");

  private SplitReader() {}

  /** A split as it stands in a rule: of a tensor, or of groups in it. */
  static Action read(JsonObject rule, NamePattern pattern) {
    JsonObject split = rule.object("split", SPLIT);
    return split.has("groups") ? groups(split, pattern) : split(split, pattern);
  }

  private static Action.Split split(JsonObject split, NamePattern pattern) {
    if (split.has("unit")) {
      throw MappingFileFailures.noMeaningWithout("unit", "groups", split.place());
    }
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
    return new Action.Cut(into, cut.dimension(), cut.amount("length"));
  }

  static Action.Reorder reorder(JsonObject rule, NamePattern pattern) {
    JsonObject reorder = rule.object("reorder", REORDER);
    List<Optional<Amount>> lengths = reorder.amountsOrRest("as");
    List<Long> order = reorder.numbers("order", 0);
    List<Long> each = LongStream.range(0, lengths.size()).boxed().toList();
    if (!order.stream().sorted().toList().equals(each)) {
      throw MappingFileFailures.notAnOrder(lengths.size(), reorder.place());
    }
    return new Action.Reorder(
        Template.parse(reorder.text("into"), pattern, reorder),
        reorder.dimension(),
        lengths,
        order.stream().map(Long::intValue).toList());
  }

  private static Action.Regroup groups(JsonObject split, NamePattern pattern) {
    if (split.has("parts")) {
      throw MappingFileFailures.both("groups", "parts", split.place());
    }
    List<String> names = split.texts("into");
    List<Amount> sizes =
        split.has("sizes")
            ? split.amounts("sizes")
            : names.stream().map(name -> Amount.of(1)).toList();
    if (sizes.size() != names.size()) {
      throw MappingFileFailures.sizesForNames(sizes.size(), names.size(), split.place());
    }
    return new Action.Regroup(
        split.dimension(),
        split.amount("groups"),
        sizes,
        split.has("unit") ? Optional.of(split.amount("unit")) : Optional.empty(),
        names.stream().map(name -> Template.parse(name, pattern, split)).toList());
  }

  static Action.Unstack unstack(JsonObject rule, NamePattern pattern) {
    JsonObject unstack = rule.object("unstack", UNSTACK);
    if (Stream.of("into", "then", "split").filter(unstack::has).count() != 1) {
      throw MappingFileFailures.notOneOf(List.of("into", "then", "split"), unstack.place());
    }
    if (pattern.hasGroup(Action.Unstack.INDEX)) {
      throw MappingFileFailures.groupCalledAsNumber(unstack.place());
    }
    NamePattern numbered = pattern.giving(Action.Unstack.INDEX);
    int dim = unstack.dimension();
    if (unstack.has("split")) {
      Action.Split split = split(unstack.object("split", EQUAL_PARTS), numbered);
      split.shares().forEach(share -> requireNumber(share.to(), unstack));
      return new Action.Unstack(dim, split);
    }
    boolean ends = unstack.has("into");
    Template name = Template.parse(unstack.text(ends ? "into" : "then"), numbered, unstack);
    requireNumber(name, unstack);
    return new Action.Unstack(dim, ends ? new Action.Rename(name) : new Action.Then(name));
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
