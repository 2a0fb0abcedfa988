package dev.reweave.checkpoint;

import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** One model that a format finds at a place, with the steps in which it was saved. */
public interface Contents {
  /** What people find it by: the name of a file, of an index, or of a folder. */
  String name();

  /** What to name to have this and nothing else. */
  Location address();

  /**
   * How it stands to others of its format at the same place: the lowest is taken; of several that
   * are equally low, none is without being asked for.
   */
  default int precedence() {
    return 0;
  }

  /**
   * Whether naming {@link #address()} gives this. A folder that holds other models too does not
   * give a model of several files; to have it, they must be moved to a folder of their own.
   */
  default boolean isNamedAlone() {
    return true;
  }

  /** What to do to have it, where something else is taken. */
  default String remedy() {
    return isNamedAlone()
        ? "name it to convert it"
        : "move its files to a folder of their own to convert it";
  }

  /**
   * The file in which a trainer's own dicts of weights stand under keys; empty if there is none, or
   * this is one file.
   *
   * @param wanted the tag that the user asks for; empty for the newest
   * @throws ReweaveException if there is no such step, or it is not clear which is meant
   */
  default Optional<Location> keyed(Optional<String> wanted) {
    return Optional.empty();
  }

  /** How many tensors its files hold, whole or not; {@link NotTaken#UNCOUNTED} if nobody knows. */
  default long storedTensors() {
    return NotTaken.UNCOUNTED;
  }

  /** Whether libraries load it as it lies there. */
  default boolean isLoadable() {
    return false;
  }

  /**
   * A folder in which the trainer has put what a library wants beside these weights.
   *
   * @param wanted the tag that the user asks for; empty for the newest
   * @throws ReweaveException if there is no such step, or it is not clear which is meant
   */
  default Optional<Location> configs(Optional<String> wanted) {
    return Optional.empty();
  }

  /** The tags of its saved steps, in natural order; empty if it is not saved in steps. */
  default List<String> steps() {
    return List.of();
  }

  /**
   * The tag of the step that would be read; empty if there are no steps.
   *
   * @param wanted the tag that the user asks for; empty for the newest
   * @throws ReweaveException if there is no such step, or it is not clear which is meant
   */
  default Optional<String> step(Optional<String> wanted) {
    return Optional.empty();
  }

  /**
   * The files that it is made of, needed or not.
   *
   * @param wanted the tag that the user asks for; empty for the newest
   * @throws ReweaveException if there is no such step, or it is not clear which is meant
   */
  List<InputFile> files(Optional<String> wanted);

  /**
   * Which files at the place are its own, so that no other format takes them for a model: by names
   * alone.
   */
  default Set<Location> claims() {
    return files(Optional.empty()).stream().map(InputFile::location).collect(Collectors.toSet());
  }

  /**
   * Reads its structure; no weights are read.
   *
   * @throws ReweaveException if it is not whole, of a kind that is not read, or cannot give what is
   *     asked for
   */
  Checkpoint read(ReadOptions options);
}
