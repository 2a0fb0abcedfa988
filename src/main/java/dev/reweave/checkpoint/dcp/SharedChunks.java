package dev.reweave.checkpoint.dcp;

import dev.reweave.tensor.NamedTensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Tensors whose chunks are the same bytes of the same files: one tensor of several names. Torch
 * saves each name's own copy; Reweave has them share, as there is no other word for tied names.
 *
 * @param tensors the first of each
 * @param aliases each further name to the first
 */
record SharedChunks(List<NamedTensor> tensors, Map<String, String> aliases) {

  /**
   * @param stored where each of the tensors lies, in the same order
   */
  static SharedChunks of(List<NamedTensor> named, List<DcpTensor> stored) {
    Map<Object, String> seen = new HashMap<>();
    List<NamedTensor> first = new ArrayList<>();
    Map<String, String> aliases = new TreeMap<>();
    for (int i = 0; i < named.size(); i++) {
      String name = named.get(i).name();
      DcpTensor tensor = stored.get(i);
      String known = tensor.chunks().isEmpty() ? null : seen.putIfAbsent(place(tensor), name);
      if (known == null) {
        first.add(named.get(i));
      } else {
        aliases.put(name, known);
      }
    }
    return new SharedChunks(first, aliases);
  }

  private static Object place(DcpTensor tensor) {
    List<Object> place = new ArrayList<>(List.of(tensor.dtype(), tensor.shape()));
    for (DcpTensor.Chunk chunk : tensor.chunks()) {
      place.add(chunk.offsets());
      place.add(chunk.file());
      place.add(chunk.stored().start());
      place.add(chunk.stored().length());
    }
    return place;
  }
}
