package dev.reweave.format.pytorch;

import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Tensors on the CPU in a pickle, as torch 2.13 on CPython writes them ({@code
 * Tensor._reduce_ex_internal} in {@code torch/_tensor.py}, {@code _save} in {@code
 * torch/serialization.py}). Each has a storage, whole and in row-major order.
 *
 * <p>Types that had a storage class before torch 2 name it; all others have an untyped storage,
 * which counts bytes, and name themselves.
 */
final class TensorPickle {
  private static final String KIND = "storage";
  private static final String LOCATION = "cpu";

  private final PickleOutput out;

  /** By storage, the number of its key among the values that have one. */
  private final Map<Integer, Integer> keys = new HashMap<>();

  TensorPickle(PickleOutput out) {
    this.out = out;
  }

  /** An {@code OrderedDict} without entries. */
  static void ordered(PickleOutput out) {
    out.global("collections", "OrderedDict").op(')').op('R').put();
  }

  /**
   * Writes a tensor.
   *
   * @param storage index of its storage, which another tensor may have, too
   * @throws dev.reweave.common.ReweaveException if torch has no such type
   */
  void write(TensorSpec tensor, int storage) {
    check(tensor);
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
    Integer known = keys.get(storage);
    if (known == null) {
      keys.put(storage, out.text(Integer.toString(storage)));
    } else {
      out.get(known);
    }
    out.sharedText(LOCATION);
    out.integer(storageClass.isPresent() ? tensor.elements() : tensor.bytes());
    out.op('t').put();
    out.op('Q').integer(0);
    Shape shape = tensor.torchShape();
    out.tuple(shape.dims()).tuple(shape.rowMajorStrides());
    out.op(0x89); // requires_grad: False
    ordered(out); // no hooks
    if (storageClass.isEmpty()) {
      out.global("torch", dtype == DType.F4 ? DType.TORCH_PAIR : dtype.torchName());
    }
    out.op('t').put();
    out.op('R').put();
  }

  /**
   * @throws dev.reweave.common.ReweaveException if torch has no such type
   */
  static void check(TensorSpec tensor) {
    int rank = tensor.shape().rank();
    boolean pairs = tensor.dtype() == DType.F4 && rank > 0 && tensor.shape().dim(rank - 1) % 2 == 0;
    if (tensor.dtype().isPacked() && !pairs) {
      throw TorchFileFailures.noTypeOfTorch(tensor);
    }
  }
}
