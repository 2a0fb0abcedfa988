package dev.reweave.testing;

import dev.reweave.tensor.Shape;
import java.util.List;

/**
 * A tensor in the pickle of a torch.save file. All numbers count elements.
 *
 * @param storageKey name of the storage's entry behind {@code data/}
 * @param storageClass the torch class that tells the type, such as {@code FloatStorage}
 * @param storageElements length of the storage
 * @param offset first element of the tensor in the storage
 * @param strides distances of neighbours along each dimension
 * @param requiresGrad whether torch is to compute its gradient
 */
public record TensorValue(
    String storageKey,
    String storageClass,
    long storageElements,
    long offset,
    Shape shape,
    List<Long> strides,
    boolean requiresGrad) {

  /** A tensor without gradient. */
  public TensorValue(
      String storageKey,
      String storageClass,
      long storageElements,
      long offset,
      Shape shape,
      List<Long> strides) {
    this(storageKey, storageClass, storageElements, offset, shape, strides, false);
  }

  /** The same, as a parameter that is trained. */
  public TensorValue trained() {
    return new TensorValue(storageKey, storageClass, storageElements, offset, shape, strides, true);
  }
}
