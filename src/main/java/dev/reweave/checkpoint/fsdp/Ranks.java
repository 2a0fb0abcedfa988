package dev.reweave.checkpoint.fsdp;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.Contents;
import dev.reweave.checkpoint.Place;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.Location;
import dev.reweave.storage.InputFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The files of the ranks of one model.
 *
 * @param place the folder that they are in, or the only one of them
 */
record Ranks(Place place, RankSet set, int precedence) implements Contents {
  /** Where verl saves the model's config and tokenizer. */
  private static final String CONFIGS = "huggingface";

  /** What verl calls the models of a step; the first is the one that is trained for use. */
  private static final List<String> ROLES = List.of("actor", "critic");

  /** The models in a folder. */
  static List<Ranks> in(Place place) {
    return in(place, 0);
  }

  private static List<Ranks> in(Place place, int precedence) {
    return RankSet.among(place.listing().files()).stream()
        .map(set -> new Ranks(place, set, precedence))
        .toList();
  }

  /** The models of a step of verl's, each in a folder of its own. */
  static List<Ranks> below(Place place) {
    List<Ranks> found = new ArrayList<>();
    for (Location folder : place.listing().folders()) {
      int role = ROLES.indexOf(folder.name());
      if (role >= 0) {
        found.addAll(in(place.folder(folder), role));
      }
    }
    return found;
  }

  @Override
  public String name() {
    if (isOther()) {
      return place.name();
    }
    String first = set.files().get(0).file().name();
    int others = set.files().size() - 1;
    return others == 0 ? first : first + " and " + others + " more";
  }

  /** Whether it is beside the model that is meant, in a folder of its own. */
  private boolean isOther() {
    return precedence > 0;
  }

  @Override
  public Location address() {
    return isOther() ? place.address() : set.files().get(0).file().location();
  }

  @Override
  public boolean isNamedAlone() {
    return isOther() || set.ranks() == 1;
  }

  @Override
  public List<InputFile> files(Optional<String> wanted) {
    return set.files().stream().map(RankSet.RankFile::file).toList();
  }

  @Override
  public Optional<Location> configs(Optional<String> wanted) {
    return place.listing().folders().stream().filter(f -> f.name().equals(CONFIGS)).findFirst();
  }

  @Override
  public Checkpoint read(ReadOptions options) {
    return FsdpCheckpoint.read(place, set, options);
  }
}
