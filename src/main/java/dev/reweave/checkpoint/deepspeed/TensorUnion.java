package dev.reweave.checkpoint.deepspeed;

import dev.reweave.ReweaveException;
import dev.reweave.tensor.CombinedLayout;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Slicing;
import dev.reweave.tensor.SlicingRule;
import dev.reweave.tensor.StorageRef;
import dev.reweave.tensor.StoredLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Makes whole tensors of what the tensor-parallel ranks have of them. */
final class TensorUnion {
  private static final int MOST_NAMES = 10;

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
   */
  StateDict unite(List<StateDict> ranks) {
    StateDict first = ranks.get(0);
    if (ranks.size() == 1) {
      return first;
    }
    ranks.forEach(rank -> requireSameNames(first, rank));
    StateDict whole = new StateDict();
    for (NamedTensor tensor : first.tensors()) {
      List<NamedTensor> slices = ranks.stream().map(r -> r.tensor(tensor.name())).toList();
      slicing(slices).ifPresent(s -> whole.add(whole(s, slices)));
    }
    if (!missing.isEmpty()) {
      throw missingRules();
    }
    first.aliases().forEach(whole::tie);
    first.notes().forEach(whole::note);
    return whole;
  }

  private void requireSameNames(StateDict first, StateDict other) {
    for (StateDict[] pair : new StateDict[][] {{first, other}, {other, first}}) {
      for (NamedTensor tensor : pair[0].tensors()) {
        if (!pair[1].hasTensor(tensor.name())) {
          throw new ReweaveException(
              "some tensor-parallel ranks have " + tensor.name() + ", and others have not",
              folder,
              "files of two runs are mixed or some are missing: copy the files of this step from"
                  + " the training run again");
        }
      }
    }
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
    if (slices.get(0).spec().shape().rank() == 0) {
      return Optional.of(copied);
    }
    if (info.isPresent() && (!buffers.contains(name) || info.mentions(name))) {
      return Optional.of(info.slicing(name));
    }
    if (info.isPresent() && areSame(slices)) {
      return Optional.of(copied);
    }
    missing.add(name);
    return Optional.empty();
  }

  private NamedTensor whole(Slicing slicing, List<NamedTensor> slices) {
    NamedTensor first = slices.get(0);
    if (slicing.equals(new Slicing.Copied(CombinedLayout.Kind.REPLICATED)) && areSame(slices)) {
      return first;
    }
    try {
      return slicing.whole(slices);
    } catch (IllegalArgumentException e) {
      throw new ReweaveException(
          ReweaveException.Kind.MODEL_MISMATCH,
          first.name() + " of " + slices.size() + " tensor-parallel ranks: " + e.getMessage(),
          folder,
          "give another 'tensorParallel' rule for it in a file, with --mapping FILE",
          e);
    }
  }

  /** Whether the checksums in the files say so, of storages that hold nothing else. */
  private static boolean areSame(List<NamedTensor> slices) {
    Optional<StorageRef> first = only(slices.get(0));
    return first.isPresent()
        && slices.stream()
            .allMatch(
                slice ->
                    slice.spec().equals(slices.get(0).spec())
                        && only(slice).filter(s -> same(s, first.get())).isPresent());
  }

  private static boolean same(StorageRef a, StorageRef b) {
    return a.crc32() == b.crc32() && a.order() == b.order() && a.elements() == b.elements();
  }

  /** The storage of a tensor that holds nothing else and has a checksum. */
  static Optional<StorageRef> only(NamedTensor tensor) {
    return tensor.layout() instanceof StoredLayout stored
            && stored.isContiguous()
            && stored.storage().hasCrc()
            && stored.storage().elements() == stored.elements()
        ? Optional.of(stored.storage())
        : Optional.empty();
  }

  private ReweaveException missingRules() {
    String names = String.join(", ", missing.subList(0, Math.min(MOST_NAMES, missing.size())));
    int more = missing.size() - MOST_NAMES;
    return ReweaveException.mismatch(
        "nothing says how the tensor-parallel ranks share "
            + missing.size()
            + (missing.size() == 1 ? " tensor: " : " tensors: ")
            + names
            + (more > 0 ? " and " + more + " more" : ""),
        folder,
        "say it in a file, and name that with --mapping FILE: {\"name\": \"my-model\","
            + " \"description\": \"slices of my model\", \"tensorParallel\": [{\"match\": \""
            + missing.get(0).replaceAll("([\\\\.\\[\\]{}()*+?^$|])", "\\\\\\\\$1")
            + "\", \"dim\": 0}]}, with \"dim\": 1 for row-parallel ones, or \"kind\":"
            + " \"replicated\" or \"averaged\" in its place");
  }
}
