package dev.reweave.target.mapping;

import dev.reweave.tensor.NamedTensor;
import java.util.Collection;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Where the tensors that a pattern matches go.
 *
 * @param place for messages: the file and the rule's number in it, from 1
 * @param beside which name the model has that the result shall look like; absent if any will do
 */
record Rule(
    String place,
    NamePattern pattern,
    ShapePattern shape,
    Optional<NamePattern> beside,
    Action action) {

  /** What keeps each name. */
  static final Rule KEEP_NAME =
      new Rule(
          "",
          NamePattern.WHOLE,
          ShapePattern.ANY,
          Optional.empty(),
          new Action.Rename(Template.WHOLE));

  /** How the rule matches a tensor, if it does. */
  Optional<NameMatch> match(NamedTensor tensor) {
    return shape.matches(tensor.spec().shape()) ? pattern.match(tensor.name()) : Optional.empty();
  }

  /** Whether the rule counts beside a model with these names. */
  boolean counts(Supplier<? extends Collection<String>> names) {
    return beside.isEmpty() || names.get().stream().anyMatch(beside.get()::matches);
  }
}
