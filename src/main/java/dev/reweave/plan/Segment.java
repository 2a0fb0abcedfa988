package dev.reweave.plan;

import dev.reweave.tensor.Layout;
import dev.reweave.tensor.TensorSpec;
import java.io.Serializable;
import java.util.List;

/** A stretch of an output file whose bytes come from one place. */
public sealed interface Segment extends Serializable {

  /** Length in bytes. */
  long length();

  /** Bytes that the plan knows, such as a header. */
  final class Literal implements Segment {
    private static final long serialVersionUID = 1L;

    private final byte[] bytes;

    /** A segment of these bytes, which must not change. */
    public Literal(byte[] bytes) {
      this.bytes = bytes;
    }

    @Override
    public long length() {
      return bytes.length;
    }

    /** Copies bytes {@code [from, from + length)} of the segment. */
    public void copy(int from, byte[] target, int offset, int length) {
      System.arraycopy(bytes, from, target, offset, length);
    }

    /** All bytes. */
    public byte[] bytes() {
      return bytes.clone();
    }
  }

  /**
   * The elements of one tensor, gathered from where the layout says.
   *
   * @param spec the tensor as it is in the result
   * @param layout where its elements are, of the same or another type; counts units
   */
  record OfTensor(TensorSpec spec, Layout layout) implements Segment {
    /** Checks that the layout has the tensor's elements. */
    public OfTensor {
      if (spec.units() != layout.elements()) {
        throw new IllegalArgumentException(
            spec.name() + " of " + spec.units() + " units from " + layout.elements());
      }
    }

    @Override
    public long length() {
      return spec.bytes();
    }
  }

  /** The end of a file, known only when the checksums of all its tensors are. */
  non-sealed interface Tail extends Segment {
    /**
     * The bytes of the segment.
     *
     * @param crc32 CRC-32 of each segment of the file, by its index; 0 where it is no {@link
     *     OfTensor}
     */
    byte[] bytes(List<Integer> crc32);
  }
}
