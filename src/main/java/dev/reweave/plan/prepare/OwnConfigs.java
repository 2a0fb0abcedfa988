package dev.reweave.plan.prepare;

import dev.reweave.plan.SmallFile;
import dev.reweave.storage.InputFile;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Configs that a result has without a base: those that lie beside its weights, or that are made of
 * what is known of them.
 *
 * @param input the file that comes along; empty if none does
 * @param copies the files of the result
 * @param notes what the user should know of them
 */
record OwnConfigs(Optional<InputFile> input, List<SmallFile> copies, List<String> notes) {
  /** There are none. */
  static final OwnConfigs NONE = told(List.of());

  OwnConfigs {
    copies = List.copyOf(copies);
    notes = List.copyOf(notes);
  }

  /** None, and what is to be said of it. */
  static OwnConfigs told(List<String> notes) {
    return new OwnConfigs(Optional.empty(), List.of(), notes);
  }

  /** One config that is made, and read nowhere. */
  static OwnConfigs made(SmallFile file, List<String> notes) {
    return new OwnConfigs(Optional.empty(), List.of(file), notes);
  }

  /** Both; of two files that come along the first one. */
  OwnConfigs and(OwnConfigs other) {
    return new OwnConfigs(
        input.or(other::input),
        Stream.of(copies, other.copies).flatMap(List::stream).toList(),
        Stream.of(notes, other.notes).flatMap(List::stream).toList());
  }
}
