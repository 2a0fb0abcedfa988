package dev.reweave.format.pytorch;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;

/**
 * The {@code data.pkl} that {@code torch.save} gives for a {@code collections.OrderedDict} of
 * tensors on the CPU, byte for byte as torch 2.13 on CPython ({@code Tensor._reduce_ex_internal} in
 * {@code torch/_tensor.py}, {@code _save} in {@code torch/serialization.py}, {@code batch_dict} in
 * {@code Modules/_pickle.c}).
 *
 * <p>Each tensor has the storage of its index, whole and in row-major order. Types that had a
 * storage class before torch 2 name it; all others have an untyped storage, which counts bytes, and
 * name themselves.
 */
final class StateDictPickle {
  /** Items that CPython writes with one operation. */
  private static final int BATCH = 1000;

  private static final String KIND = "storage";
  private static final String LOCATION = "cpu";

  private final List<TensorSpec> tensors;
  private final SortedMap<String, String> ties;
  private final Map<String, Integer> indices = new HashMap<>();
  private final int[] keys;
  private final PickleOutput out = new PickleOutput();

  private StateDictPickle(List<TensorSpec> tensors, SortedMap<String, String> ties) {
    this.tensors = tensors;
    this.ties = ties;
    this.keys = new int[tensors.size()];
    Set<String> names = new HashSet<>(ties.keySet());
    for (TensorSpec tensor : tensors) {
      indices.put(tensor.name(), indices.size());
      if (!names.add(tensor.name())) {
        throw new IllegalArgumentException("two tensors of the name " + tensor.name());
      }
    }
    names.forEach(StateDictPickle::check);
    tensors.forEach(StateDictPickle::check);
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
    ordered();
    Batches batches = new Batches(tensors.size() + ties.size());
    for (int i = 0; i < tensors.size(); i++) {
      batches.before();
      out.text(tensors.get(i).name());
      tensor(i, Optional.empty());
      batches.after();
    }
    ties.forEach(
        (name, of) -> {
          int index = indices.get(of);
          batches.before();
          out.text(name);
          tensor(index, Optional.of(keys[index]));
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

  private void ordered() {
    out.global("collections", "OrderedDict").op(')').op('R').put();
  }

  private void tensor(int index, Optional<Integer> knownKey) {
    TensorSpec tensor = tensors.get(index);
    DType dtype = tensor.dtype();
    Optional<String> storageClass = StorageType.nameOf(dtype);
    out.global(
        "torch._utils", storageClass.isPresent() ? "_rebuild_tensor_v2" : "_rebuild_tensor_v3");
    out.op('(').op('(').sharedText(KIND);
    if (storageClass.isPresent()) {
      out.global("torch", storageClass.get());
    } else {
      out.global("torch.storage", "UntypedStorage");
    }
    if (knownKey.isPresent()) {
      out.get(knownKey.get());
    } else {
      keys[index] = out.text(Integer.toString(index));
    }
    out.sharedText(LOCATION);
    out.integer(storageClass.isPresent() ? tensor.elements() : tensor.bytes());
    out.op('t').put();
    out.op('Q').integer(0);
    Shape shape = tensor.torchShape();
    out.tuple(shape.dims()).tuple(shape.rowMajorStrides());
    out.op(0x89); // requires_grad: False
    ordered(); // no hooks
    if (storageClass.isEmpty()) {
      out.global("torch", dtype == DType.F4 ? DType.TORCH_PAIR : dtype.torchName());
    }
    out.op('t').put();
    out.op('R').put();
  }

  private static void check(TensorSpec tensor) {
    int rank = tensor.shape().rank();
    boolean pairs = tensor.dtype() == DType.F4 && rank > 0 && tensor.shape().dim(rank - 1) % 2 == 0;
    if (tensor.dtype().isPacked() && !pairs) {
      throw TorchFileFailures.noTypeOfTorch(tensor);
    }
  }

  private static void check(String name) {
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(name)) {
      throw TorchFileFailures.nameNotUnicode(name);
    }
  }
}
