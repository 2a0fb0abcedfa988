package dev.reweave.checkpoint;

import dev.reweave.common.Printable;
import java.io.Serializable;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Tensors of an opened file that are not among those of the checkpoint, by where they stand in it.
 *
 * @param kind what they are, as far as it can be told
 * @param where the keys that lead to what holds them, with dots between them; empty for tensors
 *     that stand alone at the top
 * @param tensors how many there are
 * @param keys the first of their own keys
 */
public record LeftTensors(Kind kind, String where, long tensors, List<String> keys)
    implements Serializable {
  private static final int MOST_KEYS = 5;

  /** What tensors are that are not taken. */
  public enum Kind {
    /** Moments of an optimizer, counters, states of random generators. */
    TRAINING,
    /** A dict with names: it could be converted in place of what is taken. */
    WEIGHTS,
    /** A list, or what else gives no names. */
    UNNAMED,
    /** A dict with names, of pieces that each rank has of tensors. */
    PIECES,
    /** Single tensors among other things. */
    SINGLE,
    /** The module's own copy of what is taken from elsewhere. */
    COPY
  }

  public LeftTensors {
    keys = List.copyOf(keys);
  }

  /** The same tensors of another file, counted together. */
  public LeftTensors and(LeftTensors other) {
    Set<String> all = new LinkedHashSet<>(keys);
    all.addAll(other.keys);
    return new LeftTensors(kind, where, tensors + other.tensors, List.copyOf(all));
  }

  /** What holds them, as it stands in the file: {@code 'state.ema'}. */
  public String quoted() {
    return where.isEmpty() ? names(keys) : "'" + Printable.text(where) + "'";
  }

  /** Why tensors without names are not read, and what to do to have them. */
  public String whyUnnamed() {
    return EmaSearch.isCalledSo(where)
        ? "not read: --weights " + where + " takes it under the names of the model's parameters"
        : "not read: no dict with a name for each tensor";
  }

  /** The first of their own keys that are names; empty if all are numbers. */
  public String ownNames() {
    List<String> names = keys.stream().filter(k -> !k.matches("\\d+")).toList();
    return names(names);
  }

  private static String names(List<String> keys) {
    return keys.stream().limit(MOST_KEYS).map(Printable::text).collect(Collectors.joining(", "))
        + (keys.size() > MOST_KEYS ? ", …" : "");
  }
}
