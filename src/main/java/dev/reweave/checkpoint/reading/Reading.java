package dev.reweave.checkpoint.reading;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.CheckpointFormat;
import dev.reweave.checkpoint.Contents;
import dev.reweave.checkpoint.NaturalOrder;
import dev.reweave.checkpoint.NotTaken;
import dev.reweave.checkpoint.Place;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Remarks;
import dev.reweave.checkpoint.StepChoice;
import dev.reweave.checkpoint.WrapperNames;
import dev.reweave.checkpoint.adapter.AdapterParts;
import dev.reweave.checkpoint.adapter.BaseWeights;
import dev.reweave.common.FirstNames;
import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.tensor.TensorNames;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What an address was found to hold, by names alone: what is taken of it, and what is not.
 *
 * @param place the address
 * @param formats what was looked for
 * @param taken what is read of it
 * @param others what else lies there and could have been meant
 */
public record Reading(
    Place place, List<CheckpointFormat> formats, Contents taken, List<Contents> others) {
  /** Of so many things beside it the tensors are counted; of others, the names must do. */
  private static final int MOST_COUNTED = 50;

  /** In so many folders is looked for what may have been meant. */
  private static final int MOST_LISTED = 20;

  /** Such as {@code iter_0000005/mp_rank_00} of Megatron-LM. */
  private static final int DEEPEST = 3;

  /**
   * Finds out what an address holds.
   *
   * @param options which step, or model, and which of the weights the user asks for
   * @throws ReweaveException if there is nothing that can be read, or it is not clear what is meant
   */
  static Reading of(Place place, List<CheckpointFormat> formats, ReadOptions options) {
    if (options.wantsAverage()) {
      List<Contents> averages = AverageFolder.in(place, formats);
      if (!averages.isEmpty()) {
        List<Contents> others = lying(place, formats).stream().flatMap(List::stream).toList();
        return new Reading(place, formats, onlyOf(averages, place), others);
      }
    }
    // Which of several is meant matters for the kind of what lies there alone.
    Reading found =
        of(place, formats, options.tag().or(() -> options.averaged().flatMap(StepChoice::first)));
    return options.key().isEmpty()
        ? found.with(AverageFolder.clearIn(place, formats))
        : found.keyed(options);
  }

  private static Contents onlyOf(List<Contents> averages, Place place) {
    if (averages.size() > 1) {
      throw ReadingFailures.severalAverages(
          averages.stream().map(Contents::name).toList(), averages.get(0).address().uri(), place);
    }
    return averages.get(0);
  }

  /** What a key asks for: an average in the folder of the step, or a dict in one of its files. */
  private Reading keyed(ReadOptions options) {
    Optional<Location> step = stepFolder(options);
    if (options.wantsAverage()) {
      List<Contents> averages =
          step.isPresent()
              ? AverageFolder.in(place.folder(step.get()), formats)
              : besideStep(options);
      if (!averages.isEmpty()) {
        return new Reading(place, formats, onlyOf(averages, place), with(List.of(taken)).others);
      }
    }
    return taken
        .keyed(options.tag())
        .map(file -> of(place.folder(file), formats, Optional.empty()).taken())
        .map(file -> new Reading(place, formats, new StateFile(file), others))
        .orElse(this);
  }

  /**
   * Averages beside the folder of a step that is named itself: those of the run, which are of its
   * newest step.
   */
  private List<Contents> besideStep(ReadOptions options) {
    Location parent = place.address().parent();
    if (place.file().isPresent()
        || parent.equals(place.address())
        || taken.isLoadable()
        || taken.step(options.tag()).isEmpty()) {
      return List.of();
    }
    Place run = place.folder(parent);
    List<Contents> averages = AverageFolder.in(run, formats);
    return averages.isEmpty() || !isNewestOf(run) ? List.of() : averages;
  }

  /** Not if it is not clear which is the newest, or there are several models. */
  private boolean isNewestOf(Place run) {
    try {
      return of(run, formats, Optional.empty())
          .taken()
          .step(Optional.empty())
          .filter(place.name()::equals)
          .isPresent();
    } catch (ReweaveException e) {
      e.throwIfOfStore();
      return false;
    }
  }

  private Reading with(List<Contents> more) {
    List<Contents> all = new ArrayList<>(others);
    all.addAll(more);
    return new Reading(place, formats, taken, all);
  }

  /**
   * Finds out what an address holds, where it does not matter which of the weights are meant.
   *
   * @param tag the saved step, or the model, that the user asks for
   * @throws ReweaveException if there is nothing that can be read, or it is not clear what is meant
   */
  static Reading of(Place place, List<CheckpointFormat> formats, Optional<String> tag) {
    List<List<Contents>> found = lying(place, formats);
    if (found.isEmpty()) {
      throw ReadingFailures.nothing(
          below(place, formats).map(Location::uri), place.address().uri());
    }
    List<Contents> first =
        tag.flatMap(
                t ->
                    found.stream()
                        .filter(f -> f.stream().anyMatch(c -> c.steps().contains(t)))
                        .findFirst())
            .orElse(found.get(0));
    Contents taken = chosen(place, first, tag);
    List<Contents> others = new ArrayList<>();
    found.forEach(others::addAll);
    others.remove(taken);
    return new Reading(place, formats, taken, others);
  }

  /** A folder below that holds something; the highest, and the last by name, often the newest. */
  private static Optional<Location> below(Place place, List<CheckpointFormat> formats) {
    List<Location> level = place.listing().folders();
    for (int depth = 0; depth < DEEPEST && !level.isEmpty(); depth++) {
      List<Location> listed =
          level.stream()
              .sorted(Comparator.comparing(Location::uri, new NaturalOrder()).reversed())
              .limit(MOST_LISTED)
              .toList();
      Optional<Location> found =
          listed.stream().filter(folder -> holdsAnything(place, folder, formats)).findFirst();
      if (found.isPresent()) {
        return found;
      }
      level = listed.stream().flatMap(folder -> foldersIn(place, folder).stream()).toList();
    }
    return Optional.empty();
  }

  private static List<Location> foldersIn(Place place, Location folder) {
    try {
      return place.stores().list(folder).folders();
    } catch (ReweaveException e) {
      e.throwIfOfStore();
      return List.of();
    }
  }

  private static boolean holdsAnything(
      Place place, Location folder, List<CheckpointFormat> formats) {
    try {
      return !lying(place.folder(folder), formats).isEmpty();
    } catch (ReweaveException e) {
      e.throwIfOfStore();
      // What is wrong there is told to who names it.
      return false;
    }
  }

  /** By format, what lies at a place; no file is two things. */
  static List<List<Contents>> lying(Place place, List<CheckpointFormat> formats) {
    List<List<Contents>> found = new ArrayList<>();
    Set<Location> claimed = new HashSet<>();
    for (CheckpointFormat format : formats) {
      List<Contents> contents =
          format.in(place).stream().filter(c -> !claimed.contains(c.address())).toList();
      if (!contents.isEmpty()) {
        found.add(contents);
        contents.forEach(c -> claimed.addAll(c.claims()));
      }
    }
    return found;
  }

  private static Contents chosen(Place place, List<Contents> ofFormat, Optional<String> tag) {
    Optional<Contents> named =
        tag.flatMap(t -> ofFormat.stream().filter(c -> c.steps().equals(List.of(t))).findFirst());
    if (named.isPresent()) {
      return named.get();
    }
    int lowest = ofFormat.stream().mapToInt(Contents::precedence).min().orElseThrow();
    List<Contents> first = ofFormat.stream().filter(c -> c.precedence() == lowest).toList();
    if (first.size() == 1) {
      return first.get(0);
    }
    throw WhichModel.ask(place, first);
  }

  /** Whether that is what libraries load, and not what a training run saved to go on from. */
  public boolean isModel() {
    return taken.isLoadable();
  }

  /**
   * Reads what is taken, and counts what is not. No weights are read.
   *
   * @param options of the same step, or of several
   * @throws ReweaveException if it is not whole, of a kind that is not read, has names that no
   *     model can have, or cannot give what is asked for
   */
  public Checkpoint read(ReadOptions options) {
    return read(options, BaseWeights.NONE);
  }

  /**
   * The same.
   *
   * @param base the model into which an adapter is merged that was saved alone
   */
  public Checkpoint read(ReadOptions options, BaseWeights base) {
    return options
        .averaged()
        .map(steps -> AveragedSteps.read(this, options, steps))
        .orElseGet(() -> readOne(options, base));
  }

  private Checkpoint readOne(ReadOptions options, BaseWeights base) {
    Checkpoint saved = withNotTaken(readTaken(options), options);
    Checkpoint checkpoint =
        options.names() == ReadOptions.Names.PLAIN ? WrapperNames.without(saved) : saved;
    TensorNames.require(checkpoint.names(), place.address().uri());
    Checkpoint wanted = AdapterParts.of(place, checkpoint, options, base);
    TensorNames.require(wanted.names(), place.address().uri());
    return wanted;
  }

  private Checkpoint withNotTaken(Checkpoint checkpoint, ReadOptions options) {
    Set<Location> used =
        checkpoint.files().stream().map(InputFile::location).collect(Collectors.toSet());
    List<Contents> left = new ArrayList<>(others);
    stepFolder(options)
        .ifPresent(
            folder -> {
              left.addAll(lyingIn(folder));
              left.addAll(AverageFolder.clearIn(place.folder(folder), formats));
            });
    List<InputFile> own = taken.files(options.tag());
    left.removeIf(c -> used.contains(c.address()) || isOf(c, own));
    if (left.isEmpty()) {
      return checkpoint;
    }
    Remarks remarks = checkpoint.remarks();
    List<NotTaken> notTaken = new ArrayList<>(remarks.notTaken());
    left.forEach(c -> notTaken.add(notTaken(c, notTaken.size())));
    return checkpoint.with(
        new Remarks(
            remarks.notes(), remarks.cautions(), remarks.clientState(), notTaken, remarks.order()));
  }

  /** Whether it is what is taken, found in the folder of its step. */
  private static boolean isOf(Contents contents, List<InputFile> own) {
    return contents.steps().isEmpty() && contents.files(Optional.empty()).equals(own);
  }

  private Checkpoint readTaken(ReadOptions options) {
    try {
      return taken.read(options);
    } catch (ReweaveException e) {
      if (others.isEmpty() || e.kind() != ReweaveException.Kind.DAMAGED_INPUT) {
        throw e;
      }
      List<String> names =
          others.stream().filter(Contents::isNamedAlone).map(c -> c.address().uri()).toList();
      throw names.isEmpty()
          ? e
          : new ReweaveException(
              e.kind(),
              e.problem(),
              e.place(),
              e.remedy() + "; also here, to be named instead: " + FirstNames.of(names),
              e);
    }
  }

  /** The folder of the step that is read, if that is not the place itself. */
  private Optional<Location> stepFolder(ReadOptions options) {
    return taken.step(options.tag()).map(place.address()::child).filter(place.stores()::isFolder);
  }

  /** What else lies in the folder of a step: its own files are what it is made of. */
  private List<Contents> lyingIn(Location folder) {
    return lying(place.folder(folder), formats).stream()
        .flatMap(List::stream)
        .filter(c -> !c.address().equals(folder))
        .toList();
  }

  private NotTaken notTaken(Contents contents, int before) {
    // The root of a store has no name.
    String name = contents.name().isEmpty() ? contents.address().uri() : contents.name();
    // What lies at the address itself would be taken if nothing in it were asked for.
    boolean usual =
        contents.address().equals(place.address()) && !taken.address().equals(place.address());
    String remedy =
        "not read: " + (usual ? "leave --weights out to convert it" : contents.remedy());
    if (before >= MOST_COUNTED) {
      return new NotTaken(name, NotTaken.UNCOUNTED, remedy, contents.address().uri());
    }
    try {
      Checkpoint other = contents.read(ReadOptions.defaults());
      // What it would leave of its own files is not taken either.
      long tensors =
          other.tensors().size()
              + other.aliases().size()
              + other.notTaken().stream().mapToLong(n -> Math.max(0, n.tensors())).sum();
      return new NotTaken(name, tensors, remedy, contents.address().uri());
    } catch (ReweaveException e) {
      e.throwIfOfStore();
      return new NotTaken(
          name,
          contents.storedTensors(),
          "not read, and cannot be: " + e.problem(),
          contents.address().uri());
    }
  }
}
