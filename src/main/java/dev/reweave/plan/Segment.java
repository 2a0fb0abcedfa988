package dev.reweave.plan;

import dev.reweave.tensor.Layout;
import dev.reweave.tensor.TensorSpec;
import java.io.Serializable;
import java.util.List;
import java.util.Objects;

/** A stretch of an output file whose bytes come from one place. */
public sealed interface Segment extends Serializable {

  /** Length in bytes. */
  long length();

  /** Bytes that the plan knows, such as a header. */
  final class Literal implements Segment {
    private static final long serialVersionUID = 1L;

    /** What makes bytes that are too many to be kept for all segments of a plan. */
    interface Source extends Serializable {
      /** The same bytes each time. */
      byte[] bytes();
    }

    private static final class Kept implements Source {
      private static final long serialVersionUID = 1L;

      private final byte[] bytes;

      Kept(byte[] bytes) {
        this.bytes = bytes;
      }

      @Override
      public byte[] bytes() {
        return bytes;
      }
    }

    private final int length;
    private final Source source;

    /** A segment of these bytes, which must not change. */
    public Literal(byte[] bytes) {
      this(bytes.length, new Kept(bytes));
    }

    /** A segment of bytes that are made when they are needed. */
    Literal(int length, Source source) {
      this.length = length;
      this.source = source;
    }

    @Override
    public long length() {
      return length;
    }

    /** Copies bytes {@code [from, from + length)} of the segment. */
    public void copy(int from, byte[] target, int offset, int count) {
      System.arraycopy(source.bytes(), from, target, offset, count);
    }

    /** All bytes. */
    public byte[] bytes() {
      return source.bytes().clone();
    }
  }

  /**
   * Elements of one tensor, gathered from where the layout says: all, or those of one item where a
   * file holds a tensor in several, which follow each other in it.
   *
   * @param spec the whole tensor as it is in the result
   * @param layout where all its elements are, of the same or another type; counts units
   * @param from first unit of the tensor in the segment
   * @param to unit behind the last
   */
  record OfTensor(TensorSpec spec, Layout layout, long from, long to) implements Segment {
    /** Checks that the layout has the tensor's elements. */
    public OfTensor {
      if (spec.units() != layout.elements()) {
        throw new IllegalArgumentException(
            spec.name() + " of " + spec.units() + " units from " + layout.elements());
      }
      Objects.checkFromToIndex(from, to, spec.units());
    }

    /** A segment of the whole tensor. */
    public OfTensor(TensorSpec spec, Layout layout) {
      this(spec, layout, 0, spec.units());
    }

    @Override
    public long length() {
      return (to - from) * spec.dtype().bytes();
    }

    /** Whether it begins the tensor, so that each tensor has one such segment. */
    public boolean isFirst() {
      return from == 0;
    }

    /** A share of a number that is counted for the whole tensor: that of this segment. */
    long share(long ofTensor) {
      long units = spec.units();
      return units == 0 ? ofTensor : share(ofTensor, to, units) - share(ofTensor, from, units);
    }

    private static long share(long whole, long part, long units) {
      return part == units ? whole : (long) ((double) part / units * whole);
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

  /**
   * The end of an item among others in a file, known only when the checksum of its elements is. No
   * chunk ends within an item.
   */
  non-sealed interface ItemEnd extends Segment {
    /** Index of the segment of its elements, which lies before it. */
    int tensor();

    /**
     * The bytes of the segment.
     *
     * @param crc32 CRC-32 of its elements
     */
    byte[] bytes(int crc32);
  }
}
