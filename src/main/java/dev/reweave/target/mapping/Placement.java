package dev.reweave.target.mapping;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Supplier;

/** The tensors of one model on their way to their places. */
final class Placement {
  /** Names that unstacking gives, at most: they come from a shape, which is no proof of size. */
  private static final long MOST_PARTS = 1_000_000;

  /** Which whole is meant: two rules never build the same one. */
  private record Whole(Rule rule, String target) {}

  private final List<Rule> rules;
  private final Values values;
  private final List<Supplier<NamedTensor>> placed = new ArrayList<>();
  private final Map<Whole, Assembly> assemblies = new LinkedHashMap<>();
  private final Map<String, String> aliases = new LinkedHashMap<>();
  private final List<Mapped.Row> rows = new ArrayList<>();

  /** Where the first renamed or cut one of tied names went, by what tells it from others. */
  private final Map<String, String> renamed = new LinkedHashMap<>();

  /** By target, what it is made of; more than one entry per target is an error. */
  private final Map<String, List<String>> sources = new LinkedHashMap<>();

  private final Map<String, Set<String>> dropped = new LinkedHashMap<>();
  private final List<String> unplaced = new ArrayList<>();
  private final List<String> shortened = new ArrayList<>();

  /** What would have been cut, if it were known to what. */
  private final List<String> whole = new ArrayList<>();

  private long unstacked;

  Placement(List<Rule> rules, Values values) {
    this.rules = rules;
    this.values = values;
  }

  /**
   * A tensor on its way.
   *
   * @param source name of the tensor of the checkpoint that it is, or is a part of
   * @param same what tells it from others: equal texts mean equal tensors
   */
  private record Traveller(NamedTensor tensor, String source, String same) {
    Traveller called(String name) {
      return new Traveller(tensor.renamed(name), source, same);
    }

    /** As messages call it. */
    String shown() {
      return "tensor "
          + tensor.name()
          + (source.equals(tensor.name()) ? "" : " (of " + source + ")");
    }
  }

  /**
   * Places one tensor where the first rule that matches it says.
   *
   * @param kept the name that a tied tensor is kept under; its own name if it is not tied
   */
  void place(NamedTensor tensor, String kept) {
    place(new Traveller(tensor, tensor.name(), kept), 0);
  }

  /**
   * Places a tensor by the first rule that matches it, and by further ones as long as it goes on.
   *
   * @param first the first rule that can
   */
  private void place(Traveller traveller, int first) {
    Traveller on = traveller;
    for (int i = first; i < rules.size(); i++) {
      Rule rule = rules.get(i);
      Optional<NameMatch> match = rule.match(on.tensor());
      if (match.isEmpty()) {
        continue;
      }
      if (rule.action() instanceof Action.Then then) {
        on = on.called(expand(then.to(), match.get(), rule));
      } else {
        place(on, i, match.get());
        return;
      }
    }
    unplaced.add(on.shown().substring("tensor ".length()));
  }

  private void place(Traveller traveller, int number, NameMatch match) {
    NamedTensor tensor = traveller.tensor();
    Rule rule = rules.get(number);
    if (rule.action() instanceof Action.Rename rename) {
      rename(traveller, expand(rename.to(), match, rule));
    } else if (rule.action() instanceof Action.Cut cut) {
      cut(traveller, cut, rule, match);
    } else if (rule.action() instanceof Action.Split split) {
      split(traveller, traveller.shown(), split, rule, match);
    } else if (rule.action() instanceof Action.Regroup regroup) {
      regroup(traveller, regroup, rule, match);
    } else if (rule.action() instanceof Action.Reorder reorder) {
      reorder(traveller, reorder, rule, match);
    } else if (rule.action() instanceof Action.Unstack unstack) {
      unstack(traveller, unstack, number, match);
    } else if (rule.action() instanceof Action.Join join) {
      String target = expand(join.to(), match, rule);
      long groups = join.groups().map(g -> values.of(g, rule)).orElse(1L);
      assemble(traveller, target, rule, match, () -> new Joining(target, rule, join, groups));
    } else if (rule.action() instanceof Action.Stack stack) {
      String target = expand(stack.to(), match, rule);
      assemble(traveller, target, rule, match, () -> new Stacking(target, rule, stack));
    } else if (rule.action() instanceof Action.Drop drop) {
      dropped.computeIfAbsent(drop.reason(), r -> new LinkedHashSet<>()).add(traveller.source());
      rows.add(new Mapped.Row(traveller.source(), "", tensor.spec().shape()));
    }
  }

  private static String expand(Template template, NameMatch match, Rule rule) {
    String name = template.expand(match);
    if (name.isEmpty()) {
      throw MappingFailures.emptyName(match.name(), rule);
    }
    return name;
  }

