package dev.reweave.checkpoint.deepspeed;

import dev.reweave.checkpoint.ReadOptions.Frozen;
import dev.reweave.tensor.FlatBuffer;
import dev.reweave.tensor.FlatLayout;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.PartitionedLayout;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The fp32 master weights with what has none beside them, buffers and frozen parameters: the state
 * dict of {@code deepspeed/utils/zero_to_fp32.py}, in its order (buffers, frozen, trained, shared),
 * but right where that is wrong.
 */
final class MasterWeights {
  private final ModelStates model;
  private final ModuleTensors module;
  private final List<FrozenPieces> otherModels;
  private final int stage;
  private final String modelPlace;
  private final ExpertWeights experts;

  /**
   * @param model what the first rank's model states say
   * @param otherModels what those of the other ranks add, under ZeRO-3
   * @param stage of ZeRO whose partitions hold the masters; 0 where other files do
   * @param modelPlace the first rank's model states file, for messages
   * @param experts what the files of experts hold
   */
  MasterWeights(
      ModelStates model,
      List<FrozenPieces> otherModels,
      int stage,
      String modelPlace,
      ExpertWeights experts) {
    this.model = model;
    this.module = model.module();
    this.otherModels = otherModels;
    this.stage = stage;
    this.modelPlace = modelPlace;
    this.experts = experts;
  }

  /**
   * The state dict.
   *
   * @param addTrained adds the trained parameters
   */
  StateDict assemble(Frozen frozen, Consumer<StateDict> addTrained) {
    StateDict dict = new StateDict();
    addBuffers(dict);
    Set<String> leftOut = addFrozen(dict, frozen);
    addTrained.accept(dict);
    experts.complete(dict, model, frozen);
    model.shared().forEach(dict::tie);
    module.sameView().forEach(dict::tie);
    boolean excludes = frozen == Frozen.EXCLUDE;
    model.requireRead(n -> !dict.has(n) && !(excludes && !module.buffers().contains(n)));
    module.notes().forEach(dict::note);
    noteNamesWithoutWeights(dict, leftOut);
    if (!experts.isEmpty()) {
      new ExpertOrder(experts.experts(), model).arrange(dict);
    }
    return dict;
  }

  private void addBuffers(StateDict dict) {
    for (NamedTensor tensor : module.tensors()) {
      if (module.buffers().contains(tensor.name())) {
        String same = module.sameView().get(tensor.name());
        if (same != null && dict.has(same)) {
          dict.tie(tensor.name(), same);
        } else {
          dict.add(tensor);
        }
      }
    }
  }

  /** Returns the names that were left out. */
  private Set<String> addFrozen(StateDict dict, Frozen frozen) {
    // Under ZeRO-1 and 2 the module has them, too.
    boolean inPieces = stage == 3 && !model.frozen().fragments().isEmpty();
    boolean listed = inPieces || !model.frozen().shapes().isEmpty();
    if (frozen == Frozen.EXCLUDE) {
      withoutElements().forEach(dict::add);
      // What is left out need not be whole.
      Stream<String> names =
          listed
              ? model.frozen().shapes().keySet().stream()
              : undeclared().stream().map(NamedTensor::name);
      Set<String> leftOut = names.filter(n -> !dict.has(n)).collect(Collectors.toSet());
      if (!leftOut.isEmpty()) {
        dict.note(leftOut.size() + " frozen parameters left out");
      }
      return leftOut;
    }
    List<NamedTensor> parameters = listed ? declared() : undeclared();
    parameters.forEach(dict::add);
    List<NamedTensor> stored = parameters.stream().filter(t -> t.spec().elements() > 0).toList();
    if (!stored.isEmpty()) {
      dict.note(
          stored.size()
              + " frozen parameters have no fp32 master: taken as stored, "
              + stored.get(0).spec().dtype().torchName());
    }
    return Set.of();
  }

  /**
   * Parameters without elements, which DeepSpeed since 0.19.8 keeps out of the flat groups and
   * saves with frozen ones ({@code is_optimized_parameter} in {@code deepspeed/runtime/utils.py}),
   * though they may well be trained.
   */
  private List<NamedTensor> withoutElements() {
    Stream<NamedTensor> declared =
        model.frozen().fragments().stream()
            .filter(t -> t.spec().elements() == 0)
            .filter(t -> hasNoElements(model.frozen().shapes().get(t.name())))
            .map(t -> t.withShape(model.frozen().shapes().get(t.name())));
    return Stream.concat(declared, undeclared().stream().filter(t -> t.spec().elements() == 0))
        .toList();
  }

