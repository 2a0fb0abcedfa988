package dev.reweave.checkpoint.deepspeed;

import dev.reweave.ReweaveException;
import dev.reweave.checkpoint.ReadOptions.Frozen;
import dev.reweave.tensor.FlatBuffer;
import dev.reweave.tensor.FlatLayout;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.PartitionedLayout;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.StoredLayout;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * The fp32 master weights, rebuilt from all ranks' flat partitions, with buffers and frozen
 * parameters beside them: the state dict of {@code deepspeed/utils/zero_to_fp32.py}, in its order
 * (buffers, frozen, trained, shared), but right where that is wrong.
 */
final class MasterWeights {
  private final ModelStates model;
  private final List<FrozenPieces> otherModels;
  private final List<RankFile> files;
  private final List<OptimizerStates> ranks;
  private final String modelPlace;
  private final ExpertWeights experts;
  private final Map<String, Shape> trained;

  /**
   * @param model what the first rank's model states say
   * @param otherModels what those of the other ranks add, under ZeRO-3
   * @param files the optimizer states files, in rank order
   * @param ranks what they say
   * @param modelPlace the first rank's model states file, for messages
   * @param experts what the files of experts hold
   */
  MasterWeights(
      ModelStates model,
      List<FrozenPieces> otherModels,
      List<RankFile> files,
      List<OptimizerStates> ranks,
      String modelPlace,
      ExpertWeights experts) {
    this.model = model;
    this.otherModels = otherModels;
    this.files = files;
    this.ranks = ranks;
    this.modelPlace = modelPlace;
    this.experts = experts;
    this.trained = model.trained();
  }

  StateDict assemble(Frozen frozen) {
    if (trained.isEmpty()) {
      throw new ReweaveException(
          "no 'param_shapes', so nothing tells what lies where in the flat partitions",
          modelPlace,
          "convert the module's own weights with --weights model");
    }
    return assemble(frozen, ranks.get(0).stage() == 3 ? this::addPartitioned : this::addFlat);
  }

  /**
   * The same where the trained parameters are not in the partitions.
   *
   * @param addTrained adds them
   */
  StateDict assemble(Frozen frozen, Consumer<StateDict> addTrained) {
    StateDict dict = new StateDict();
    addBuffers(dict);
    Set<String> leftOut = addFrozen(dict, frozen);
    addTrained.accept(dict);
    experts.complete(dict, model, frozen);
    model.shared().forEach(dict::tie);
    model.sameView().forEach(dict::tie);
    noteNamesWithoutWeights(dict, leftOut);
    if (!experts.isEmpty()) {
      new ExpertOrder(experts.experts(), model).arrange(dict);
    }
    return dict;
  }

