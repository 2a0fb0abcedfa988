package dev.reweave.checkpoint.deepspeed;

import dev.reweave.format.pytorch.TorchValue;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What an optimizer states file of ZeRO-1 or 2 itself says of where parameters lie in the flat
 * groups ({@code stage_1_and_2.py}, {@code DeepSpeedZeroOptimizer.state_dict}).
 *
 * @param gaps {@code param_alignment_paddings} of DeepSpeed since 0.19.7: by group, how many
 *     elements follow each parameter, in the order of {@code param_shapes}; nothing where there are
 *     none, and in what is kept of all ranks but the first
 * @param gapsHash tells the gaps of other ranks apart
 * @param fragments {@code param_slice_mappings}: by group, what the rank's partition holds of each
 *     parameter, by name; nothing where the file does not say
 */
record FlatAccount(List<List<Long>> gaps, int gapsHash, List<Map<String, Fragment>> fragments)
    implements Serializable {
  private static final String GAPS = "param_alignment_paddings";
  private static final String FRAGMENTS = "param_slice_mappings";
  static final FlatAccount NONE = new FlatAccount(List.of(), 1, List.of());

  /**
   * Neighbouring elements of a partition.
   *
   * @param start first element in the partition
   * @param elements number of them
   */
  record Fragment(long start, long elements) implements Serializable {
    /** Nothing. */
    static final Fragment NONE = new Fragment(0, 0);

    /** As in messages. */
    @Override
    public String toString() {
      return elements == 0 ? "no element" : "elements " + start + " to " + (start + elements - 1);
    }
  }

  FlatAccount {
    gaps = List.copyOf(gaps);
    fragments = List.copyOf(fragments);
  }

  /**
   * Reads it.
   *
   * @param state the {@code optimizer_state_dict}
   */
  static FlatAccount of(TorchValue state) {
    List<List<Long>> gaps = new ArrayList<>();
    for (TorchValue group : items(state, GAPS)) {
      gaps.add(group.items().stream().map(FlatAccount::gap).toList());
    }
    boolean any = gaps.stream().anyMatch(g -> g.stream().anyMatch(gap -> gap > 0));
    List<Map<String, Fragment>> fragments = new ArrayList<>();
    for (TorchValue group : items(state, FRAGMENTS)) {
      Map<String, Fragment> byName = new LinkedHashMap<>();
      group.entries().forEach(e -> byName.put(e.getKey(), fragment(e.getValue())));
      fragments.add(byName);
    }
    return new FlatAccount(any ? gaps : List.of(), any ? gaps.hashCode() : 1, fragments);
  }

  private static List<TorchValue> items(TorchValue state, String key) {
    return state.find(key).map(TorchValue::items).orElse(List.of());
  }

  private static long gap(TorchValue value) {
    long gap = value.integer();
    if (gap < 0) {
      throw PartitionFailures.negativeGap(gap, value.place());
    }
    return gap;
  }

  private static Fragment fragment(TorchValue address) {
    return new Fragment(number(address, "start"), number(address, "numel"));
  }

  private static long number(TorchValue address, String name) {
    Optional<TorchValue> number = address.attribute(name);
    return number.orElseThrow(() -> PartitionFailures.noFragment(name, address)).integer();
  }

  /** The same without gaps, which all ranks have in common, but for what tells them apart. */
  FlatAccount ofFurtherRank() {
    return new FlatAccount(List.of(), gapsHash, fragments);
  }

  /** The gaps of one group; none where there are none. */
  List<Long> gapsOf(int group) {
    return group < gaps.size() ? gaps.get(group) : List.of();
  }

  /** What the rank's partition of a group holds; empty where the file does not say. */
  Optional<Map<String, Fragment>> fragmentsOf(int group) {
    return group < fragments.size() ? Optional.of(fragments.get(group)) : Optional.empty();
  }
}
