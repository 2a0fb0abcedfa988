package dev.reweave.plan.prepare;

import dev.reweave.common.Option;
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

  /** What is asked for. */
  public static final Option<MappingChoice> MAPPING =
      Option.of("mapping", "auto|none|NAME|URI", "auto", MappingChoice::of)
          .under(Option.Theme.BASE)
          .help(
              "Rules for the tensors' names: recognised, none, shipped ones, or a file of them"
                  + " (default: ${DEFAULT-VALUE}).")
          .more(": see [mappings](base-and-mapping.md#mappings)");

  /** What {@code --mapping} says. */
  public static MappingChoice of(String text) {
    return new MappingChoice(text, Optional.empty());
  }
}