  private void addBuffers(StateDict dict) {
    for (NamedTensor tensor : model.module()) {
      if (model.buffers().contains(tensor.name())) {
        String same = model.sameView().get(tensor.name());
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
    boolean listed = !model.frozenShapes().isEmpty();
    if (frozen == Frozen.EXCLUDE) {
      // What is left out need not be whole.
      Set<String> names =
          listed
              ? model.frozenShapes().keySet()
              : undeclared().stream().map(NamedTensor::name).collect(Collectors.toSet());
      if (!names.isEmpty()) {
        dict.note(names.size() + " frozen parameters left out");
      }
      return names;
    }
    List<NamedTensor> parameters = listed ? declared() : undeclared();
    if (parameters.isEmpty()) {
      return Set.of();
    }
    parameters.forEach(dict::add);
    dict.note(
        parameters.size()
            + " frozen parameters have no fp32 master: taken as stored, "
            + parameters.get(0).spec().dtype().torchName());
    return Set.of();
  }

  /**
   * Under ZeRO-3 a module that stands in the model twice leaves only placeholders the second time.
   */
  private void noteNamesWithoutWeights(StateDict dict, Set<String> leftOut) {
    List<String> names =
        model.moduleNames().stream()
            .filter(n -> !dict.has(n) && !leftOut.contains(n))
            .filter(n -> !leftOut.contains(model.sameView().getOrDefault(n, n)))
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
    return ranks.isEmpty()
        || ranks.get(0).stage() != 3
        || DeepSpeedVersion.of(model.version()).isSince(0, 9, 1);
  }

  /** Frozen parameters that the file lists, whole under ZeRO-2, in pieces under ZeRO-3. */
  private List<NamedTensor> declared() {
    if (model.fragments().size() != model.frozenShapes().size()) {
      throw new ReweaveException(
          model.frozenShapes().size()
              + " frozen parameters, but pieces of "
              + model.fragments().size(),
          modelPlace,
          "the file is damaged: copy it from the training run again, or use --exclude-frozen");
    }
    List<NamedTensor> parameters = new ArrayList<>();
    for (int i = 0; i < model.fragments().size(); i++) {
      NamedTensor first = model.fragments().get(i);
      if (experts.experts().holds(first.name())) {
        // The first rank's alone; the files of experts hold them all.
        continue;
      }
      Shape shape = model.frozenShapes().get(first.name());
      if (shape == null) {
        throw sizes("frozen parameter " + first.name() + " has no shape", modelPlace);
      }
      if (model.setup().quantizesFrozen() && !first.spec().dtype().isCastable()) {
        throw new ReweaveException(
            "frozen parameter "
                + first.name()
                + " was saved quantized, without the scales (zero_quantized_nontrainable_weights)",
            modelPlace,
            "use --exclude-frozen, and take the frozen parameters from the model that was trained"
                + " on");
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
    List<FlatBuffer.Piece> pieces = new ArrayList<>();
    pieces.add(((StoredLayout) first.layout()).piece());
    otherModels.forEach(other -> pieces.add(other.pieces().get(index)));
    FlatBuffer buffer = new FlatBuffer(pieces);
    if (buffer.elements() < shape.elements()) {
      throw sizes(
          "frozen parameter "
              + first.name()
              + " of shape "
              + shape
              + " has pieces of "
              + buffer.elements()
              + " elements in all",
          modelPlace);
    }
    return new NamedTensor(
        new TensorSpec(first.name(), buffer.dtype(), shape),
        new FlatLayout(buffer, 0, shape.elements()));
  }

  /**
   * ZeRO-1 lists no frozen parameters, and no stage does before DeepSpeed 0.9.1; they are what
   * stands in the module and is no trained parameter, no buffer and no other name of one. Under
   * ZeRO-3 none is whole there, and before 0.6 a placeholder had one element.
   */
  private List<NamedTensor> undeclared() {
    boolean partitioned = !ranks.isEmpty() && ranks.get(0).stage() == 3;
    return model.module().stream()
        .filter(t -> !model.buffers().contains(t.name()))
        .filter(t -> !partitioned || t.spec().elements() > 1)
        .filter(t -> !model.shared().containsKey(t.name()))
        .filter(t -> !model.sameView().containsKey(t.name()))
        .toList();
  }

  /** ZeRO-1 and 2: per group, the ranks' partitions end to end, parameters one after another. */
  private void addFlat(StateDict dict) {
    List<Map<String, Shape>> groups = model.groups();
    int partitions = ranks.get(0).flat().size();
    if (groups.size() != partitions) {
      throw sizes(
          groups.size() + " groups of parameter shapes, but " + partitions + " of partitions",
          files.get(0).file().uri());
    }
    for (int g = 0; g < groups.size(); g++) {
      int group = g;
      List<List<NamedTensor>> byExpertRank = new ArrayList<>();
      int expertRanks = expertRanks(g);
      for (int e = 0; e < expertRanks; e++) {
        List<Integer> sharing = experts.experts().ranksOf(e, expertRanks, ranks.size());
        FlatBuffer buffer =
            new FlatBuffer(sharing.stream().map(r -> ranks.get(r).flat().get(group)).toList());
        byExpertRank.add(flat(g, sharing.size(), buffer));
      }
      add(dict, byExpertRank);
    }
  }

  /** How many sets of experts a group has: one for each data-parallel rank that is no partition. */
  private int expertRanks(int group) {
    List<Long> counts = ranks.get(0).partitionCounts();
    return experts.isEmpty() || counts.size() <= group
        ? 1
        : Math.toIntExact(ranks.size() / counts.get(group));
  }

  private void add(StateDict dict, List<List<NamedTensor>> byExpertRank) {
    List<NamedTensor> whole =
        byExpertRank.size() == 1
            ? byExpertRank.get(0)
            : new ExpertMasters(experts, files.get(0).file().uri()).unite(byExpertRank);
    whole.forEach(dict::add);
  }

  private List<NamedTensor> flat(int group, int partitions, FlatBuffer buffer) {
    Map<String, Shape> shapes = model.groups().get(group);
    long needed = 0;
    for (Shape shape : shapes.values()) {
      needed = Math.addExact(needed, shape.elements());
    }
    requireFit(group, partitions, needed, buffer.elements());
    List<NamedTensor> parameters = new ArrayList<>();
    long start = 0;
    for (Map.Entry<String, Shape> e : shapes.entrySet()) {
      long elements = e.getValue().elements();
      parameters.add(named(e, new FlatLayout(buffer, start, elements)));
      start += elements;
    }
    return parameters;
  }

  /** The tail of a group is padded to twice the world size, and sometimes already cut off. */
  private void requireFit(int group, int partitions, long needed, long available) {
    long align = 2L * partitions;
    if (available < needed || available - needed >= align) {
      throw sizes(
          "the parameters of group "
              + group
              + " have "
              + needed
              + " elements, and the "
              + partitions
              + " ranks' partitions "
              + available,
          files.get(0).file().uri());
    }
  }

  /**
   * ZeRO-3: each rank holds an equal slice of every parameter, at the same offset; of experts, each
   * of the ranks that have the same.
   */
  private void addPartitioned(StateDict dict) {
    List<FlatBuffer> buffers = ranks.stream().map(r -> new FlatBuffer(r.flat())).toList();
    long needed = 0;
    for (Map.Entry<String, Shape> e : trained.entrySet()) {
      int sharing = buffers.size() / expertRanks(e.getKey());
      needed = Math.addExact(needed, PartitionedLayout.sliceOf(e.getValue().elements(), sharing));
    }
    for (int r = 0; r < buffers.size(); r++) {
      if (buffers.get(r).elements() != needed) {
        throw sizes(
            "the parameters take "
                + needed
                + " elements of each rank, and rank "
                + (r + 1)
                + " of "
                + buffers.size()
                + " holds "
                + buffers.get(r).elements(),
            files.get(r).file().uri());
      }
    }
    Map<Integer, List<List<FlatBuffer>>> sharedBy = new HashMap<>();
    long offset = 0;
    for (Map.Entry<String, Shape> e : trained.entrySet()) {
      long elements = e.getValue().elements();
      List<List<FlatBuffer>> sharing =
          sharedBy.computeIfAbsent(expertRanks(e.getKey()), n -> sharing(n, buffers));
      List<List<NamedTensor>> byExpertRank = new ArrayList<>();
      for (List<FlatBuffer> same : sharing) {
        byExpertRank.add(List.of(named(e, new PartitionedLayout(same, offset, elements))));
      }
      add(dict, byExpertRank);
      offset += PartitionedLayout.sliceOf(elements, sharing.get(0).size());
    }
  }

  /** How many sets of experts a parameter has: 1 unless it is partitioned among some ranks only. */
  private int expertRanks(String name) {
    long sets = experts.experts().stackOf(name).map(Experts.Stack::ranks).orElse(1L);
    if (sets < 1 || ranks.size() % sets != 0) {
      throw sizes(
          sets + " expert-parallel ranks among " + ranks.size() + " data-parallel ones",
          modelPlace);
    }
    return (int) sets;
  }

  /** The buffers of the ranks that have the same experts, for each set of experts. */
  private List<List<FlatBuffer>> sharing(int expertRanks, List<FlatBuffer> buffers) {
    List<List<FlatBuffer>> sharing = new ArrayList<>();
    for (int e = 0; e < expertRanks; e++) {
      List<Integer> same = experts.experts().ranksOf(e, expertRanks, buffers.size());
      sharing.add(same.stream().map(buffers::get).toList());
    }
    return sharing;
  }

  private static NamedTensor named(Map.Entry<String, Shape> e, Layout layout) {
    return new NamedTensor(new TensorSpec(e.getKey(), layout.dtype(), e.getValue()), layout);
  }

  private static ReweaveException sizes(String problem, String place) {
    return new ReweaveException(
        "sizes do not add up: " + problem,
        place,
        "files of two runs are mixed or one is damaged: copy this step's files from the training"
            + " run again");
  }
}
