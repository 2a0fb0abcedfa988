package dev.reweave.checkpoint;

import dev.reweave.common.Counted;
import dev.reweave.common.Printable;
import dev.reweave.common.ReweaveException;
import dev.reweave.format.pytorch.TensorCensus;
import dev.reweave.format.pytorch.TensorCensus.Holder;
import dev.reweave.format.pytorch.TorchValue;
import dev.reweave.storage.ByteSize;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The dicts of tensors in a torch file, and which of them is meant. */
public final class TorchDicts {
  /** Where trainers put the state dict in what they save, tried in this order. */
  static final List<String> WRAPPERS = List.of("module", "state_dict", "model", "model_state_dict");

  /** What trainers call a copy of the weights that is averaged over steps. */
  private static final Pattern AVERAGED =
      Pattern.compile("(?i)(.*[_.])?(ema|swa|shadow|averaged?)([_.].*)?");

  private static final int MOST_LISTED = 10;

  private final TorchValue root;

  /** Those below a value. */
  public TorchDicts(TorchValue root) {
    this.root = root;
  }

  /**
   * A dict that holds tensors, or a list of averages.
   *
   * @param path the keys that lead to it; empty for the whole file
   * @param of what the tensors are
   */
  public record Chosen(TorchValue dict, List<String> path, Of of) {
    /** What the keys tell. */
    Chosen(TorchValue dict, List<String> path) {
      this(dict, path, path.stream().anyMatch(TorchDicts::isAveraged) ? Of.AVERAGE : Of.WEIGHTS);
    }

    /** The keys with dots between them; empty for the whole file. */
    String key() {
      return String.join(".", path);
    }
  }

  /** What tensors are. */
  public enum Of {
    /** Weights as they were trained, or what nobody says more of. */
    WEIGHTS,
    /** Averages of weights over steps, for which trainers may have other names. */
    AVERAGE
  }

  /**
   * The dict in which trainers keep the model.
   *
   * @throws ReweaveException if there is none, or several could be
   */
  public Chosen ofModel() {
    return ofModel(root, List.of());
  }

  /**
   * The dict that is meant by the name of a copy of the weights.
   *
   * @param name {@code model}, which is any file's usual dict if it has none of this key; {@code
   *     ema}, which is the only moving average, whatever its key is; or keys
   * @throws ReweaveException if there is none
   */
  public Optional<Chosen> asked(String name) {
    if (name.equals(EmaSearch.NAME)) {
      return Optional.of(new EmaSearch(this, root).find());
    }
    boolean any = name.equals("model");
    return any && root.find(name).filter(TorchDicts::isDictOfTensors).isEmpty()
        ? Optional.empty()
        : Optional.of(named(name));
  }

  /** Whether trainers put the model there. */
  public boolean isUsual(Chosen chosen) {
    return chosen.path().isEmpty()
        || (chosen.path().size() == 1 && WRAPPERS.contains(chosen.path().get(0)));
  }

  /**
   * The dict that a user names.
   *
   * @param name its key, or keys with dots between them
   * @throws ReweaveException if there is none
   */
  private Chosen named(String name) {
    Found found = find(root, name, new ArrayList<>()).orElseThrow(() -> noSuchWeights(name));
    return isDictOfTensors(found.value()) || isListOfTensors(found.value())
        ? new Chosen(found.value(), found.path())
        : ofModel(found.value(), found.path());
  }

  /** What to say if there is nothing of a name. */
  ReweaveException noSuchWeights(String name) {
    return CheckpointFailures.noSuchWeights(name, others(), root.place());
  }

  private record Found(TorchValue value, List<String> path) {}

