package dev.reweave.checkpoint.fsdp;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.CheckpointFormat;
import dev.reweave.checkpoint.Contents;
import dev.reweave.checkpoint.FileContents;
import dev.reweave.checkpoint.Place;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import java.util.List;
import java.util.Optional;

/**
 * What {@code torch.save} writes of a sharded state dict, a file for each rank: {@code DTensor}s of
 * FSDP2, as verl saves them, and {@code ShardedTensor}s of FSDP1.
 */
public final class FsdpFormat implements CheckpointFormat {
  /** Where verl saves the model's config and tokenizer. */
  private static final String CONFIGS = "huggingface";

  @Override
  public List<Contents> in(Place place) {
    if (place.file().isPresent()) {
      InputFile file = place.file().get();
      return RankFileName.of(file.name()).isEmpty() ? List.of() : named(place, file);
    }
    return RankSet.among(place.listing().files()).stream()
        .map(set -> (Contents) new Ranks(place, set))
        .toList();
  }

  /** One file: of the only rank, or a part of what lies beside it. */
  private static List<Contents> named(Place place, InputFile file) {
    for (RankSet set : RankSet.among(around(place, file))) {
      if (set.files().stream().anyMatch(f -> f.file().location().equals(file.location()))) {
        return List.of(set.ranks() > 1 ? new OneOfRanks(file, set.ranks()) : new Ranks(place, set));
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

  private record Ranks(Place place, RankSet set) implements Contents {
    @Override
    public String name() {
      String first = set.files().get(0).file().name();
      int others = set.files().size() - 1;
      return others == 0 ? first : first + " and " + others + " more";
    }

    @Override
    public Location address() {
      return set.files().get(0).file().location();
    }

    @Override
    public boolean isNamedAlone() {
      return set.ranks() == 1;
    }

    @Override
    public List<InputFile> files(Optional<String> wanted) {
      return set.files().stream().map(RankSet.RankFile::file).toList();
    }

    @Override
    public Optional<Location> configs() {
      return place.listing().folders().stream().filter(f -> f.name().equals(CONFIGS)).findFirst();
    }

    @Override
    public Checkpoint read(ReadOptions options) {
      return FsdpCheckpoint.read(place, set, options);
    }
  }

  private record OneOfRanks(InputFile file, int ranks) implements FileContents {
    @Override
    public Checkpoint read(ReadOptions options) {
      throw FsdpFailures.oneOfRanks(ranks, file.folder().uri(), file.uri());
    }
  }
}
