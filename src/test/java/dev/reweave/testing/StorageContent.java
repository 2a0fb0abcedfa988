package dev.reweave.testing;

import dev.reweave.tensor.DType;
import java.util.Arrays;

/**
 * The bytes of a torch storage, made while they are written.
 *
 * @param elements number of elements
 */
public record StorageContent(DType dtype, long elements, Filler filler) {

  /** Makes bytes of a storage. */
  @FunctionalInterface
  public interface Filler {
    /**
     * Fills the start of a block.
     *
     * @param position what the first byte of the block is in the storage; at an element
     * @param length number of bytes, whole elements
     */
    void fill(long position, byte[] block, int length);
  }

  /** Fills with zeros: a writer may leave the bytes out, and a file of that length has them. */
  static final Filler ZEROS = (position, block, length) -> Arrays.fill(block, 0, length, (byte) 0);

  /** A storage of zeros. */
  static StorageContent zeros(DType dtype, long elements) {
    return new StorageContent(dtype, elements, ZEROS);
  }

  /** A storage of these bytes. */
  public static StorageContent of(DType dtype, byte... bytes) {
    return new StorageContent(
        dtype,
        bytes.length / dtype.bytes(),
        (position, block, length) ->
            System.arraycopy(bytes, Math.toIntExact(position), block, 0, length));
  }

  /** Size in bytes. */
  public long bytes() {
    return Math.multiplyExact(elements, (long) dtype.bytes());
  }

  /** The class that names the type in a pickle. */
  String torchClass() {
    return switch (dtype) {
      case BOOL -> "BoolStorage";
      case U8 -> "ByteStorage";
      case I8 -> "CharStorage";
      case I16 -> "ShortStorage";
      case I32 -> "IntStorage";
      case I64 -> "LongStorage";
      case F16 -> "HalfStorage";
      case BF16 -> "BFloat16Storage";
      case F32 -> "FloatStorage";
      case F64 -> "DoubleStorage";
      case C64 -> "ComplexFloatStorage";
      default -> throw new IllegalArgumentException("no storage class for " + dtype);
    };
  }
}
