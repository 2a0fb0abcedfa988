package dev.reweave.checkpoint;

import dev.reweave.checkpoint.TorchDicts.Chosen;
import dev.reweave.common.ReweaveException;
import dev.reweave.format.pytorch.TensorCensus;
import dev.reweave.format.pytorch.TorchValue;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Finds the moving average of the weights in what a trainer saved, where {@code --weights ema} does
 * not say how the trainer calls it.
 */
public final class EmaSearch {
  /** As {@code --weights} has it. */
  public static final String NAME = "ema";

  /** Keys, folders and first parts of names that say so. */
  private static final Pattern CALLED =
      Pattern.compile("(?i)(.*[_.-])?(ema|shadow)([_.-].*)?", Pattern.DOTALL);

  /**
   * Where classes for averages keep the weights, beside their numbers: {@code torch_ema},
   * diffusers' {@code EMAModel}, fairseq's, and many of those that trainers write themselves.
   */
  private static final List<String> INNER = List.of("shadow_params", "shadow", "ema_model");

  /** What mmengine's {@code EMAHook} saves the model as, and with it that no other trainer has. */
  private static final String OF_MMENGINE = "ema_state_dict";

  private final TorchDicts dicts;
  private final TorchValue root;

  EmaSearch(TorchDicts dicts, TorchValue root) {
    this.dicts = dicts;
    this.root = root;
  }

  /** Whether a key, a folder or a part of a name is that of a moving average. */
  public static boolean isCalledSo(String name) {
    return CALLED.matcher(name).matches();
  }

  /**
   * The only average.
   *
   * @throws ReweaveException if there is none, or there are several
   */
  Chosen find() {
    requireNotExchanged();
    Optional<TorchValue> plain = root.find(NAME);
    if (plain.isPresent()) {
      return within(plain.get(), List.of(NAME));
    }
    Map<List<String>, TorchValue> found = new LinkedHashMap<>();
    for (TensorCensus.Holder holder : TensorCensus.of(root, List.of())) {
      List<String> path = holder.path();
      int end = 0;
      while (end < path.size() && !isCalledSo(path.get(end))) {
        end++;
      }
      if (end < path.size() && !FileCensus.isTraining(holder)) {
        List<String> to = path.subList(0, end + 1);
        TorchDicts.reached(root, to).ifPresent(value -> found.put(to, value));
      }
    }
    if (found.size() > 1) {
      throw CheckpointFailures.severalAverages(
          found.keySet().stream().map(path -> String.join(".", path)).toList(), root.place());
    }
    if (found.isEmpty()) {
      return amongNames();
    }
    Map.Entry<List<String>, TorchValue> only = found.entrySet().iterator().next();
    return within(only.getValue(), only.getKey());
  }

  /**
   * mmengine exchanges the two before it saves them, so that what is loaded is the average ({@code
   * EMAHook.before_save_checkpoint}).
   */
  private void requireNotExchanged() {
    boolean mmengine =
        root.find("message_hub").isPresent()
            || root.find("meta").flatMap(meta -> meta.find("mmengine_version")).isPresent();
    if (mmengine && root.find(OF_MMENGINE).isPresent()) {
      throw CheckpointFailures.exchangedAverage(OF_MMENGINE, root.place());
    }
  }

  private Chosen within(TorchValue value, List<String> path) {
    if (TorchDicts.isListOfTensors(value)) {
      return new Chosen(value, path);
    }
    for (String inner : INNER) {
      Optional<TorchValue> found =
          value
              .find(inner)
              .or(() -> value.attribute(inner))
              .filter(v -> TorchDicts.isListOfTensors(v) || TorchDicts.isDictOfTensors(v));
      if (found.isPresent()) {
        return new Chosen(found.get(), TorchDicts.with(path, inner));
      }
    }
    return dicts.ofModel(value, path);
  }

  /** A module that keeps the average as one of its own: names of both stand in one dict. */
  private Chosen amongNames() {
    List<Chosen> usual = new ArrayList<>(List.of(new Chosen(root, List.of())));
    TorchDicts.WRAPPERS.forEach(
        key -> root.find(key).ifPresent(dict -> usual.add(new Chosen(dict, List.of(key)))));
    for (Chosen dict : usual) {
      if (TorchDicts.isDictOfTensors(dict.dict())
          && dict.dict().entries().stream()
              .anyMatch(e -> e.getValue().isTensor() && AveragedEntries.isOfAverage(e.getKey()))) {
        return new Chosen(dict.dict(), dict.path(), TorchDicts.Of.AVERAGE);
      }
    }
    throw dicts.noSuchWeights(NAME);
  }
}
