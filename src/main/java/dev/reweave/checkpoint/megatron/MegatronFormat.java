package dev.reweave.checkpoint.megatron;

import dev.reweave.checkpoint.CheckpointFormat;
import dev.reweave.checkpoint.Contents;
import dev.reweave.checkpoint.NumberedSteps;
import dev.reweave.checkpoint.Place;
import dev.reweave.common.Location;
import java.util.List;
import java.util.Optional;

/**
 * What Megatron-LM saves with {@code torch.save}: {@code
 * iter_0000010/mp_rank_00/model_optim_rng.pt} for each tensor-, pipeline- and expert-parallel rank.
 */
public final class MegatronFormat implements CheckpointFormat {
  private static final String STEP = "iter_";
  private static final int DIGITS = 7;

  /** What the tools of Megatron-LM call a step that they made of another model. */
  private static final String RELEASE = "release";

  @Override
  public List<Contents> in(Place place) {
    if (place.file().isPresent()) {
      return List.of();
    }
    Optional<Contents> step = step(place);
    if (step.isPresent()) {
      return List.of(step.get());
    }
    Optional<NumberedSteps> steps = NumberedSteps.in(place, STEP, DIGITS, MegatronFormat::step);
    return steps.map(List::<Contents>of).orElseGet(() -> release(place).stream().toList());
  }

  private static Optional<Contents> step(Place place) {
    return RankFolders.in(place).map(folders -> folders);
  }

  private static Optional<Contents> release(Place place) {
    Optional<Location> folder =
        place.listing().folders().stream().filter(f -> f.name().equals(RELEASE)).findFirst();
    return folder.flatMap(f -> step(place.folder(f)));
  }
}
