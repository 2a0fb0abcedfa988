package dev.reweave.checkpoint;

import dev.reweave.common.Redacted;
import dev.reweave.common.ReweaveException;
import java.io.Serializable;
import java.util.List;
import java.util.Locale;

/**
 * Something that a checkpoint's files hold and that this version does not know, so that the weights
 * could come out wrong without any other sign.
 *
 * @param name what is not known: a key, a file, a program with its version
 * @param problem the same as a sentence
 * @param place the file in which it was seen first, and where in it
 */
public record Caution(Kind kind, String name, String problem, String place)
    implements Serializable {
  static final String COMPARE =
      "compare some tensors of the result with those of DeepSpeed's zero_to_fp32.py";

  /** What is not known. */
  public enum Kind {
    /** A key where every key counts, or one that looks as if it told where weights lie. */
    UNKNOWN_KEY(COMPARE + "; --strict refuses such a checkpoint"),
    /** A file beside the weights of one parameter. */
    UNKNOWN_FILE(COMPARE + "; --strict refuses such a checkpoint"),
    /** A file is not there that would tell whether others are missing. */
    MISSING_FILE(
        "convert the checkpoint that it was made from, or copy the file from there; --strict"
            + " refuses such a checkpoint"),
    /** What wrote the checkpoint is newer than all that was tested. */
    NEWER_VERSION(
        "look for a newer Reweave, or compare some tensors of the result with what the training"
            + " code loads; --strict refuses such a checkpoint");

    private final String remedy;

    Kind(String remedy) {
      this.remedy = remedy;
    }

    /** As it is written in JSON: {@code unknown-key}. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  public Caution {
    if (name.isEmpty() || problem.isBlank() || place.isBlank()) {
      throw new IllegalArgumentException("caution without name, problem or place");
    }
    place = Redacted.text(place);
  }

  /**
   * The same of another file with the same content.
   *
   * @param file in which this was seen
   */
  public Caution movedTo(String file, String other) {
    String before = Redacted.text(file);
    return place.startsWith(before)
        ? new Caution(kind, name, problem, other + place.substring(before.length()))
        : this;
  }

  /** What the user can do. */
  public String remedy() {
    return kind.remedy;
  }

  /** In one line: what, where, and what to do. */
  public String text() {
    return problem + " (" + place + "): " + remedy();
  }

  /**
   * Refuses a checkpoint of which not everything is known.
   *
   * @throws ReweaveException if there is any caution
   */
  public static void requireNone(List<Caution> cautions) {
    if (!cautions.isEmpty()) {
      throw CheckpointFailures.notAllKnown(cautions);
    }
  }
}
