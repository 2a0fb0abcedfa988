package dev.reweave.checkpoint.reading;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.Contents;
import dev.reweave.checkpoint.Place;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.Counted;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.ByteSize;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.List;

/** The question which of several models is meant, with what tells one from another. */
final class WhichModel {
  /** Of so many models the structure is read; a folder can hold thousands of files. */
  private static final int MOST = 10;

  private WhichModel() {}

  /**
   * The question; or, if none of them can be read, what is wrong with the first: then nothing is
   * gained by naming one.
   */
  static ReweaveException ask(Place place, List<Contents> models) {
    List<String> described = new ArrayList<>();
    List<ReweaveException> failures = new ArrayList<>();
    for (Contents model : models.subList(0, Math.min(MOST, models.size()))) {
      try {
        described.add(model.name() + " (" + size(model.read(ReadOptions.defaults())) + ")");
      } catch (ReweaveException e) {
        e.throwIfOfStore();
        failures.add(e);
        described.add(model.name() + " (cannot be read: " + e.problem() + ")");
      }
    }
    if (failures.size() == described.size()) {
      return failures.get(0);
    }
    int more = models.size() - described.size();
    boolean steps = models.stream().noneMatch(c -> c.steps().isEmpty());
    List<Contents> movable = models.stream().filter(c -> !c.isNamedAlone()).toList();
    return steps
        ? ReadingFailures.severalSteps(described, more, models.get(0).name(), place.address().uri())
        : ReadingFailures.severalModels(
            described,
            more,
            models.stream().filter(Contents::isNamedAlone).findFirst().map(c -> c.address().uri()),
            movable.stream().map(Contents::name).toList(),
            place.address().uri());
  }

  private static String size(Checkpoint model) {
    List<TensorSpec> specs = model.tensors().stream().map(NamedTensor::spec).toList();
    String first =
        specs.stream().findFirst().map(s -> ", first " + s.name() + " " + s.shape()).orElse("");
    return Counted.of(specs.size(), "tensor")
        + ", "
        + Counted.grouped(specs.stream().mapToLong(TensorSpec::elements).sum(), "parameter")
        + ", "
        + ByteSize.format(specs.stream().mapToLong(TensorSpec::bytes).sum())
        + first;
  }
}
