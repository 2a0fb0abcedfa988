package dev.reweave.checkpoint.statedict;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.CheckpointFormat;
import dev.reweave.checkpoint.Contents;
import dev.reweave.checkpoint.FileContents;
import dev.reweave.checkpoint.Place;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.TrainingState;
import dev.reweave.storage.InputFile;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** State dicts in torch files of any name. */
public final class StateDictFormat implements CheckpointFormat {
  /** What Trainer, Accelerate, Lightning, verl, nanochat and Megatron-LM save beside weights. */
  private static final Pattern TRAINING =
      Pattern.compile(
          "rng_state(_.*)?|training_args|random_states(_.*)?|scaler(_.*)?|trainer.*"
              + "|optim(izer)?_(.*_)?rank_?\\d+|extra_state_world_size_\\d+_rank_\\d+"
              + "|distrib_optim");

  private static final List<String> SUFFIXES = List.of(".pt", ".bin", ".pth", ".ckpt");

  @Override
  public List<Contents> in(Place place) {
    return place
        .file()
        .map(List::of)
        .orElseGet(() -> place.listing().files().stream().filter(this::isCandidate).toList())
        .stream()
        .map(file -> (Contents) new OneFile(place, file))
        .toList();
  }

  private boolean isCandidate(InputFile file) {
    String name = file.name().toLowerCase(Locale.ROOT);
    if (SUFFIXES.stream().noneMatch(name::endsWith)) {
      return false;
    }
    String stem = name.substring(0, name.lastIndexOf('.'));
    return !TrainingState.isStateName(stem) && !TRAINING.matcher(stem).matches();
  }

  private record OneFile(Place place, InputFile file) implements FileContents {
    @Override
    public Checkpoint read(ReadOptions options) {
      return StateDictFile.read(place, file, options);
    }
  }
}
