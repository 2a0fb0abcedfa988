package dev.reweave.checkpoint;

import dev.reweave.common.Location;
import dev.reweave.storage.InputFile;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * Steps of one model in folders that are called after their numbers, as verl's {@code
 * global_step_10}, of which {@code latest_checkpointed_iteration.txt} may name the newest.
 *
 * @param naming of the folders
 * @param models by the number of the step
 */
public record NumberedSteps(Place place, Naming naming, TreeMap<Long, Contents> models)
    implements Contents {
  private static final Pattern NUMBER = Pattern.compile("\\d{1,18}");
  private static final String TRACKER = "latest_checkpointed_iteration.txt";
  private static final int MOST_TRACKER_BYTES = 4096;

  /**
   * What the folders are called.
   *
   * @param prefix what stands before the number
   * @param digits that the number has at least, with zeros before it
   */
  record Naming(String prefix, int digits) {
    String tag(long step) {
      String number = String.valueOf(step);
      return prefix + "0".repeat(Math.max(0, digits - number.length())) + number;
    }

    Optional<Long> number(String folder) {
      String rest = folder.startsWith(prefix) ? folder.substring(prefix.length()) : "";
      return Optional.of(rest)
          .filter(r -> NUMBER.matcher(r).matches())
          .map(Long::valueOf)
          .filter(step -> tag(step).equals(folder));
    }
  }

  /**
   * The steps in a folder.
   *
   * @param prefix what stands before the number
   * @param model what a step's folder holds, if that is a model
   * @return empty if none does
   */
  public static Optional<NumberedSteps> in(
      Place place, String prefix, Function<Place, Optional<Contents>> model) {
    return in(place, prefix, 1, model);
  }

  /**
   * The same of folders whose numbers have zeros before them.
   *
   * @param digits that the number has at least
   */
  public static Optional<NumberedSteps> in(
      Place place, String prefix, int digits, Function<Place, Optional<Contents>> model) {
    Naming naming = new Naming(prefix, digits);
    TreeMap<Long, Contents> models = new TreeMap<>();
    for (Location folder : place.listing().folders()) {
      naming
          .number(folder.name())
          .ifPresent(
              step -> model.apply(place.folder(folder)).ifPresent(one -> models.put(step, one)));
    }
    return models.isEmpty()
        ? Optional.empty()
        : Optional.of(new NumberedSteps(place, naming, models));
  }

  /** Whether no folder beside them has a higher number. */
  public boolean hasNewest() {
    return place.listing().folders().stream()
        .flatMap(folder -> naming.number(folder.name()).stream())
        .allMatch(step -> step <= models.lastKey());
  }

  private String tag(long step) {
    return naming.tag(step);
  }

  private Map.Entry<Long, Contents> chosen(Optional<String> wanted) {
    long step = wanted.map(this::asked).orElseGet(this::newest);
    return Map.entry(step, models.get(step));
  }

  private long asked(String tag) {
    return models.keySet().stream()
        .filter(step -> tag(step).equals(tag))
        .findFirst()
        .orElseThrow(() -> CheckpointFailures.noStep(tag, steps(), place.address().uri()));
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
        .orElseThrow(() -> CheckpointFailures.newestMissing(said, steps(), tracker.get().uri()));
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
    return models.keySet().stream().map(this::tag).toList();
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
    Map.Entry<Long, Contents> chosen = chosen(options.tag());
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
        source,
        read.files(),
        read.tensors(),
        read.aliases(),
        read.metadata(),
        remarks,
        read.arguments());
  }
}
