package dev.reweave.testing;

import static dev.reweave.testing.PickleWriter.dict;

import dev.reweave.testing.PickleWriter.Instance;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A parameter group of ZeRO-1 and 2 in which each parameter starts at a multiple of elements. */
record AlignedGroup(List<Floats> params, int alignment) {

  /** Elements behind each parameter; none behind the last. */
  List<Integer> gaps() {
    List<Integer> gaps = new ArrayList<>();
    int end = 0;
    for (int i = 0; i < params.size(); i++) {
      end += (int) params.get(i).shape().elements();
      int gap = i == params.size() - 1 ? 0 : Math.floorMod(-end, alignment);
      gaps.add(gap);
      end += gap;
    }
    return gaps;
  }

  /** The parameters and, as tensors of zeros, the gaps. */
  List<Floats> laid() {
    List<Floats> laid = new ArrayList<>();
    for (int i = 0; i < params.size(); i++) {
      laid.add(params.get(i));
      laid.add(Floats.of("gap", new float[gaps().get(i)]));
    }
    return laid;
  }

  /**
   * What {@code length} elements from {@code from} on hold of each parameter, as DeepSpeed says.
   */
  Map<Object, Object> addresses(int from, int length) {
    Map<Object, Object> addresses = dict();
    int start = 0;
    for (int i = 0; i < params.size(); i++) {
      int end = start + (int) params.get(i).shape().elements();
      int first = Math.max(from, start);
      int last = Math.min(from + length, end);
      if (first < last) {
        addresses.put(
            params.get(i).name(),
            new Instance(
                "deepspeed.utils.tensor_fragment",
                "fragment_address",
                dict("numel", last - first, "start", first - from)));
      }
      start = end + gaps().get(i);
    }
    return addresses;
  }
}
