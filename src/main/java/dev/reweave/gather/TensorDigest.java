package dev.reweave.gather;

import dev.reweave.storage.Checksum;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.TensorStatistics;
import dev.reweave.tensor.ValueHistogram;
import java.io.Serializable;

/**
 * What is told of a tensor's elements, or of some of them. Parts can be put together in any order.
 *
 * @param crc32c CRC-32C of the elements, little-endian, one after another in row-major order; of a
 *     part, what it adds to that of the tensor, see {@link Checksum}
 * @param histogram how the values are spread; of no bins where nobody asked for it
 */
public record TensorDigest(TensorStatistics statistics, int crc32c, ValueHistogram histogram)
    implements Serializable {
  /** Of no elements. */
  public static final TensorDigest NONE =
      new TensorDigest(TensorStatistics.NONE, 0, ValueHistogram.NONE);

  // Records of a killed run of another version may be without.
  public TensorDigest {
    histogram = histogram == null ? ValueHistogram.NONE : histogram;
  }

  /**
   * Of some elements of a tensor.
   *
   * @param offset first byte of them in {@code data}
   * @param elements how many
   * @param bytesBehind bytes of the tensor behind them
   */
  public static TensorDigest of(
      DType type, byte[] data, int offset, int elements, long bytesBehind) {
    int crc = Checksum.CRC_32C.of(data, offset, elements * type.bytes());
    return new TensorDigest(
        type.isPacked() ? TensorStatistics.NONE : TensorStatistics.of(type, data, offset, elements),
        Checksum.CRC_32C.share(crc, bytesBehind),
        ValueHistogram.NONE);
  }

  /** Of these elements and others. */
  public TensorDigest plus(TensorDigest other) {
    return new TensorDigest(
        statistics.plus(other.statistics), crc32c ^ other.crc32c, histogram.plus(other.histogram));
  }
}