  /** Keys can have dots in them. */
  private static Optional<Found> find(TorchValue at, String name, List<String> before) {
    Optional<TorchValue> whole = step(at, name);
    if (whole.isPresent()) {
      return Optional.of(new Found(whole.get(), with(before, name)));
    }
    for (int dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
      String first = name.substring(0, dot);
      Optional<Found> found =
          step(at, first)
              .flatMap(v -> find(v, name.substring(first.length() + 1), with(before, first)));
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  static List<String> with(List<String> path, String key) {
    List<String> longer = new ArrayList<>(path);
    longer.add(key);
    return longer;
  }

  private static Optional<TorchValue> step(TorchValue at, String key) {
    if (at.isSequence() && key.matches("\\d{1,9}")) {
      List<TorchValue> items = at.items();
      int item = Integer.parseInt(key);
      return item < items.size() ? Optional.of(items.get(item)) : Optional.empty();
    }
    return at.find(key).or(() -> at.attribute(key));
  }

  /** The dict of the model in what is found at a path. */
  Chosen ofModel(TorchValue at, List<String> path) {
    for (String wrapper : WRAPPERS) {
      Optional<TorchValue> inner = at.find(wrapper).filter(TorchDicts::isDictOfTensors);
      if (inner.isPresent()) {
        return new Chosen(inner.get(), with(path, wrapper));
      }
    }
    if (isDictOfTensors(at) && hasMoreThanNumbers(at)) {
      return new Chosen(at, path);
    }
    List<Holder> candidates = candidates(at, path, h -> !FileCensus.isTraining(h));
    List<Holder> trained =
        candidates.stream()
            .filter(h -> h.path().stream().noneMatch(TorchDicts::isAveraged))
            .toList();
    List<Holder> meant = candidates.size() == 1 ? candidates : trained;
    if (meant.size() == 1) {
      Holder one = meant.get(0);
      TorchValue dict = reached(root, one.path()).orElseThrow();
      return new Chosen(dict, one.path());
    }
    if (candidates.isEmpty()) {
      if (isDictOfTensors(at)) {
        return new Chosen(at, path);
      }
      throw CheckpointFailures.noStateDict(WRAPPERS, at.place());
    }
    throw CheckpointFailures.severalWeights(listed(candidates), key(candidates.get(0)), at.place());
  }

  /** Whether there is a tensor that is no counter, and no state of a random generator. */
  private static boolean hasMoreThanNumbers(TorchValue dict) {
    return dict.entries().stream()
        .anyMatch(
            e ->
                e.getValue().isUnreadTensor()
                    || (e.getValue().isTensor()
                        && e.getValue().tensor().elements() > 1
                        && !FileCensus.isTrainingName(e.getKey())));
  }

  private List<Holder> candidates(TorchValue at, List<String> path, Predicate<Holder> wanted) {
    return TensorCensus.of(at, List.of()).stream()
        .map(h -> FileCensus.below(path, h))
        .filter(h -> h.kind() == TensorCensus.Kind.DICT && h.path().size() > path.size())
        .filter(wanted)
        .filter(h -> reached(root, h.path()).filter(TorchDicts::isDictOfTensors).isPresent())
        .toList();
  }

  /** What keys lead to. */
  static Optional<TorchValue> reached(TorchValue from, List<String> path) {
    Optional<TorchValue> at = Optional.of(from);
    for (String key : path) {
      at = at.flatMap(v -> step(v, key));
    }
    return at;
  }

  /** What can be named, as in messages; empty if there is nothing. */
  private String others() {
    return listed(candidates(root, List.of(), h -> true));
  }

  private static String listed(List<Holder> candidates) {
    return candidates.stream()
            .limit(MOST_LISTED)
            .map(
                h ->
                    "'"
                        + Printable.text(key(h))
                        + "' ("
                        + Counted.grouped(h.tensors(), "tensor")
                        + ", "
                        + Counted.grouped(h.elements(), "parameter")
                        + ", "
                        + ByteSize.format(h.bytes())
                        + ")")
            .collect(Collectors.joining(", "))
        + (candidates.size() > MOST_LISTED
            ? ", and " + (candidates.size() - MOST_LISTED) + " more"
            : "");
  }

  private static String key(Holder holder) {
    return String.join(".", holder.path());
  }

  /** Whether a key is that of weights that are averaged over steps. */
  static boolean isAveraged(String key) {
    return AVERAGED.matcher(key).matches();
  }

  /** Whether this is a list in which there are tensors. */
  static boolean isListOfTensors(TorchValue value) {
    return value.isSequence() && value.items().stream().anyMatch(TorchValue::isTensor);
  }

  static boolean isDictOfTensors(TorchValue value) {
    return value.isDict()
        && value.entries().stream()
            .anyMatch(e -> e.getValue().isTensor() || e.getValue().isUnreadTensor());
  }
}
