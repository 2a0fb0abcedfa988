package dev.reweave.checkpoint;

import dev.reweave.format.pytorch.TensorCensus;
import dev.reweave.format.pytorch.TensorCensus.Holder;
import dev.reweave.format.pytorch.TorchValue;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Tells what a torch file holds beside what is taken of it: every tensor of it is in one of the
 * entries.
 */
public final class FileCensus {
  /** Names under which trainers keep optimizers and the like, beyond those they agree on. */
  private static final Pattern TRAINING =
      Pattern.compile(
          "(?i).*optim.*|opt([_-].*)?|.*sched.*|(.*_)?rng(_.*)?|.*random_states?|.*scaler.*"
              + "|callbacks|loops");

  /** Of so many places each is told apart; of more, what holds them is. */
  private static final int MOST_PLACES = 20;

  private FileCensus() {}

  /**
   * What is left of a file.
   *
   * @param taken values whose tensors are the checkpoint's, or counted elsewhere
   */
  public static List<LeftTensors> of(TorchValue root, Collection<TorchValue> taken) {
    return told(TensorCensus.of(root, taken));
  }

  /** The same of a dict of which those tensors are taken that are directly in it. */
  public static List<LeftTensors> within(TorchValue dict, List<String> path) {
    List<Holder> inner =
        TensorCensus.of(dict, List.of()).stream()
            .filter(h -> !h.path().isEmpty())
            .map(h -> below(path, h))
            .toList();
    return told(inner);
  }

  static Holder below(List<String> path, Holder holder) {
    List<String> whole = new ArrayList<>(path);
    whole.addAll(holder.path());
    return new Holder(
        whole,
        holder.kind(),
        holder.tensors(),
        holder.elements(),
        holder.bytes(),
        holder.keys(),
        holder.dtypes());
  }

  /** Whether what holds tensors is no set of weights, as its keys tell. */
  static boolean isTraining(Holder holder) {
    return trainingDepth(holder) >= 0;
  }

  private static int trainingDepth(Holder holder) {
    for (int i = 0; i < holder.path().size(); i++) {
      if (isTrainingName(holder.path().get(i))) {
        return i;
      }
    }
    return holder.keys().stream().anyMatch(TrainingState::isMoment) ? holder.path().size() - 1 : -1;
  }

  static boolean isTrainingName(String name) {
    return TrainingState.isStateName(name) || TRAINING.matcher(name).matches();
  }

  private static List<LeftTensors> told(List<Holder> holders) {
    boolean many = holders.stream().filter(h -> !isTraining(h)).count() > MOST_PLACES;
    Map<String, LeftTensors> told = new LinkedHashMap<>();
    for (Holder holder : holders) {
      LeftTensors left = left(holder, many);
      told.merge(left.kind() + " " + left.where(), left, LeftTensors::and);
    }
    return List.copyOf(told.values());
  }

  private static LeftTensors left(Holder holder, boolean many) {
    int depth = trainingDepth(holder);
    if (depth >= 0) {
      return new LeftTensors(
          LeftTensors.Kind.TRAINING,
          String.join(".", holder.path().subList(0, Math.min(1, holder.path().size()))),
          holder.tensors(),
          holder.keys());
    }
    if (holder.path().isEmpty()) {
      boolean training = holder.keys().stream().allMatch(FileCensus::isTrainingName);
      return new LeftTensors(
          training ? LeftTensors.Kind.TRAINING : LeftTensors.Kind.SINGLE,
          "",
          holder.tensors(),
          holder.keys());
    }
    if (many) {
      return new LeftTensors(
          LeftTensors.Kind.UNNAMED, holder.path().get(0), holder.tensors(), List.of());
    }
    return new LeftTensors(
        holder.kind() == TensorCensus.Kind.DICT
            ? LeftTensors.Kind.WEIGHTS
            : LeftTensors.Kind.UNNAMED,
        String.join(".", holder.path()),
        holder.tensors(),
        holder.keys());
  }
}
