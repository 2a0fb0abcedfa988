package dev.reweave.checkpoint;

import dev.reweave.Counted;
import dev.reweave.ReweaveException;
import dev.reweave.storage.ByteSize;
import dev.reweave.storage.InputFile;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
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

  /**
   * Finds out what an address holds.
   *
   * @param tag the saved step, or the model, that the user asks for
   * @throws ReweaveException if there is nothing that can be read, or it is not clear what is meant
   */
  static Reading of(Place place, List<CheckpointFormat> formats, Optional<String> tag) {
    List<List<Contents>> found = lying(place, formats);
    if (found.isEmpty()) {
      throw ReweaveException.notFound(
          "no checkpoint here: neither 'latest', nor *_states.pt files, nor .metadata, nor weights"
              + " as safetensors, .bin or .pt",
          place.address(),
          "name the folder that save_checkpoint wrote, a tag folder in it, the folder of a model,"
              + " or one file of weights");
    }
    Contents taken = chosen(place, found.get(0), tag);
    List<Contents> others = new ArrayList<>();
    found.forEach(others::addAll);
    others.remove(taken);
    return new Reading(place, formats, taken, others);
  }

  /** By format, what lies at a place; no file is two things. */
  static List<List<Contents>> lying(Place place, List<CheckpointFormat> formats) {
    List<List<Contents>> found = new ArrayList<>();
    Set<String> claimed = new HashSet<>();
    for (CheckpointFormat format : formats) {
      List<Contents> contents =
          format.in(place).stream().filter(c -> !claimed.contains(c.address())).toList();
      if (!contents.isEmpty()) {
        found.add(contents);
        contents.forEach(c -> claimed.addAll(addresses(c)));
      }
    }
    return found;
  }

  private static Set<String> addresses(Contents contents) {
    try {
      return contents.files(Optional.empty()).stream()
          .map(InputFile::uri)
          .collect(Collectors.toSet());
    } catch (ReweaveException e) {
      // Which step is meant is not clear; there are no files of it beside the steps' folders.
      return Set.of();
    }
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
    boolean steps = first.stream().noneMatch(c -> c.steps().isEmpty());
    throw ReweaveException.usage(
        "there are several models here: "
            + first.stream()
                .map(c -> c.name() + " (" + size(c) + ")")
                .collect(Collectors.joining(", ")),
        place.address(),
        steps ? "choose one with --tag " + first.get(0).name() : choices(first));
  }

  /** How to have one of several models that are not steps. */
  private static String choices(List<Contents> models) {
    List<Contents> movable = models.stream().filter(c -> !c.isNamedAlone()).toList();
    String move =
        movable.stream().map(Contents::name).collect(Collectors.joining(", or "))
            + " to a folder of their own";
    return models.stream()
        .filter(Contents::isNamedAlone)
        .findFirst()
        .map(c -> "name the one that is meant, such as " + c.address())
        .map(name -> movable.isEmpty() ? name : name + "; or move the files of " + move)
        .orElse("move the files of " + move);
  }

  /** What tells a model from another. */
  private static String size(Contents contents) {
    try {
      List<NamedTensor> tensors = contents.read(ReadOptions.defaults()).tensors();
      List<TensorSpec> specs = tensors.stream().map(NamedTensor::spec).toList();
      String first =
          specs.stream().findFirst().map(s -> ", first " + s.name() + " " + s.shape()).orElse("");
      return Counted.of(specs.size(), "tensor")
          + ", "
          + Counted.grouped(specs.stream().mapToLong(TensorSpec::elements).sum(), "parameter")
          + ", "
          + ByteSize.format(specs.stream().mapToLong(TensorSpec::bytes).sum())
          + first;
    } catch (ReweaveException e) {
      return "cannot be read: " + e.problem();
    }
  }

  /** Whether that is what libraries load, and not what a training run saved to go on from. */
  public boolean isModel() {
    return taken.isLoadable();
  }

  /**
   * Reads what is taken, and counts what is not.
   *
   * @throws ReweaveException if it is not whole, of a kind that is not read, or cannot give what is
   *     asked for
   */
  public Checkpoint read(ReadOptions options) {
    Checkpoint checkpoint = taken.read(options);
    Set<String> used = checkpoint.files().stream().map(InputFile::uri).collect(Collectors.toSet());
    List<Contents> left = new ArrayList<>(others);
    stepFolder(options).ifPresent(folder -> left.addAll(lyingIn(folder)));
    left.removeIf(c -> used.contains(c.address()));
    if (left.isEmpty()) {
      return checkpoint;
    }
    Remarks remarks = checkpoint.remarks();
    List<NotTaken> notTaken = new ArrayList<>(remarks.notTaken());
    left.forEach(c -> notTaken.add(notTaken(c, notTaken.size())));
    return checkpoint.with(
        new Remarks(remarks.notes(), remarks.cautions(), remarks.clientState(), notTaken));
  }

  /** The folder of the step that is read, if that is not the place itself. */
  private Optional<String> stepFolder(ReadOptions options) {
    return taken
        .step(options.tag())
        .map(step -> place.address() + "/" + step)
        .filter(place.stores()::isFolder);
  }

  /** What else lies in the folder of a step: its own files are what it is made of. */
  private List<Contents> lyingIn(String folder) {
    return lying(place.folder(folder), formats).stream()
        .flatMap(List::stream)
        .filter(c -> !c.address().equals(folder))
        .toList();
  }

  private static NotTaken notTaken(Contents contents, int before) {
    String name = contents.name();
    String remedy =
        contents.isNamedAlone()
            ? "not read: name it to convert it"
            : "not read: move its files to a folder of their own to convert it";
    if (before >= MOST_COUNTED) {
      return new NotTaken(name, NotTaken.UNCOUNTED, remedy, contents.address());
    }
    try {
      Checkpoint other = contents.read(ReadOptions.defaults());
      // What it would leave of its own files is not taken either.
      long tensors =
          other.tensors().size()
              + other.aliases().size()
              + other.notTaken().stream().mapToLong(n -> Math.max(0, n.tensors())).sum();
      return new NotTaken(name, tensors, remedy, contents.address());
    } catch (ReweaveException e) {
      return new NotTaken(
          name,
          contents.storedTensors(),
          "not read, and cannot be: " + e.problem(),
          contents.address());
    }
  }
}