  private void claim(String source, String target, Shape shape) {
    sources.computeIfAbsent(target, t -> new ArrayList<>()).add(source);
    rows.add(new Mapped.Row(source, target, shape));
  }

  private void rename(Traveller traveller, String target) {
    claim(traveller.source(), target, traveller.tensor().spec().shape());
    put(traveller.tensor().renamed(target), traveller.same());
  }

  /**
   * Puts a tensor in its place, or only its name if it is tied to one that has a place already.
   *
   * @param same equal texts mean equal tensors
   */
  private void put(NamedTensor tensor, String same) {
    String first = renamed.putIfAbsent(same, tensor.name());
    if (first == null) {
      placed.add(() -> tensor);
    } else {
      aliases.put(tensor.name(), first);
    }
  }

  private void cut(Traveller traveller, Action.Cut cut, Rule rule, NameMatch match) {
    NamedTensor tensor = traveller.tensor();
    Shape shape = tensor.spec().shape();
    OptionalLong known = values.ifKnown(cut.length(), rule);
    if (known.isEmpty()) {
      rename(traveller, expand(cut.to(), match, rule));
      whole.add(tensor.name() + " " + shape);
      return;
    }
    long length = known.getAsLong();
    if (cut.dim() >= shape.rank() || shape.dim(cut.dim()) < length) {
      throw MappingFailures.notCuttable(traveller.shown(), shape, cut.dim(), length, rule);
    }
    NamedTensor part = tensor.narrowed(expand(cut.to(), match, rule), cut.dim(), 0, length);
    claim(traveller.source(), part.name(), part.spec().shape());
    put(part, traveller.same() + "\n" + cut.dim() + "\n" + length);
    if (!part.spec().shape().equals(shape)) {
      shortened.add(tensor.name() + " " + shape + " to " + part.spec().shape());
    }
  }

  /**
   * Cuts a tensor in pieces.
   *
   * @param shown what messages call it
   */
  private void split(
      Traveller traveller, String shown, Action.Split split, Rule rule, NameMatch match) {
    Shape shape = traveller.tensor().spec().shape();
    if (split.dim() >= shape.rank() || shape.dim(split.dim()) % split.parts() != 0) {
      throw MappingFailures.notSplittable(shown, shape, split, rule);
    }
    for (Action.Share share : split.shares()) {
      String target = expand(share.to(), match, rule);
      NamedTensor part =
          new Grouped(traveller.tensor(), split.dim(), 1, split.parts())
              .taken(target, share.ranges());
      claim(traveller.source(), target, part.spec().shape());
      placed.add(() -> part);
    }
  }

  private void regroup(Traveller traveller, Action.Regroup regroup, Rule rule, NameMatch match) {
    Shape shape = traveller.tensor().spec().shape();
    long groups = values.of(regroup.groups(), rule);
    List<Long> sizes = regroup.sizes().stream().map(size -> values.of(size, rule)).toList();
    OptionalLong unit =
        regroup.unit().map(u -> OptionalLong.of(values.of(u, rule))).orElse(OptionalLong.empty());
    if (!Grouped.fits(shape, regroup.dim(), groups, sizes, unit)) {
      throw MappingFailures.notRegroupable(
          traveller.shown(), shape, regroup, groups, sizes, unit, rule);
    }
    long from = 0;
    long parts = sizes.stream().mapToLong(Long::longValue).sum();
    for (int i = 0; i < sizes.size(); i++) {
      String target = expand(regroup.to().get(i), match, rule);
      NamedTensor part =
          new Grouped(traveller.tensor(), regroup.dim(), groups, parts)
              .taken(target, List.of(new Action.Range(from, sizes.get(i))));
      from += sizes.get(i);
      claim(traveller.source(), target, part.spec().shape());
      placed.add(() -> part);
    }
  }

  private void reorder(Traveller traveller, Action.Reorder reorder, Rule rule, NameMatch match) {
    Shape shape = traveller.tensor().spec().shape();
    List<OptionalLong> lengths =
        reorder.lengths().stream()
            .map(
                l ->
                    l.map(amount -> OptionalLong.of(values.of(amount, rule)))
                        .orElse(OptionalLong.empty()))
            .toList();
    Optional<List<Long>> whole =
        reorder.dim() < shape.rank()
            ? Grouped.lengths(shape.dim(reorder.dim()), lengths)
            : Optional.empty();
    if (whole.isEmpty()) {
      throw MappingFailures.notReorderable(traveller.shown(), shape, reorder, lengths, rule);
    }
    String target = expand(reorder.to(), match, rule);
    claim(traveller.source(), target, shape);
    NamedTensor part =
        traveller.tensor().reordered(target, reorder.dim(), whole.get(), reorder.order());
    placed.add(() -> part);
  }

