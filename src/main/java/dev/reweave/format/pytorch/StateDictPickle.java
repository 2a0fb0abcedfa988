package dev.reweave.format.pytorch;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.TensorSpec;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;

/**
 * The {@code data.pkl} that {@code torch.save} gives for a {@code collections.OrderedDict} of
 * tensors on the CPU, byte for byte as torch 2.13 on CPython ({@link TensorPickle}, {@code
 * batch_dict} in {@code Modules/_pickle.c}).
 *
 * <p>Each tensor has the storage of its index.
 */
final class StateDictPickle {
  /** Items that CPython writes with one operation. */
  private static final int BATCH = 1000;

  private final List<TensorSpec> tensors;
  private final SortedMap<String, String> ties;
  private final Map<String, Integer> indices = new HashMap<>();
  private final PickleOutput out = new PickleOutput();
  private final TensorPickle writer = new TensorPickle(out);

  private StateDictPickle(List<TensorSpec> tensors, SortedMap<String, String> ties) {
    this.tensors = tensors;
    this.ties = ties;
    Set<String> names = new HashSet<>(ties.keySet());
    for (TensorSpec tensor : tensors) {
      indices.put(tensor.name(), indices.size());
      if (!names.add(tensor.name())) {
        throw new IllegalArgumentException("two tensors of the name " + tensor.name());
      }
    }
    names.forEach(StateDictPickle::check);
    tensors.forEach(TensorPickle::check);
    ties.forEach(
        (name, of) -> {
          if (!indices.containsKey(of)) {
            throw new IllegalArgumentException(name + " is tied to " + of + ", which is not here");
          }
        });
  }

  /**
   * The pickle.
   *
   * @param ties each name that follows behind the tensors to the tensor whose storage it has
   * @throws ReweaveException if a name cannot be written
   * @throws IllegalArgumentException if a name comes twice or is tied to none of the tensors
   */
  static byte[] of(List<TensorSpec> tensors, SortedMap<String, String> ties) {
    return new StateDictPickle(tensors, ties).write();
  }

  private byte[] write() {
    TensorPickle.ordered(out);
    Batches batches = new Batches(tensors.size() + ties.size());
    for (int i = 0; i < tensors.size(); i++) {
      batches.before();
      out.text(tensors.get(i).name());
      writer.write(tensors.get(i), i);
      batches.after();
    }
    ties.forEach(
        (name, of) -> {
          int index = indices.get(of);
          batches.before();
          out.text(name);
          writer.write(tensors.get(index), index);
          batches.after();
        });
    return out.op('.').bytes();
  }

  /** Sets the items of the dict, so many at a time. */
  private final class Batches {
    private int left;
    private int size;
    private int filled;

    Batches(int items) {
      this.left = items;
    }

    void before() {
      if (filled == 0) {
        size = Math.min(BATCH, left);
        if (size > 1) {
          out.op('(');
        }
      }
    }

    void after() {
      filled++;
      if (filled == size) {
        out.op(size > 1 ? 'u' : 's');
        left -= size;
        filled = 0;
      }
    }
  }

  private static void check(String name) {
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(name)) {
      throw TorchFileFailures.nameNotUnicode(name);
    }
  }
}
