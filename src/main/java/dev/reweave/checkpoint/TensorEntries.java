package dev.reweave.checkpoint;

import dev.reweave.common.ReweaveException;
import dev.reweave.format.pytorch.TensorSearch;
import dev.reweave.format.pytorch.TorchTensor;
import dev.reweave.format.pytorch.TorchValue;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

/**
 * The entries of a state dict. What is no tensor is told from what should be one: a weight that
 * cannot be read must not be left out.
 *
 * @param tensors by name, in order
 * @param unread why other tensors cannot be read, by name
 * @param others entries that are no tensors, by name
 */
public record TensorEntries(
    Map<String, TorchTensor> tensors,
    Map<String, ReweaveException> unread,
    Map<String, TorchValue> others) {
  /** What FSDP saves of a tensor in each rank's file. */
  private static final Pattern SLICE = Pattern.compile(".*\\b(ShardedTensor|DTensor)\\b.*");

  private static final String EXTRA_STATE = "_extra_state";

  /** Where a state dict stands. */
  private enum Where {
    /** In a dict of its own: there is nothing but tensors, and extra state of modules. */
    ALONE,
    /** Among other things that a program saved with it. */
    AMONG_OTHERS
  }

  /**
   * What {@code module.state_dict()} gives.
   *
   * @throws ReweaveException if it is no dict, or two entries have one name
   */
  public static TensorEntries ofModule(TorchValue dict) {
    return ofModule(dict, List.of());
  }

  /**
   * The same of one that stands in a file with others.
   *
   * @param path keys that lead to it
   */
  public static TensorEntries ofModule(TorchValue dict, List<String> path) {
    return of(dict, Where.ALONE, path);
  }

  /** A file's whole value, where other things can stand beside the tensors. */
  public static TensorEntries ofFile(TorchValue dict) {
    return of(dict, Where.AMONG_OTHERS, List.of());
  }

  /** Refuses what cannot be read. */
  public TensorEntries requireRead() {
    for (ReweaveException first : unread.values()) {
      throw first;
    }
    return this;
  }

  /** The same under other names, which are no fewer. */
  public TensorEntries renamed(UnaryOperator<String> name) {
    return new TensorEntries(renamed(tensors, name), renamed(unread, name), renamed(others, name));
  }

  private static <V> Map<String, V> renamed(Map<String, V> entries, UnaryOperator<String> name) {
    Map<String, V> renamed = new LinkedHashMap<>();
    entries.forEach((before, value) -> renamed.put(name.apply(before), value));
    return renamed;
  }

  private static TensorEntries of(TorchValue dict, Where where, List<String> path) {
    TensorSearch search = new TensorSearch();
    Map<String, TorchTensor> tensors = new LinkedHashMap<>();
    Map<String, ReweaveException> unread = new LinkedHashMap<>();
    Map<String, TorchValue> others = new LinkedHashMap<>();
    for (Map.Entry<String, TorchValue> entry : dict.entries()) {
      String name = entry.getKey();
      Optional<ReweaveException> why = whyUnread(name, entry.getValue(), where, path, search);
      boolean twice = tensors.containsKey(name) || unread.containsKey(name);
      if (entry.getValue().isTensor()) {
        tensors.put(name, entry.getValue().tensor());
      } else if (why.isPresent()) {
        unread.put(name, why.get());
      } else {
        others.put(name, entry.getValue());
        continue;
      }
      if (twice) {
        throw CheckpointFailures.twoOfOneName(name, dict.place());
      }
    }
    return new TensorEntries(tensors, unread, others);
  }

  private static Optional<ReweaveException> whyUnread(
      String name, TorchValue value, Where where, List<String> path, TensorSearch search) {
    if (value.isTensor() || isExtraState(name)) {
      return Optional.empty();
    }
    if (value.isUnreadTensor() || (value.isUnknownObject() && !value.isDict())) {
      return value.isUnreadTensor() || where == Where.ALONE || search.findsTensorsOrBytes(value)
          ? Optional.of(unread(name, value))
          : Optional.empty();
    }
    boolean training =
        where == Where.AMONG_OTHERS
            && (FileCensus.isTrainingName(name) || TorchDicts.isAveraged(name));
    return !training && search.findsTensors(value)
        ? Optional.of(CheckpointFailures.tensorsWithin(name, value, path))
        : Optional.empty();
  }

  /** Whether modules may keep what they want under a name. */
  public static boolean isExtraState(String name) {
    return name.equals(EXTRA_STATE) || name.endsWith("." + EXTRA_STATE);
  }

  /** What to tell of a value that torch may well make a tensor of. */
  public static ReweaveException unread(String name, TorchValue value) {
    return SLICE.matcher(value.kind()).matches()
        ? CheckpointFailures.sliceOfTensor(name, value)
        : CheckpointFailures.notPlain(name, value);
  }
}
