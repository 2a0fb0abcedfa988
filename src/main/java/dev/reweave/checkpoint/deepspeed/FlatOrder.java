package dev.reweave.checkpoint.deepspeed;

import dev.reweave.checkpoint.deepspeed.FlatAccount.Fragment;
import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.Shape;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * Where the parameters of a flat group of ZeRO-1 or 2 lie: one after another in the order of {@code
 * param_shapes}, with the gaps that the file lists between them.
 */
final class FlatOrder {
  private final int group;
  private final Map<String, Shape> shapes;
  private final Map<String, Long> starts = new LinkedHashMap<>();
  private final long end;

  /**
   * @param gaps how many elements follow each parameter; none where there are none
   * @param place a file of the group, for messages
   * @throws ReweaveException if gaps are listed, but not one for each parameter
   */
  FlatOrder(int group, Map<String, Shape> shapes, List<Long> gaps, String place) {
    this.group = group;
    this.shapes = shapes;
    if (!gaps.isEmpty() && gaps.size() != shapes.size()) {
      throw PartitionFailures.gapsDiffer(group, shapes.size(), gaps.size(), place);
    }
    long at = 0;
    int i = 0;
    for (Map.Entry<String, Shape> parameter : shapes.entrySet()) {
      starts.put(parameter.getKey(), at);
      long gap = gaps.isEmpty() ? 0 : gaps.get(i);
      try {
        at = Math.addExact(at, Math.addExact(parameter.getValue().elements(), gap));
      } catch (ArithmeticException e) {
        throw PartitionFailures.groupTooLarge(group, place);
      }
      i++;
    }
    this.end = at;
  }

  /** First element of a parameter in the group. */
  long start(String name) {
    return starts.get(name);
  }

  /** Number of elements of all parameters and gaps. */
  long end() {
    return end;
  }

  /**
   * Refuses a rank whose own account of its partition is another one.
   *
   * @param listed what the rank's file says that its partition holds
   * @param from first element of the group in the partition
   * @param length elements of a partition, before padding was cut off
   * @param place the rank's file, for messages
   */
  void require(Map<String, Fragment> listed, long from, long length, String place) {
    TreeSet<String> unknown = new TreeSet<>(listed.keySet());
    unknown.removeAll(starts.keySet());
    if (!unknown.isEmpty()) {
      throw PartitionFailures.foreignParameter(group, unknown.first(), place);
    }
    for (String name : starts.keySet()) {
      Fragment expected = fragment(name, from, length);
      Fragment found = listed.getOrDefault(name, Fragment.NONE);
      if (!found.equals(expected) && found.elements() + expected.elements() > 0) {
        throw PartitionFailures.unclear(group, name, expected, found, place);
      }
    }
  }

  /** What a rank's partition holds of a parameter. */
  private Fragment fragment(String name, long from, long length) {
    long start = starts.get(name);
    long first = Math.max(start, from);
    long last = Math.min(start + shapes.get(name).elements(), from + length);
    return first < last ? new Fragment(first - from, last - first) : Fragment.NONE;
  }
}
