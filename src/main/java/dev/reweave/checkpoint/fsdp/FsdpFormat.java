package dev.reweave.checkpoint.fsdp;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.CheckpointFormat;
import dev.reweave.checkpoint.Contents;
import dev.reweave.checkpoint.FileContents;
import dev.reweave.checkpoint.NumberedSteps;
import dev.reweave.checkpoint.Place;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * What {@code torch.save} writes of a sharded state dict, a file for each rank: {@code DTensor}s of
 * FSDP2, as verl saves them, and {@code ShardedTensor}s of FSDP1.
 */
public final class FsdpFormat implements CheckpointFormat {
  /** What verl calls the folder of a step, with its number behind. */
  private static final String STEP = "global_step_";

  @Override
  public List<Contents> in(Place place) {
    if (place.file().isPresent()) {
      InputFile file = place.file().get();
      return RankFileName.of(file.name()).isEmpty() ? List.of() : named(place, file);
    }
    List<Ranks> here = Ranks.in(place);
    if (here.isEmpty()) {
      here = Ranks.below(place);
    }
    return here.isEmpty()
        ? NumberedSteps.in(place, STEP, FsdpFormat::ofStep)
            .map(List::<Contents>of)
            .orElse(List.of())
        : List.copyOf(here);
  }

  /** The model of a step that is trained for use. */
  private static Optional<Contents> ofStep(Place step) {
    List<Ranks> models = new ArrayList<>(Ranks.in(step));
    models.addAll(Ranks.below(step));
    return models.stream().min(Comparator.comparingInt(Ranks::precedence)).map(m -> m);
  }

  /** One file: of the only rank, or a part of what lies beside it. */
  private static List<Contents> named(Place place, InputFile file) {
    for (RankSet set : RankSet.among(around(place, file))) {
      if (set.files().stream().anyMatch(f -> f.file().location().equals(file.location()))) {
        return List.of(
            set.ranks() > 1 ? new OneOfRanks(file, set.ranks()) : new Ranks(place, set, 0));
      }
    }
    return List.of();
  }

  /** The files of the folder; of one that cannot be listed, the file alone. */
  private static List<InputFile> around(Place place, InputFile file) {
    try {
      return place.stores().list(file.folder()).files();
    } catch (ReweaveException e) {
      e.throwIfOfStore();
      return List.of(file);
    }
  }

  private record OneOfRanks(InputFile file, int ranks) implements FileContents {
    @Override
    public Checkpoint read(ReadOptions options) {
      throw FsdpFailures.oneOfRanks(ranks, file.folder().uri(), file.uri());
    }
  }
}
