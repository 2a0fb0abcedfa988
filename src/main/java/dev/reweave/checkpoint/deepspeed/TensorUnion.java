package dev.reweave.checkpoint.deepspeed;

import dev.reweave.checkpoint.StoredCopies;
import dev.reweave.tensor.CombinedLayout;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.NarrowedLayout;
import dev.reweave.tensor.PiecedSlicing;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.Slicing;
import dev.reweave.tensor.SlicingRule;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Makes whole tensors of what the tensor-parallel ranks have of them. */
final class TensorUnion {
  private final String folder;
  private final List<SlicingRule> rules;
  private final UniversalInfo info;
  private final Set<String> buffers;
  private final List<String> missing = new ArrayList<>();

  /**
   * @param folder the checkpoint, for messages
   * @param rules what the user says
   * @param info what the checkpoint says where the user says nothing; of parameters alone
   */
  TensorUnion(String folder, List<SlicingRule> rules, UniversalInfo info, Set<String> buffers) {
    this.folder = folder;
    this.rules = rules;
    this.info = info;
    this.buffers = buffers;
  }

  /**
   * Unites ranks.
   *
   * @param ranks in rank order; the first gives order, tied names and notes
   * @param modules names of each rank's module: of some that have no tensor the rank's slice has no
   *     elements
   */
  StateDict unite(List<StateDict> ranks, List<Set<String>> modules) {
    StateDict first = ranks.get(0);
    if (ranks.size() == 1) {
      return first;
    }
    StateDict whole = new StateDict();
    for (String name : names(ranks)) {
      List<NamedTensor> slices = slices(name, ranks, modules);
      slicing(slices).ifPresent(s -> whole.add(whole(s, slices)));
    }
    if (!missing.isEmpty()) {
      throw SlicingFailures.noRules(missing, folder);
    }
    first.aliases().forEach(whole::tie);
    first.notes().forEach(whole::note);
    return whole;
  }

  /** Those of the first rank in its order; what it lacks follows what it follows elsewhere. */
  private static List<String> names(List<StateDict> ranks) {
    Set<String> known = new HashSet<>();
    List<String> names = new ArrayList<>();
    for (StateDict rank : ranks) {
      String before = "";
      for (NamedTensor tensor : rank.tensors()) {
        if (known.add(tensor.name())) {
          int at = rank == ranks.get(0) ? names.size() : names.indexOf(before) + 1;
          names.add(at, tensor.name());
        }
        before = tensor.name();
      }
    }
    return names;
  }

  /** What each rank has of a tensor. DeepSpeed keeps no master of a slice without elements. */
  private List<NamedTensor> slices(String name, List<StateDict> ranks, List<Set<String>> modules) {
    NamedTensor some =
        ranks.stream()
            .filter(rank -> rank.hasTensor(name))
            .map(rank -> rank.tensor(name))
            .max(Comparator.comparingLong(tensor -> tensor.spec().elements()))
            .orElseThrow();
    List<NamedTensor> slices = new ArrayList<>();
    for (int r = 0; r < ranks.size(); r++) {
      if (!ranks.get(r).hasTensor(name)) {
        slices.add(empty(some, emptyShape(some, r, modules.get(r))));
      } else if (ranks.get(r).tensor(name).spec().elements() == 0) {
        slices.add(empty(some, ranks.get(r).tensor(name).spec().shape()));
      } else {
        slices.add(ranks.get(r).tensor(name));
      }
    }
    return slices;
  }

  /** A slice without elements, of the type of one that has some. */
  private static NamedTensor empty(NamedTensor some, Shape shape) {
    Layout none = new NarrowedLayout(some.layout(), 1, some.layout().elements(), 0, 0);
    return new NamedTensor(new TensorSpec(some.name(), some.spec().dtype(), shape), none);
  }

  private Shape emptyShape(NamedTensor some, int rank, Set<String> module) {
    return Optional.of(some.name())
        .filter(module::contains)
        .flatMap(info::pieces)
        .flatMap(pieces -> pieces.sliceShape(rank, some.spec().shape().rank()))
        .filter(shape -> shape.elements() == 0)
        .orElseThrow(() -> SlicingFailures.someRanksLack(some.name(), folder));
  }

  /** Empty, and noted as missing, where nothing tells. */
  private Optional<Slicing> slicing(List<NamedTensor> slices) {
    String name = slices.get(0).name();
    Slicing copied = new Slicing.Copied(CombinedLayout.Kind.REPLICATED);
    for (SlicingRule rule : rules) {
      if (rule.matches(name)) {
        return Optional.of(rule.slicing());
      }
    }
    boolean told = info.isPresent() && (!buffers.contains(name) || info.mentions(name));
    Optional<PiecedSlicing> pieces = told ? info.pieces(name) : Optional.empty();
    if (pieces.isPresent()) {
      return Optional.of(pieces.get());
    }
    if (slices.get(0).spec().shape().rank() == 0) {
      return Optional.of(copied);
    }
    if (told) {
      return Optional.of(info.slicing(name));
    }
    if (info.isPresent() && StoredCopies.areSame(slices)) {
      return Optional.of(copied);
    }
    missing.add(name);
    return Optional.empty();
  }

  private NamedTensor whole(Slicing slicing, List<NamedTensor> slices) {
    NamedTensor first = slices.get(0);
    try {
      NamedTensor whole = slicing.whole(slices);
      return areCopies(slicing) && StoredCopies.areSame(slices) ? first : whole;
    } catch (IllegalArgumentException e) {
      throw SlicingFailures.doNotFit(first.name(), slices.size(), folder, e);
    }
  }

  private static boolean areCopies(Slicing slicing) {
    return slicing.equals(new Slicing.Copied(CombinedLayout.Kind.REPLICATED))
        || (slicing instanceof PiecedSlicing pieces && pieces.areCopies());
  }
}
