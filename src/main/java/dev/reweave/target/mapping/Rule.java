package dev.reweave.target.mapping;

import dev.reweave.tensor.NamedTensor;
import java.util.Optional;

/**
 * Where the tensors that a pattern matches go.
 *
 * @param place for messages: the file and the rule's number in it, from 1
 */
record Rule(String place, NamePattern pattern, ShapePattern shape, Action action) {

  /** What keeps each name. */
  static final Rule KEEP_NAME =
      new Rule("", NamePattern.WHOLE, ShapePattern.ANY, new Action.Rename(Template.WHOLE));

  /** How the rule matches a tensor, if it does. */
  Optional<NameMatch> match(NamedTensor tensor) {
    return shape.matches(tensor.spec().shape()) ? pattern.match(tensor.name()) : Optional.empty();
  }
}
