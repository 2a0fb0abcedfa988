package dev.reweave.plan.prepare;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * The rules that gave the tensors their names, whole, so that they can be applied again.
 *
 * @param name of the mapping, or empty
 */
public record MappingUsed(String name, JsonNode rules) {
  /**
   * Rules with a name.
   *
   * @throws IllegalArgumentException if there are no rules
   */
  public MappingUsed {
    name = name == null ? "" : name;
    if (rules == null) {
      throw new IllegalArgumentException("a mapping without rules");
    }
  }
}
