package dev.reweave.plan.prepare;

import java.util.Optional;

/**
 * Which rules give the tensors their names.
 *
 * @param name {@code auto}, {@code none}, the name of a shipped mapping, or the address of a file
 * @param rules the rules themselves as JSON, where they are at hand
 */
public record MappingChoice(String name, Optional<String> rules) {
  /** What recognises the naming scheme, and keeps names that none is known for. */
  public static final MappingChoice AUTO = new MappingChoice("auto", Optional.empty());

  /** What keeps all names. */
  public static final MappingChoice NONE = new MappingChoice("none", Optional.empty());

  /** What {@code --mapping} says. */
  public static MappingChoice of(String text) {
    return new MappingChoice(text, Optional.empty());
  }
}
