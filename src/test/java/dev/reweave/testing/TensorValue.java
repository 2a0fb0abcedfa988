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
 * @param device where the storage was, such as {@code cuda:0}
 */
public record TensorValue(
    String storageKey,
    String storageClass,
    long storageElements,
    long offset,
    Shape shape,
    List<Long> strides,
    boolean requiresGrad,
    String device) {

  /** A tensor without gradient, on the CPU. */
  public TensorValue(
      String storageKey,
      String storageClass,
      long storageElements,
      long offset,
      Shape shape,
      List<Long> strides) {
    this(storageKey, storageClass, storageElements, offset, shape, strides, false, "cpu");
  }

  /** The same, as a parameter that is trained. */
  public TensorValue trained() {
    return new TensorValue(
        storageKey, storageClass, storageElements, offset, shape, strides, true, device);
  }

  /** The first elements of a storage, as a vector. */
  public TensorValue first(long elements) {
    return new TensorValue(
        storageKey, storageClass, storageElements, 0, Shape.of(elements), List.of(1L));
  }

  /** The same on another device. */
  public TensorValue on(String other) {
    return new TensorValue(
        storageKey, storageClass, storageElements, offset, shape, strides, requiresGrad, other);
  }
}
