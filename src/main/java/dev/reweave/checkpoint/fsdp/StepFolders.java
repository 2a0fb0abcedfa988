package dev.reweave.checkpoint.fsdp;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.Contents;
import dev.reweave.checkpoint.Place;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Remarks;
import dev.reweave.common.Location;
import dev.reweave.storage.InputFile;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The steps of a run of verl's, {@code global_step_10/actor} and others, of which {@code
 * latest_checkpointed_iteration.txt} names the newest.
 *
 * @param models those of the steps, by the number of the step
 */
record StepFolders(Place place, TreeMap<Long, Ranks> models) implements Contents {
  private static final Pattern STEP = Pattern.compile("global_step_(0|[1-9]\\d{0,17})");
  private static final String TRACKER = "latest_checkpointed_iteration.txt";
  private static final int MOST_TRACKER_BYTES = 4096;

  /** The steps in a folder; none if no folder in it is one. */
  static List<Contents> in(Place place) {
    TreeMap<Long, Ranks> steps = new TreeMap<>();
    for (Location folder : place.listing().folders()) {
      Matcher name = STEP.matcher(folder.name());
      if (name.matches()) {
        Place step = place.folder(folder);
        List<Ranks> models = new ArrayList<>(Ranks.in(step));
        models.addAll(Ranks.below(step));
        models.stream()
            .min((a, b) -> Integer.compare(a.precedence(), b.precedence()))
            .ifPresent(ranks -> steps.put(Long.valueOf(name.group(1)), ranks));
      }
    }
    return steps.isEmpty() ? List.of() : List.of(new StepFolders(place, steps));
  }

  private static String tag(long step) {
    return "global_step_" + step;
  }

  private Map.Entry<Long, Ranks> chosen(Optional<String> wanted) {
    long step = wanted.map(this::asked).orElseGet(this::newest);
    return Map.entry(step, models.get(step));
  }

  private long asked(String tag) {
    return models.keySet().stream()
        .filter(step -> tag(step).equals(tag))
        .findFirst()
        .orElseThrow(() -> FsdpFailures.noStep(tag, steps(), place.address().uri()));
  }

  private long newest() {
    Optional<InputFile> tracker =
        place.listing().files().stream().filter(f -> f.name().equals(TRACKER)).findFirst();
    if (tracker.isEmpty()) {
      return models.lastKey();
    }
    String said =
        new String(
                place.stores().readAll(tracker.get(), MOST_TRACKER_BYTES), StandardCharsets.UTF_8)
            .strip();
    return models.keySet().stream()
        .filter(step -> String.valueOf(step).equals(said))
        .findFirst()
        .orElseThrow(() -> FsdpFailures.newestMissing(said, steps(), tracker.get().uri()));
  }

  @Override
  public String name() {
    return tag(models.lastKey());
  }

  @Override
  public Location address() {
    return place.address().child(name());
  }

  @Override
  public List<String> steps() {
    return models.keySet().stream().map(StepFolders::tag).toList();
  }

  @Override
  public Optional<String> step(Optional<String> wanted) {
    return Optional.of(tag(chosen(wanted).getKey()));
  }

  @Override
  public List<InputFile> files(Optional<String> wanted) {
    return chosen(wanted).getValue().files(Optional.empty());
  }

  @Override
  public Set<Location> claims() {
    // The files of steps are in folders of their own.
    return Set.of();
  }

  @Override
  public Optional<Location> configs(Optional<String> wanted) {
    return chosen(wanted).getValue().configs(Optional.empty());
  }

  @Override
  public Checkpoint read(ReadOptions options) {
    Map.Entry<Long, Ranks> chosen = chosen(options.tag());
    Checkpoint read = chosen.getValue().read(options.with(ReadOptions.TAG, Optional.empty()));
    Checkpoint.Source of = read.source();
    Checkpoint.Source source =
        new Checkpoint.Source(
            of.framework(),
            of.version(),
            of.stage(),
            of.worldSize(),
            of.precision(),
            tag(chosen.getKey()),
            steps(),
            of.weights());
    Remarks remarks =
        options.tag().isPresent() || models.size() == 1
            ? read.remarks()
            : read.remarks()
                .withNote(
                    "took '"
                        + tag(chosen.getKey())
                        + "', the newest of "
                        + models.size()
                        + " saved steps: --tag takes another");
    return new Checkpoint(
        source, read.files(), read.tensors(), read.aliases(), read.metadata(), remarks);
  }
}
