package dev.reweave.checkpoint.deepspeed;

import dev.reweave.checkpoint.FileCensus;
import dev.reweave.checkpoint.LeftTensors;
import dev.reweave.checkpoint.LeftTensors.Kind;
import dev.reweave.format.pytorch.TorchTensor;
import dev.reweave.format.pytorch.TorchValue;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Counts the tensors of one file that a conversion does not take. */
final class FileTally {
  /** What is counted as a copy that the files of further ranks have. */
  static final String OF_OTHER_RANKS = "other ranks";

  /** What is counted as the module's own copy of masters. */
  static final String MODULE = "module";

  /** Where the module's tensors are taken from another file. */
  static final long OF_OTHER_FILE = -1;

  private static final String FRAGMENTS = "frozen_param_fragments";
  private static final String STATE = "optimizer_state_dict";
  private static final List<String> MASTERS =
      List.of("single_partition_of_fp32_groups", "fp32_flat_groups");

  private FileTally() {}

  /**
   * What is left of a file.
   *
   * @param located how many tensors of the module are taken; {@link #OF_OTHER_FILE} if none
   */
  static List<LeftTensors> of(FileSurvey kind, long located, TorchValue root) {
    return switch (kind) {
      case MODEL_STATES -> ofModelStates(located, root);
      case OPTIMIZER_STATES -> ofOptimizerStates(root);
      case STATE_DICT, PARAMETER -> List.of();
    };
  }

  private static List<LeftTensors> ofModelStates(long located, TorchValue root) {
    List<TorchValue> taken = new ArrayList<>();
    root.find(MODULE).ifPresent(taken::add);
    root.find(FRAGMENTS).ifPresent(taken::add);
    List<LeftTensors> left = new ArrayList<>();
    for (LeftTensors tensors : FileCensus.of(root, taken)) {
      Optional<TorchValue> dict = root.find(tensors.where());
      boolean whole =
          tensors.kind() != Kind.WEIGHTS
              || (dict.isPresent() && LoneFile.hasWhole(root, dict.get()));
      left.add(
          whole
              ? tensors
              : new LeftTensors(Kind.PIECES, tensors.where(), tensors.tensors(), tensors.keys()));
    }
    copies(root, located).ifPresent(left::add);
    return left;
  }

  /** How many tensors of the module were taken of a file. */
  static long located(Object facts) {
    if (facts instanceof ModelStates model) {
      return model.module().tensors().stream().filter(t -> t.spec().elements() > 0).count();
    }
    return facts instanceof UniversalStates universal ? located(universal.model()) : OF_OTHER_FILE;
  }

  /**
   * The tensors of the module that are not taken.
   *
   * @param located how many are; negative where those of another rank are
   */
  private static Optional<LeftTensors> copies(TorchValue root, long located) {
    List<TorchTensor> module =
        root.find(MODULE).filter(TorchValue::isDict).stream()
            .flatMap(d -> d.entries().stream())
            .filter(e -> e.getValue().isTensor())
            .map(e -> e.getValue().tensor())
            .filter(t -> t.elements() > 0)
            .toList();
    long left = module.size() - Math.max(0, located);
    if (left <= 0) {
      return Optional.empty();
    }
    Set<String> types = new LinkedHashSet<>();
    module.forEach(t -> types.add(t.dtype().torchName()));
    return Optional.of(
        new LeftTensors(
            Kind.COPY, located < 0 ? OF_OTHER_RANKS : MODULE, left, List.copyOf(types)));
  }

  private static List<LeftTensors> ofOptimizerStates(TorchValue root) {
    List<TorchValue> taken = new ArrayList<>();
    Optional<TorchValue> state = root.find(STATE);
    MASTERS.forEach(key -> state.flatMap(s -> s.find(key)).ifPresent(taken::add));
    return FileCensus.of(root, taken).stream()
        .map(left -> new LeftTensors(Kind.TRAINING, STATE, left.tensors(), left.keys()))
        .toList();
  }
}
