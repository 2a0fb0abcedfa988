package dev.reweave.target.mapping;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Where tensors do not fit the rules of a mapping. */
final class MappingFailures {
  private static final String CORRECT = "correct the rule";
  private static final String CORRECT_OR_NARROW = "correct the rule, or let it match fewer tensors";
  private static final String CHECK =
      "check that the checkpoint is whole and that this is the mapping for it";

  private static final String OF_ANOTHER_MODEL =
      "check that base and checkpoint are of one model, or correct the rule";

  private MappingFailures() {}

  /** The mapping is for another model, or the checkpoint has tensors that it does not know. */
  static ReweaveException unplaced(List<String> tensors, String place) {
    return ReweaveException.mismatch(
        "no rule places " + listed(tensors),
        place,
        "add rules for them, or a 'drop' rule to leave them out");
  }

  /** The mapping is for another model. */
  static ReweaveException nothingLeft(int leftOut, String place) {
    return ReweaveException.mismatch(
        "the mapping leaves no tensor: all " + leftOut + " are left out",
        place,
        "check that this is the mapping for the checkpoint");
  }

  /**
   * The mapping is for another model, or two of its rules give one name.
   *
   * @param names each with what would get it
   */
  static ReweaveException sameTarget(List<String> names, String place) {
    return ReweaveException.mismatch(
        "several tensors would become " + listed(names),
        place,
        "correct the rules so that each gets a name of its own");
  }

  /**
   * The checkpoint is not whole, or the mapping not for it.
   *
   * @param wholes each with what it lacks
   */
  static ReweaveException partsMissing(List<String> wholes, String place) {
    return ReweaveException.mismatch("parts are missing of " + listed(wholes), place, CHECK);
  }

  /** The checkpoint is not whole, or the mapping not for it. */
  static ReweaveException requiredMissing(Collection<String> names, String place) {
    return ReweaveException.mismatch("the mapped model lacks " + listed(names), place, CHECK);
  }

  private static String listed(Collection<String> names) {
    return Names.count(names.size(), "tensor") + ": " + Names.shown(names);
  }

  /** A rule that is for other tensors, or wrong. */
  static ReweaveException emptyName(String tensor, Rule rule) {
    return ReweaveException.mismatch(
        "tensor " + tensor + " gets an empty name", rule.place(), CORRECT);
  }

  /** A rule that is for other tensors, or wrong. */
  static ReweaveException notANumber(String tensor, String text, String target, Rule rule) {
    return ReweaveException.mismatch(
        "tensor "
            + tensor
            + " is number '"
            + text
            + "' of "
            + target
            + ", which is no number such as 0 or 12",
        rule.place(),
        CORRECT);
  }

  /** A rule that is for other tensors, or wrong. */
  static ReweaveException sameNumber(
      String tensor, String other, int number, String target, Rule rule) {
    return ReweaveException.mismatch(
        other + " and " + tensor + " are both number " + number + " of " + target,
        rule.place(),
        CORRECT);
  }

  /** A rule that is for other tensors, or wrong. */
  static ReweaveException unknownPart(
      String tensor, String part, String target, List<String> order, Rule rule) {
    return ReweaveException.mismatch(
        "tensor " + tensor + " is part '" + part + "' of " + target + ", which has " + order,
        rule.place(),
        CORRECT);
  }

  /** A rule that is for other tensors, or wrong. */
  static ReweaveException samePart(
      String tensor, String other, String part, String target, Rule rule) {
    return ReweaveException.mismatch(
        other + " and " + tensor + " are both part '" + part + "' of " + target,
        rule.place(),
        CORRECT);
  }

  /** A rule that is for other tensors, or wrong. */
  static ReweaveException notStackable(String target, int dim, NamedTensor part, Rule rule) {
    return ReweaveException.mismatch(
        "parts of "
            + target
            + " cannot be stacked along dimension "
            + dim
            + ": "
            + Assembly.shown(part),
        rule.place(),
        CORRECT);
  }

  /** A rule that is for other tensors, or wrong. */
  static ReweaveException differentTypes(
      String target, NamedTensor one, NamedTensor other, Rule rule) {
    return ReweaveException.mismatch(
        "parts of " + target + " are of different types: " + both(one, other),
        rule.place(),
        CORRECT);
  }

  /** A rule that is for other tensors, or wrong. */
  static ReweaveException differentShapes(
      String target, NamedTensor one, NamedTensor other, Rule rule) {
    return ReweaveException.mismatch(
        "parts of " + target + " are of different shapes: " + both(one, other),
        rule.place(),
        CORRECT);
  }

  /** A rule that is for other tensors, or wrong. */
  static ReweaveException unfitShapes(
      String target, int dim, NamedTensor one, NamedTensor other, Rule rule) {
    return ReweaveException.mismatch(
        "parts of "
            + target
            + " are of shapes that do not go together along dimension "
            + dim
            + ": "
            + both(one, other),
        rule.place(),
        CORRECT);
  }

  /** A rule that is for other tensors, or wrong. */
  static ReweaveException notInGroups(NamedTensor part, int dim, long groups, Rule rule) {
    return ReweaveException.mismatch(
        "tensor "
            + Assembly.shown(part)
            + " has no dimension "
            + dim
            + " that can be cut into "
            + groups
            + " equal groups",
        rule.place(),
        CORRECT);
  }

  private static String both(NamedTensor one, NamedTensor other) {
    return Assembly.shown(one) + ", " + Assembly.shown(other);
  }

