package dev.reweave.checkpoint.fsdp;

import dev.reweave.checkpoint.TrainingState;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the name of a file says that one rank saved: {@code model_world_size_8_rank_0.pt} of verl,
 * {@code pytorch_model_fsdp_0_rank0.bin} of Accelerate, {@code checkpoint_rank_0.pt} of others.
 *
 * @param set what the names of all ranks have in common, without the number of ranks
 * @param world how many ranks there are; 0 if the name does not say
 * @param rank whose file it is, from 0
 * @param kind who gives such names
 */
record RankFileName(String set, int world, int rank, Kind kind) {
  /** As verl calls them. */
  private static final String OF_VERL = "model_rank_*.pt";

  /** Who gives such names. */
  enum Kind {
    /** Programs that save what FSDP has sharded. */
    FSDP,
    /** They and others. */
    ANY,
    /** They, to the state of a training run, which lies beside the model. */
    TRAINING
  }

  private static final Pattern NAME =
      Pattern.compile(
          "(?<stem>.*?)(?<world>_world_size_(?<ranks>\\d{1,6}))?(?<mark>(?:[-_.]|(?<![A-Za-z]))rank[-_.]?)"
              + "(?<rank>\\d{1,6})(?<end>\\.(?:pt|pth|bin|ckpt))");

  /** Ranks of tensors, stages and experts, whose files do not say how tensors were cut. */
  private static final Pattern OTHER_RANKS =
      Pattern.compile("(?i)(.*[^a-z])?(tp|pp|mp|ep|dp|cp|expp)");

  private static final Pattern OF_ACCELERATE = Pattern.compile("pytorch_model_fsdp(_\\d{1,9})?");

  private static final Pattern TRAINING = Pattern.compile("(?i).*optim.*|extra_state.*|.*rng.*");

  /** Empty if it is no such name. */
  static Optional<RankFileName> of(String name) {
    Matcher matcher = NAME.matcher(name);
    if (!matcher.matches() || OTHER_RANKS.matcher(matcher.group("stem")).matches()) {
      return Optional.empty();
    }
    String stem = matcher.group("stem");
    boolean world = matcher.group("world") != null;
    return Optional.of(
        new RankFileName(
            stem + matcher.group("mark") + "*" + matcher.group("end"),
            world ? Integer.parseInt(matcher.group("ranks")) : 0,
            Integer.parseInt(matcher.group("rank")),
            kind(stem, world)));
  }

  /** Whether it is a name of Accelerate's or verl's for what FSDP has made. */
  boolean isOfFsdpAlone() {
    return kind == Kind.FSDP && (world == 0 || set.equals(OF_VERL));
  }

  private static Kind kind(String stem, boolean world) {
    if (TRAINING.matcher(stem).matches() || TrainingState.isStateName(stem)) {
      return Kind.TRAINING;
    }
    return world || OF_ACCELERATE.matcher(stem).matches() ? Kind.FSDP : Kind.ANY;
  }
}
