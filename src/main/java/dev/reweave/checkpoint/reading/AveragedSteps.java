package dev.reweave.checkpoint.reading;

import dev.reweave.checkpoint.Caution;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.NotTaken;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Remarks;
import dev.reweave.checkpoint.StepChoice;
import dev.reweave.common.Counted;
import dev.reweave.common.FirstNames;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.MeanLayout;
import dev.reweave.tensor.MovedLayout;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The mean of several steps as one checkpoint: its tensors are those of the last step, each made of
 * all. No step is read before its turn in a task, and none twice.
 */
final class AveragedSteps {
  private final String place;
  private final List<String> tags;
  private final List<Checkpoint> steps;

  private AveragedSteps(String place, List<String> tags, List<Checkpoint> steps) {
    this.place = place;
    this.tags = tags;
    this.steps = steps;
  }

  /**
   * Reads the structure of each step.
   *
   * @throws ReweaveException if one is not whole, or they are not of one model
   */
  static Checkpoint read(Reading reading, ReadOptions options, StepChoice choice) {
    String place = reading.place().address().uri();
    List<String> tags =
        choice
            .among(
                choice.isNamed()
                    ? List.of()
                    : new SavedSteps(reading.place().stores()).all(reading.place().address()),
                place)
            .tags();
    ReadOptions one = options.with(ReadOptions.AVERAGE_TAGS, Optional.empty());
    List<Checkpoint> steps = new ArrayList<>();
    for (String tag : tags) {
      ReadOptions step = one.withTag(tag);
      steps.add(Reading.of(reading.place(), reading.formats(), step).read(step));
    }
    return new AveragedSteps(place, tags, steps).mean();
  }

  private Checkpoint last() {
    return steps.get(steps.size() - 1);
  }

  private Checkpoint mean() {
    for (int s = 0; s < steps.size() - 1; s++) {
      requireSame(steps.get(s), tags.get(s));
    }
    List<InputFile> files = new ArrayList<>();
    List<Map<String, Layout>> layouts = new ArrayList<>();
    for (Checkpoint step : steps) {
      int before = files.size();
      layouts.add(
          step.tensors().stream()
              .collect(
                  Collectors.toMap(
                      NamedTensor::name, t -> MovedLayout.shifted(t.layout(), before))));
      files.addAll(step.files());
    }
    List<NamedTensor> tensors = new ArrayList<>();
    List<String> others = new ArrayList<>();
    for (NamedTensor tensor : last().tensors()) {
      List<Layout> all = layouts.stream().map(step -> step.get(tensor.name())).toList();
      TensorSpec spec = tensor.spec();
      if (spec.dtype().isCastable() && spec.elements() > 0) {
        MeanLayout mean = new MeanLayout(all);
        tensors.add(new NamedTensor(new TensorSpec(spec.name(), mean.dtype(), spec.shape()), mean));
      } else {
        others.add(tensor.name());
        tensors.add(new NamedTensor(spec, all.get(all.size() - 1)));
      }
    }
    return new Checkpoint(
        source(),
        files,
        tensors,
        last().aliases(),
        last().metadata(),
        remarks(others),
        last().arguments(),
        last().beside());
  }

  private void requireSame(Checkpoint step, String tag) {
    Map<String, NamedTensor> own = byName(step);
    Map<String, NamedTensor> wanted = byName(last());
    String newest = tags.get(tags.size() - 1);
    if (step.source().weights() != last().source().weights()) {
      throw ReadingFailures.stepsOfTwoKinds(tag, newest, place);
    }
    for (NamedTensor tensor : last().tensors()) {
      NamedTensor other = own.get(tensor.name());
      if (other == null) {
        throw ReadingFailures.stepsApart(
            tag, newest, tensor.name() + " is in " + newest + " alone", place);
      }
      TensorSpec spec = tensor.spec();
      if (!other.spec().equals(spec)) {
        throw ReadingFailures.stepsApart(
            tag,
            newest,
            spec.name()
                + " is "
                + described(other.spec())
                + " in "
                + tag
                + " and "
                + described(spec)
                + " in "
                + newest,
            place);
      }
      if (spec.dtype().isFloat8()) {
        throw ReadingFailures.noMeanOf(spec, place);
      }
    }
    for (NamedTensor tensor : step.tensors()) {
      if (!wanted.containsKey(tensor.name())) {
        throw ReadingFailures.stepsApart(
            tag, newest, tensor.name() + " is in " + tag + " alone", place);
      }
    }
    for (InputFile file : step.files()) {
      if (last().files().contains(file)) {
        throw ReadingFailures.stepsApart(
            tag, newest, "both have their weights in " + file.name(), place);
      }
    }
    if (!step.aliases().equals(last().aliases())) {
      throw ReadingFailures.stepsApart(tag, newest, "other names are tied", place);
    }
  }

  private static Map<String, NamedTensor> byName(Checkpoint step) {
    return step.tensors().stream()
        .collect(Collectors.toMap(NamedTensor::name, Function.identity(), (a, b) -> a));
  }

  private static String described(TensorSpec spec) {
    return spec.dtype() + " " + spec.shape();
  }

  /** It is of no step: a tag would say that the weights are one's. */
  private Checkpoint.Source source() {
    Checkpoint.Source of = last().source();
    return new Checkpoint.Source(
        of.framework(),
        of.version(),
        of.stage(),
        of.worldSize(),
        of.precision(),
        "",
        of.tags(),
        of.weights());
  }

  private Remarks remarks(List<String> others) {
    List<String> notes = new ArrayList<>();
    notes.add("the weights are the mean of " + steps.size() + " steps: " + String.join(", ", tags));
    if (!others.isEmpty()) {
      notes.add(
          Counted.of(others.size(), "tensor")
              + " without floating-point numbers as in "
              + tags.get(tags.size() - 1)
              + ": "
              + FirstNames.of(others));
    }
    Set<String> said = new LinkedHashSet<>();
    Map<String, Caution> cautions = new LinkedHashMap<>();
    Set<String> clientState = new LinkedHashSet<>();
    Map<String, NotTaken> notTaken = new LinkedHashMap<>();
    for (Checkpoint step : steps) {
      said.addAll(step.notes());
      step.cautions().forEach(c -> cautions.putIfAbsent(c.kind() + " " + c.name(), c));
      clientState.addAll(step.remarks().clientState());
      step.notTaken().forEach(n -> notTaken.merge(n.name() + "\n" + n.reason(), n, this::both));
    }
    notes.addAll(said);
    return new Remarks(
        notes,
        List.copyOf(cautions.values()),
        List.copyOf(clientState),
        List.copyOf(notTaken.values()),
        last().remarks().order());
  }

  /** The same of two steps, counted together. */
  private NotTaken both(NotTaken a, NotTaken b) {
    boolean counted = a.tensors() >= 0 && b.tensors() >= 0;
    return new NotTaken(
        a.name(), counted ? a.tensors() + b.tensors() : NotTaken.UNCOUNTED, a.reason(), a.place());
  }
}