  private void unstack(Traveller traveller, Action.Unstack unstack, int number, NameMatch match) {
    NamedTensor tensor = traveller.tensor();
    Rule rule = rules.get(number);
    Shape shape = tensor.spec().shape();
    if (unstack.dim() >= shape.rank() || shape.dim(unstack.dim()) == 0) {
      throw MappingFailures.notUnstackable(tensor, unstack.dim(), rule);
    }
    long parts = shape.dim(unstack.dim());
    if (parts > MOST_PARTS - unstacked) {
      throw MappingFailures.tooManyParts(tensor, parts, MOST_PARTS, rule);
    }
    unstacked += parts;
    for (long i = 0; i < parts; i++) {
      Traveller part =
          new Traveller(
              tensor.selected(tensor.name(), unstack.dim(), i),
              traveller.source(),
              traveller.same() + "\n" + unstack.dim() + " at " + i);
      NameMatch numbered = match.giving(Action.Unstack.INDEX, Long.toString(i));
      if (unstack.part() instanceof Action.Split split) {
        split(part, "each part of tensor " + tensor.name(), split, rule, numbered);
      } else if (unstack.part() instanceof Action.Then then) {
        // Each time with one dimension less: no deeper than a tensor has dimensions.
        place(part.called(expand(then.to(), numbered, rule)), number + 1);
      } else if (unstack.part() instanceof Action.Rename rename) {
        String target = expand(rename.to(), numbered, rule);
        claim(part.source(), target, part.tensor().spec().shape());
        placed.add(() -> part.tensor().renamed(target));
      }
    }
  }

  private void assemble(
      Traveller traveller, String target, Rule rule, NameMatch match, Supplier<Assembly> begun) {
    NamedTensor tensor = traveller.tensor();
    Assembly assembly = assemblies.get(new Whole(rule, target));
    if (assembly == null) {
      assembly = begun.get();
      assemblies.put(new Whole(rule, target), assembly);
      placed.add(assembly::tensor);
      claim(traveller.source(), target, tensor.spec().shape());
    } else {
      rows.add(new Mapped.Row(traveller.source(), target, tensor.spec().shape()));
    }
    assembly.add(match, tensor);
  }

  /**
   * What came of all tensors.
   *
   * @throws ReweaveException if a tensor has no place, two have the same, or one is missing
   */
  Mapped finish(String place, List<Requirement> requirements) {
    if (!unplaced.isEmpty()) {
      throw MappingFailures.unplaced(unplaced, place);
    }
    if (sources.isEmpty()) {
      throw MappingFailures.nothingLeft(rows.size(), place);
    }
    checkTargets(place);
    checkWholes(place);
    checkRequired(place, requirements);
    return new Mapped(placed.stream().map(Supplier::get).toList(), aliases, rows, notes());
  }

  private void checkTargets(String place) {
    List<String> doubled = new ArrayList<>();
    sources.forEach(
        (target, from) -> {
          if (from.size() > 1) {
            doubled.add(target + " (from " + Names.shown(from) + ")");
          }
        });
    if (!doubled.isEmpty()) {
      throw MappingFailures.sameTarget(doubled, place);
    }
  }

  private void checkWholes(String place) {
    List<String> incomplete = new ArrayList<>();
    for (Assembly assembly : assemblies.values()) {
      List<String> missing = assembly.missing();
      if (!missing.isEmpty()) {
        incomplete.add(assembly.target() + " (lacks " + Names.shown(missing) + ")");
      }
    }
    if (!incomplete.isEmpty()) {
      throw MappingFailures.partsMissing(incomplete, place);
    }
  }

  private void checkRequired(String place, List<Requirement> requirements) {
    Set<String> missing = new LinkedHashSet<>();
    for (Requirement requirement : requirements) {
      missing.addAll(requirement.requiredBy(sources.keySet()));
    }
    missing.removeAll(sources.keySet());
    if (!missing.isEmpty()) {
      throw MappingFailures.requiredMissing(missing, place);
    }
  }

  private List<String> notes() {
    List<String> notes = new ArrayList<>();
    if (!shortened.isEmpty()) {
      notes.add("cut " + Names.count(shortened.size(), "tensor") + ": " + Names.shown(shortened));
    }
    if (!whole.isEmpty()) {
      notes.add(
          "left whole "
              + Names.count(whole.size(), "tensor")
              + ", as neither checkpoint nor base says to what it is to be cut: "
              + Names.shown(whole));
    }
    dropped.forEach(
        (reason, names) ->
            notes.add(
                String.format(
                    "left out %s (%s): %s",
                    Names.count(names.size(), "tensor"), reason, Names.shown(names))));
    return notes;
  }
}
