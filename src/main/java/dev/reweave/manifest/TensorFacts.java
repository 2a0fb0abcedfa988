package dev.reweave.manifest;

import dev.reweave.tensor.ValueFacts;

/**
 * What is known of a tensor of the result once it is written.
 *
 * @param values whether its elements are ill
 * @param crc32c CRC-32C of its bytes in the result
 */
public record TensorFacts(ValueFacts values, int crc32c) {
  /** Of a tensor without elements. */
  static final TensorFacts NONE = new TensorFacts(ValueFacts.NONE, 0);

  /** Of these elements and others, where checksums are shares of the tensor's. */
  public TensorFacts plus(TensorFacts other) {
    return new TensorFacts(values.plus(other.values), crc32c ^ other.crc32c);
  }
}