  private static boolean hasNoElements(Shape shape) {
    return shape != null && shape.elements() == 0;
  }

  /**
   * Under ZeRO-3 a module that stands in the model twice leaves only placeholders the second time.
   */
  private void noteNamesWithoutWeights(StateDict dict, Set<String> leftOut) {
    List<String> names =
        module.names().stream()
            .filter(n -> !dict.has(n) && !leftOut.contains(n))
            .filter(n -> !leftOut.contains(module.sameView().getOrDefault(n, n)))
            .filter(n -> !leftOut.contains(model.shared().getOrDefault(n, n)))
            .toList();
    if (!names.isEmpty()) {
      dict.note(
          names.size()
              + " names of the module have no weights of their own in the checkpoint, most likely"
              + " parts that the model uses twice"
              + (savesFrozen() ? "" : ", or frozen parameters, which were not saved before 0.9.1")
              + ": "
              + String.join(", ", names.subList(0, Math.min(10, names.size()))));
    }
  }

  private boolean savesFrozen() {
    return stage != 3 || DeepSpeedVersion.of(model.run().version()).isSince(0, 9, 1);
  }

  /** Frozen parameters that the file lists, whole under ZeRO-2, in pieces under ZeRO-3. */
  private List<NamedTensor> declared() {
    Map<String, Shape> shapes = model.frozen().shapes();
    List<NamedTensor> fragments = model.frozen().fragments();
    model.requireRead(shapes::containsKey);
    if (fragments.size() != shapes.size()) {
      throw PartitionFailures.frozenPiecesDiffer(shapes.size(), fragments.size(), modelPlace);
    }
    List<NamedTensor> parameters = new ArrayList<>();
    for (int i = 0; i < fragments.size(); i++) {
      NamedTensor first = fragments.get(i);
      if (experts.experts().holds(first.name())) {
        // The first rank's alone; the files of experts hold them all.
        continue;
      }
      Shape shape = shapes.get(first.name());
      if (shape == null) {
        throw PartitionFailures.frozenWithoutShape(first.name(), modelPlace);
      }
      if (model.run().setup().quantizesFrozen() && !first.spec().dtype().isCastable()) {
        throw PartitionFailures.frozenQuantized(first.name(), modelPlace);
      }
      if (otherModels.isEmpty() && first.spec().shape().equals(shape)) {
        parameters.add(first);
      } else {
        parameters.add(joined(i, first, shape));
      }
    }
    return parameters;
  }

  private NamedTensor joined(int index, NamedTensor first, Shape shape) {
    List<FlatBuffer.StorageRun> pieces = new ArrayList<>();
    pieces.add(FrozenPieces.piece(first, modelPlace));
    otherModels.forEach(other -> pieces.add(other.pieces().get(index)));
    requireSlices(first.name(), shape, pieces);
    FlatBuffer buffer = new FlatBuffer(pieces);
    return new NamedTensor(
        new TensorSpec(first.name(), buffer.dtype(), shape),
        new FlatLayout(buffer, 0, shape.elements()));
  }

  /** Every rank has as much, the last ones with padding: what is more or less is of another run. */
  private void requireSlices(String name, Shape shape, List<FlatBuffer.StorageRun> pieces) {
    long slice = PartitionedLayout.sliceOf(shape.elements(), pieces.size());
    for (int rank = 0; rank < pieces.size(); rank++) {
      if (pieces.get(rank).elements() != slice) {
        throw PartitionFailures.frozenDoesNotFit(
            name, shape, rank, pieces.get(rank).elements(), pieces.size(), modelPlace);
      }
    }
  }

  /**
   * ZeRO-1 lists no frozen parameters, and no stage does before DeepSpeed 0.9.1; they are what
   * stands in the module and is no trained parameter, no buffer and no other name of one. Under
   * ZeRO-3 none is whole there, and before 0.6 a placeholder had one element.
   */
  private List<NamedTensor> undeclared() {
    return module.tensors().stream()
        .filter(t -> !module.buffers().contains(t.name()))
        .filter(t -> stage != 3 || t.spec().elements() > 1)
        .filter(t -> !model.shared().containsKey(t.name()))
        .filter(t -> !module.sameView().containsKey(t.name()))
        .toList();
  }
}
