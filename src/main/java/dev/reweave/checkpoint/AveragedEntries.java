package dev.reweave.checkpoint;

import dev.reweave.checkpoint.TorchDicts.Chosen;
import dev.reweave.common.Counted;
import dev.reweave.common.FirstNames;
import dev.reweave.common.Printable;
import dev.reweave.common.ReweaveException;
import dev.reweave.format.pytorch.TorchTensor;
import dev.reweave.format.pytorch.TorchValue;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What the tensors of a chosen dict are called in the model. Classes for moving averages put their
 * own name before those of the model, counters beside them, or keep a list without any names.
 *
 * @param entries of the model
 * @param left what else the dict has: counters of the average, and what it is an average of
 * @param notes what was decided
 */
public record AveragedEntries(TensorEntries entries, List<LeftTensors> left, List<String> notes) {
  /**
   * What counts the steps of an average, or is one of its numbers: {@code AveragedModel} of torch
   * and mmengine, {@code ema-pytorch}, and {@code LitEma}.
   */
  private static final Set<String> COUNTERS =
      Set.of("n_averaged", "steps", "initted", "step", "num_updates", "updates", "decay");

  /**
   * The tensors of the chosen dict or list.
   *
   * @param root the whole file
   * @throws ReweaveException if it is a list that does not go with the model beside it, or has
   *     several averages
   */
  public static AveragedEntries of(TorchValue root, Chosen chosen) {
    if (chosen.dict().isSequence()) {
      return ShadowParameters.of(root, chosen).named();
    }
    TensorEntries all =
        chosen.path().isEmpty()
            ? TensorEntries.ofFile(chosen.dict())
            : TensorEntries.ofModule(chosen.dict(), chosen.path());
    return chosen.of() == TorchDicts.Of.AVERAGE
        ? ofAverage(all, chosen)
        : new AveragedEntries(all, List.of(), List.of());
  }

  /** Whether a tensor of an average is one of its numbers, and none of its weights. */
  public static boolean isCounter(String name, long elements) {
    return COUNTERS.contains(name) && elements <= 1;
  }

  /** Whether a name starts with what a module calls its average. */
  static boolean isOfAverage(String name) {
    int dot = name.indexOf('.');
    return dot > 0 && EmaSearch.isCalledSo(name.substring(0, dot));
  }

  private static AveragedEntries ofAverage(TensorEntries all, Chosen chosen) {
    Set<String> owners = new LinkedHashSet<>();
    all.tensors().keySet().stream()
        .filter(AveragedEntries::isOfAverage)
        .forEach(name -> owners.add(name.substring(0, name.indexOf('.'))));
    if (owners.size() > 1) {
      throw CheckpointFailures.severalAverages(List.copyOf(owners), chosen.dict().place());
    }
    String prefix = owners.stream().map(owner -> owner + ".").findFirst().orElse("");
    Map<String, TorchTensor> kept = new LinkedHashMap<>();
    List<String> left = new ArrayList<>();
    all.tensors()
        .forEach(
            (name, tensor) -> {
              String own = name.startsWith(prefix) ? name.substring(prefix.length()) : name;
              boolean counter = isCounter(own, tensor.elements());
              if (counter || !name.startsWith(prefix)) {
                left.add(name);
              } else {
                kept.put(own, tensor);
              }
            });
    List<String> notes = new ArrayList<>();
    if (!prefix.isEmpty()) {
      notes.add("names come without '" + Printable.text(prefix) + "', which the average has");
    }
    if (!left.isEmpty()) {
      notes.add(
          Counted.of(left.size(), "tensor")
              + " beside the average left out: "
              + FirstNames.of(left));
    }
    Map<String, ReweaveException> unread = new LinkedHashMap<>(all.unread());
    unread.keySet().removeIf(name -> !name.startsWith(prefix));
    boolean undotted =
        left.contains(prefix + "num_updates")
            && !prefix.isEmpty()
            && kept.keySet().stream().noneMatch(name -> name.indexOf('.') >= 0);
    return new AveragedEntries(
        new TensorEntries(
            undotted ? dotted(kept, all, prefix, chosen) : kept, unread, all.others()),
        left.isEmpty()
            ? List.of()
            : List.of(new LeftTensors(LeftTensors.Kind.SINGLE, "", left.size(), left)),
        notes);
  }

  /**
   * {@code LitEma} of latent diffusion takes the dots out of the names of {@code model.…}, which
   * stand in the same dict: {@code model_ema.diffusion_modelout0weight}.
   */
  private static Map<String, TorchTensor> dotted(
      Map<String, TorchTensor> undotted, TensorEntries all, String prefix, Chosen chosen) {
    String trained = prefix.replaceFirst("(?i)_?ema_?", "");
    Map<String, String> names = new LinkedHashMap<>();
    for (String name : all.tensors().keySet()) {
      if (name.startsWith(trained) && !name.startsWith(prefix)) {
        String own = name.substring(trained.length());
        String other = names.put(own.replace(".", ""), own);
        if (other != null) {
          throw CheckpointFailures.namesWithoutDots(own.replace(".", ""), chosen.dict().place());
        }
      }
    }
    Map<String, TorchTensor> dotted = new LinkedHashMap<>();
    undotted.forEach(
        (name, tensor) -> {
          if (!names.containsKey(name)) {
            throw CheckpointFailures.namesWithoutDots(name, chosen.dict().place());
          }
          dotted.put(names.get(name), tensor);
        });
    return dotted;
  }
}
