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
import java.util.Set;
import java.util.function.Supplier;

/** The tensors of one model on their way to their places. */
final class Placement {
  /** Names that unstacking gives, at most: they come from a shape, which is no proof of size. */
  private static final long MOST_PARTS = 1_000_000;

  /** Which whole is meant: two rules never build the same one. */
  private record Whole(Rule rule, String target) {}

  private final List<Rule> rules;
  private final List<Supplier<NamedTensor>> placed = new ArrayList<>();
  private final Map<Whole, Assembly> assemblies = new LinkedHashMap<>();
  private final Map<String, String> aliases = new LinkedHashMap<>();
  private final List<Mapped.Row> rows = new ArrayList<>();

  /** Where the first renamed or cut one of tied names went, by what tells it from others. */
  private final Map<String, String> renamed = new LinkedHashMap<>();

  /** By target, what it is made of; more than one entry per target is an error. */
  private final Map<String, List<String>> sources = new LinkedHashMap<>();

  private final Map<String, List<String>> dropped = new LinkedHashMap<>();
  private final List<String> unplaced = new ArrayList<>();
  private final List<String> shortened = new ArrayList<>();
  private long unstacked;

  Placement(List<Rule> rules) {
    this.rules = rules;
  }

  /**
   * Places one tensor where the first rule that matches it says.
   *
   * @param kept the name that a tied tensor is kept under; its own name if it is not tied
   */
  void place(NamedTensor tensor, String kept) {
    for (Rule rule : rules) {
      Optional<NameMatch> match = rule.match(tensor);
      if (match.isPresent()) {
        place(tensor, kept, rule, match.get());
        return;
      }
    }
    unplaced.add(tensor.name());
  }

  private void place(NamedTensor tensor, String kept, Rule rule, NameMatch match) {
    if (rule.action() instanceof Action.Rename rename) {
      rename(tensor, kept, expand(rename.to(), match, rule));
    } else if (rule.action() instanceof Action.Cut cut) {
      cut(tensor, kept, cut, rule, match);
    } else if (rule.action() instanceof Action.Split split) {
      split(tensor, "tensor " + tensor.name(), split, rule, match);
    } else if (rule.action() instanceof Action.Unstack unstack) {
      unstack(tensor, unstack, rule, match);
    } else if (rule.action() instanceof Action.Join join) {
      String target = expand(join.to(), match, rule);
      assemble(tensor, target, rule, match, () -> new Joining(target, rule, join));
    } else if (rule.action() instanceof Action.Stack stack) {
      String target = expand(stack.to(), match, rule);
      assemble(tensor, target, rule, match, () -> new Stacking(target, rule, stack));
    } else if (rule.action() instanceof Action.Drop drop) {
      dropped.computeIfAbsent(drop.reason(), r -> new ArrayList<>()).add(tensor.name());
      rows.add(new Mapped.Row(tensor.name(), "", tensor.spec().shape()));
    }
  }

  private static String expand(Template template, NameMatch match, Rule rule) {
    String name = template.expand(match);
    if (name.isEmpty()) {
      throw MappingFailures.emptyName(match.name(), rule);
    }
    return name;
  }

  private void claim(NamedTensor source, String target, Shape shape) {
    sources.computeIfAbsent(target, t -> new ArrayList<>()).add(source.name());
    rows.add(new Mapped.Row(source.name(), target, shape));
  }

  private void rename(NamedTensor tensor, String kept, String target) {
    claim(tensor, target, tensor.spec().shape());
    put(tensor.renamed(target), kept);
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

  private void cut(NamedTensor tensor, String kept, Action.Cut cut, Rule rule, NameMatch match) {
    Shape shape = tensor.spec().shape();
    if (cut.dim() >= shape.rank() || shape.dim(cut.dim()) < cut.length()) {
      throw MappingFailures.notCuttable(tensor, cut, rule);
    }
    NamedTensor part = tensor.narrowed(expand(cut.to(), match, rule), cut.dim(), 0, cut.length());
    claim(tensor, part.name(), part.spec().shape());
    put(part, kept + "\n" + cut.dim() + "\n" + cut.length());
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
      NamedTensor tensor, String shown, Action.Split split, Rule rule, NameMatch match) {
    Shape shape = tensor.spec().shape();
    if (split.dim() >= shape.rank() || shape.dim(split.dim()) % split.parts() != 0) {
      throw MappingFailures.notSplittable(shown, shape, split, rule);
    }
    long unit = shape.dim(split.dim()) / split.parts();
    for (Action.Share share : split.shares()) {
      String target = expand(share.to(), match, rule);
      List<NamedTensor> pieces = new ArrayList<>();
      for (Action.Range range : share.ranges()) {
        long from = range.from() * unit;
        pieces.add(tensor.narrowed(target, split.dim(), from, range.count() * unit));
      }
      NamedTensor part = NamedTensor.joined(target, split.dim(), pieces);
      claim(tensor, target, part.spec().shape());
      placed.add(() -> part);
    }
  }

  private void unstack(NamedTensor tensor, Action.Unstack unstack, Rule rule, NameMatch match) {
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
      NamedTensor part = tensor.selected(tensor.name(), unstack.dim(), i);
      NameMatch numbered = match.giving(Action.Unstack.INDEX, Long.toString(i));
      if (unstack.part() instanceof Action.Split split) {
        split(part, "each part of tensor " + tensor.name(), split, rule, numbered);
      } else if (unstack.part() instanceof Action.Rename rename) {
        String target = expand(rename.to(), numbered, rule);
        claim(part, target, part.spec().shape());
        placed.add(() -> part.renamed(target));
      }
    }
  }

  private void assemble(
      NamedTensor tensor, String target, Rule rule, NameMatch match, Supplier<Assembly> begun) {
    Assembly assembly = assemblies.get(new Whole(rule, target));
    if (assembly == null) {
      assembly = begun.get();
      assemblies.put(new Whole(rule, target), assembly);
      placed.add(assembly::tensor);
      claim(tensor, target, tensor.spec().shape());
    } else {
      rows.add(new Mapped.Row(tensor.name(), target, tensor.spec().shape()));
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
    dropped.forEach(
        (reason, names) ->
            notes.add(
                String.format(
                    "left out %s (%s): %s",
                    Names.count(names.size(), "tensor"), reason, Names.shown(names))));
    return notes;
  }
}
