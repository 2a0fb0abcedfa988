package dev.reweave.checkpoint;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** Tells the state of a training run from the weights of its model, by where trainers put both. */
public final class TrainingState {
  /**
   * Names under which torchtitan, Accelerate, Lightning, Megatron-Core, NeMo and PyTorch's own
   * examples save what is no weight.
   */
  private static final Pattern STATE =
      Pattern.compile(
          "(optim|optims|optimizers?|optim(izer)?_states?|optimizer_state_dicts?"
              + "|(lr_|opt_param_)?schedulers?|lr_scheduler_states?|scheduler_state_dicts?"
              + "|train_state|training_state|trainer_state|data_?loaders?|data_loader_states?"
              + "|rng|rng_states?|rerun_state_machine|grad_scaler|scaler|chained)([-_][0-9]+)?");

  /** Names under which they save the model, where it is a dict of its own. */
  private static final List<String> MODEL =
      List.of("model", "module", "state_dict", "model_state_dict", "model_state");

  /** What optimizers call their own tensors. */
  private static final Set<String> MOMENTS =
      Set.of(
          "exp_avg",
          "exp_avg_sq",
          "max_exp_avg_sq",
          "momentum_buffer",
          "square_avg",
          "fp32_from_fp16_params");

  private TrainingState() {}

  /** Whether an optimizer calls a tensor of its own like this. */
  static boolean isMoment(String name) {
    return MOMENTS.contains(name);
  }

  /** Whether a key on the way to a tensor, or the end of one with dots, is an optimizer's own. */
  public static boolean isOfOptimizer(List<String> path) {
    return path.stream().anyMatch(key -> isMoment(key.substring(key.lastIndexOf('.') + 1)));
  }

  /** Whether an entry or folder of this name holds training state. */
  public static boolean isStateName(String name) {
    return STATE.matcher(name).matches();
  }

  /**
   * Whether a tensor is training state.
   *
   * @param path keys of the dicts that lead to it, its own last
   */
  public static boolean holds(List<String> path) {
    // A name with dots that was never nested starts with the key that it would have had.
    String first = path.get(0);
    int dot = first.indexOf('.');
    return isStateName(dot < 0 ? first : first.substring(0, dot))
        || path.subList(0, path.size() - 1).stream().anyMatch(TrainingState::isStateName);
  }

  /** The keys up to that of the model's own dict; empty if a path has none. */
  public static Optional<List<String>> wrapper(List<String> path) {
    for (int i = path.size() - 2; i >= 0; i--) {
      if (MODEL.contains(path.get(i))) {
        return Optional.of(path.subList(0, i + 1));
      }
    }
    return Optional.empty();
  }
}