  /**
   * A rule that is for other tensors, or wrong; or the model has fewer of what is to be left, such
   * as a vocabulary that is smaller than the base's.
   *
   * @param shown what is cut, such as {@code tensor a}
   */
  static ReweaveException notCuttable(String shown, Shape shape, int dim, long length, Rule rule) {
    return ReweaveException.mismatch(
        String.format(
            "%s of shape %s has no dimension %d that can be cut to %d", shown, shape, dim, length),
        rule.place(),
        CORRECT_OR_NARROW);
  }

  /** Neither the checkpoint nor a base says it, and no shape does. */
  static ReweaveException unknownValue(String name, NamedValue value, String place) {
    return ReweaveException.mismatch(
        "the mapping needs the number '"
            + name
            + "', which "
            + told(value)
            + " would tell, and nothing does",
        place,
        value.configured().isEmpty()
            ? "put the model's config.json beside its safetensors, where they are the input"
            : "name the folder of the model's config.json with --base");
  }

  private static String told(NamedValue value) {
    List<String> from = new ArrayList<>();
    if (!value.trained().isEmpty()) {
      from.add(value.trained().get(0) + " of the checkpoint");
    }
    if (!value.configured().isEmpty()) {
      from.add(value.configured().get(0) + " of the base's config.json");
    }
    return String.join(" or ", from);
  }

  /** The base is of another model than the checkpoint. */
  static ReweaveException valuesDiffer(
      String name, NamedValue value, long ofTrainer, long ofBase, String place) {
    return ReweaveException.mismatch(
        "the checkpoint was trained with "
            + value.trained().get(0)
            + " "
            + ofTrainer
            + ", and the config.json of the base has "
            + value.configured().get(0)
            + " "
            + ofBase
            + " ('"
            + name
            + "' of the mapping)",
        place,
        "name the base of this very model, with a config.json of these numbers");
  }

  /**
   * The numbers are of another model than the tensors.
   *
   * @param names that stand in {@code amount}
   */
  static ReweaveException notWhole(
      Amount amount, List<String> names, Function<String, OptionalLong> numbers, Rule rule) {
    return ReweaveException.mismatch(
        "'"
            + amount
            + "' is no whole number above 0: "
            + names.stream()
                .map(name -> name + " is " + numbers.apply(name).orElse(0))
                .collect(Collectors.joining(", ")),
        rule.place(),
        OF_ANOTHER_MODEL);
  }

  /** The numbers are of another model than the tensors, or the rule is wrong. */
  static ReweaveException notRegroupable(
      String shown,
      Shape shape,
      Action.Regroup regroup,
      long groups,
      List<Long> sizes,
      OptionalLong unit,
      Rule rule) {
    return ReweaveException.mismatch(
        String.format(
            "%s of shape %s has no dimension %d of %d groups (%s) of %s parts%s (%s)",
            shown,
            shape,
            regroup.dim(),
            groups,
            regroup.groups(),
            sizes.stream().map(String::valueOf).collect(Collectors.joining(" + ")),
            unit.isPresent() ? " of length " + unit.getAsLong() : "",
            regroup.sizes().stream().map(Amount::toString).collect(Collectors.joining(", "))),
        rule.place(),
        OF_ANOTHER_MODEL);
  }

  /** The numbers are of another model than the tensors, or the rule is wrong. */
  static ReweaveException notReorderable(
      String shown, Shape shape, Action.Reorder reorder, List<OptionalLong> lengths, Rule rule) {
    return ReweaveException.mismatch(
        String.format(
            "%s of shape %s has no dimension %d that is %s (%s)",
            shown,
            shape,
            reorder.dim(),
            lengths.stream()
                .map(l -> l.isPresent() ? String.valueOf(l.getAsLong()) : "*")
                .collect(Collectors.joining(" x ")),
            reorder.lengths().stream()
                .map(l -> l.map(Amount::toString).orElse("*"))
                .collect(Collectors.joining(", "))),
        rule.place(),
        OF_ANOTHER_MODEL);
  }

  /**
   * A rule that is for other tensors, or wrong.
   *
   * @param shown what is split, such as {@code tensor a}
   */
  static ReweaveException notSplittable(String shown, Shape shape, Action.Split split, Rule rule) {
    return ReweaveException.mismatch(
        String.format(
            "%s of shape %s has no dimension %d that can be cut into %d equal parts",
            shown, shape, split.dim(), split.parts()),
        rule.place(),
        CORRECT_OR_NARROW);
  }

  /** A rule that is for other tensors, or wrong. */
  static ReweaveException notUnstackable(NamedTensor tensor, int dim, Rule rule) {
    return ReweaveException.mismatch(
        String.format(
            "tensor %s of shape %s has no dimension %d that can be unstacked",
            tensor.name(), tensor.spec().shape(), dim),
        rule.place(),
        CORRECT_OR_NARROW);
  }

  /** A rule that is for other tensors, or wrong. */
  static ReweaveException tooManyParts(NamedTensor tensor, long parts, long most, Rule rule) {
    return ReweaveException.mismatch(
        String.format(
            "tensor %s of shape %s would be unstacked into %d parts, and all are to be %d at most",
            tensor.name(), tensor.spec().shape(), parts, most),
        rule.place(),
        CORRECT_OR_NARROW);
  }

  /** A name has something that the rule's table does not know. */
  static ReweaveException untranslated(String group, String tensor, String place) {
    return ReweaveException.mismatch(
        "'translate' has no entry for group '" + group + "' of tensor " + tensor,
        place,
        "add it, or let the rule match fewer tensors");
  }
}
