package dev.reweave.tensor;

import dev.reweave.common.BoundedMatch;
import java.io.Serializable;
import java.util.regex.Pattern;

/**
 * How tensor-parallel ranks share the tensors of some names.
 *
 * @param match a regular expression that matches the names from end to end
 */
public record SlicingRule(String match, Slicing slicing) implements Serializable {
  /**
   * Checks the expression.
   *
   * @throws java.util.regex.PatternSyntaxException if it is none
   */
  public SlicingRule {
    Pattern.compile(match);
  }

  /**
   * Whether the rule is for a tensor of this name.
   *
   * @throws dev.reweave.common.ReweaveException if the expression takes too long to tell
   */
  public boolean matches(String name) {
    return BoundedMatch.ofWhole(Pattern.compile(match), name, "a tensorParallel rule").isPresent();
  }
}
