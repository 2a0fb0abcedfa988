package dev.reweave.format.pytorch;

import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import java.util.List;
import java.util.Map;

/**
 * A tensor as {@code torch._utils._rebuild_tensor_v2} would make it: a view of a storage. All
 * numbers count elements. Whether the view stays within its storage is checked by {@link
 * TorchFile#layout}.
 *
 * @param storageKey names the storage in its file
 * @param dtype type of the elements
 * @param storageElements length of the storage
 * @param offset first element of the view in the storage
 * @param shape lengths of the dimensions
 * @param strides distance of neighbours along each dimension
 * @param labels texts among the attributes that a program gave to the tensor, by name
 */
public record TorchTensor(
    String storageKey,
    DType dtype,
    long storageElements,
    long offset,
    Shape shape,
    List<Long> strides,
    Map<String, String> labels) {

  public TorchTensor {
    strides = List.copyOf(strides);
    labels = Map.copyOf(labels);
    if (storageElements < 0 || offset < 0 || strides.size() != shape.rank()) {
      throw new IllegalArgumentException(
          "a tensor of shape " + shape + " and strides " + strides + " at " + offset);
    }
    if (shape.elements() > Long.MAX_VALUE / dtype.bytes()) {
      throw new IllegalArgumentException("a tensor of shape " + shape + " overflows");
    }
  }

  /** A tensor without attributes. */
  public TorchTensor(
      String storageKey,
      DType dtype,
      long storageElements,
      long offset,
      Shape shape,
      List<Long> strides) {
    this(storageKey, dtype, storageElements, offset, shape, strides, Map.of());
  }

  /** The same with these labels. */
  TorchTensor labelled(Map<String, String> texts) {
    return new TorchTensor(storageKey, dtype, storageElements, offset, shape, strides, texts);
  }

  /** Number of elements of the tensor. */
  public long elements() {
    return shape.elements();
  }
}
