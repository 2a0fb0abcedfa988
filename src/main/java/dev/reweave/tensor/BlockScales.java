package dev.reweave.tensor;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * The scales of a quantized tensor: one for each block of its elements. The blocks are a grid over
 * the tensor, and the last ones of a dimension may be cut off. One scale for a whole tensor is a
 * block of all; one for each output channel is a block of a row.
 */
public final class BlockScales implements Serializable {
  private static final long serialVersionUID = 1L;

  private final Layout scales;
  private final DType type;
  private final long[] dims;
  private final long[] blocks;
  private final long[] grid;
  private final long elements;

  /**
   * @param scales where they lie, in row-major order of the grid
   * @param type what they are: floating point; {@link DType#F8_E8M0} may be stored as {@link
   *     DType#U8}, since that has been a type of torch for longer
   * @param shape of the tensor
   * @param blocks lengths of a block in elements, for each dimension, at least 1
   * @throws IllegalArgumentException if the grid has another number of blocks, or the type is none
   *     of a scale
   */
  public BlockScales(Layout scales, DType type, Shape shape, List<Long> blocks) {
    boolean known = type.isCastable() || type == DType.F8_E8M0;
    boolean stored =
        scales.dtype() == type || (type == DType.F8_E8M0 && scales.dtype() == DType.U8);
    if (!known || !stored) {
      throw new IllegalArgumentException("scales of " + type + " stored as " + scales.dtype());
    }
    if (blocks.size() != shape.rank() || blocks.stream().anyMatch(b -> b < 1)) {
      throw new IllegalArgumentException("blocks of " + blocks + " in a shape of " + shape);
    }
    this.scales = scales;
    this.type = type;
    this.elements = shape.elements();
    List<long[]> merged = merged(shape, blocks);
    this.dims = merged.stream().mapToLong(d -> d[0]).toArray();
    this.blocks = merged.stream().mapToLong(d -> d[1]).toArray();
    this.grid = merged.stream().mapToLong(d -> ceil(d[0], d[1])).toArray();
    long count = Arrays.stream(grid).reduce(1, Math::multiplyExact);
    if (count != scales.elements()) {
      throw new IllegalArgumentException(
          scales.elements() + " scales for blocks of " + blocks + " in a shape of " + shape);
    }
  }

  /**
   * Dimensions with their blocks, as few as tell the same: those of one block go with the one
   * before, and so do those of whole blocks, where the one before has blocks of one.
   */
  private static List<long[]> merged(Shape shape, List<Long> blocks) {
    List<long[]> merged = new ArrayList<>();
    for (int i = 0; i < shape.rank(); i++) {
      long dim = shape.dim(i);
      long block = Math.min(Math.max(1, dim), blocks.get(i));
      long[] last = merged.isEmpty() ? new long[] {1, 1} : merged.get(merged.size() - 1);
      boolean one = block == dim;
      boolean whole = last[1] == 1 && dim % block == 0;
      if (!merged.isEmpty() && (one || whole)) {
        last[1] = one ? last[1] * dim : block;
        last[0] *= dim;
      } else {
        merged.add(new long[] {dim, block});
      }
    }
    if (merged.isEmpty()) {
      merged.add(new long[] {1, 1});
    }
    return merged;
  }

  private static long ceil(long dividend, long divisor) {
    return (dividend + divisor - 1) / divisor;
  }

  /** Where the scales lie. */
  public Layout layout() {
    return scales;
  }

  /** Number of elements of the tensor. */
  long elements() {
    return elements;
  }

  /** Scales {@code [from, to)} of the grid, in row-major order. */
  public record Range(long from, long to) {
    /** How many. */
    public int count() {
      return Math.toIntExact(to - from);
    }
  }

  /**
   * The fewest scales in a row that hold those of elements {@code [from, to)}, of which there is at
   * least one.
   */
  public Range range(long from, long to) {
    Objects.checkFromToIndex(from, to, elements);
    int same = commonDims(from, to - 1);
    long inner = 1;
    for (int d = same + 1; d < dims.length; d++) {
      inner *= grid[d];
    }
    return new Range(
        cell(from) / inner * inner, Math.addExact(cell(to - 1) / inner * inner, inner));
  }

  /** How many dimensions, from the outermost on, have the same index for two elements; not all. */
  private int commonDims(long first, long last) {
    long inner = elements;
    int same = 0;
    while (same < dims.length - 1) {
      inner /= dims[same];
      if (first / inner != last / inner) {
        break;
      }
      same++;
    }
    return same;
  }

  /** Where elements {@code [from, to)} are best parted, to need fewer scales at a time. */
  long middle(long from, long to) {
    long inner = 1;
    for (int d = dims.length - 1; d > commonDims(from, to - 1); d--) {
      inner *= dims[d];
    }
    long start = (to - 1) / inner * inner;
    return start > from ? start : from + (to - from) / 2;
  }

  /** The scale of an element, by its place in the grid. */
  private long cell(long element) {
    long rest = element;
    long cell = 0;
    long stride = 1;
    for (int d = dims.length - 1; d >= 0; d--) {
      cell += rest % dims[d] / blocks[d] * stride;
      stride *= grid[d];
      rest /= dims[d];
    }
    return cell;
  }

  /**
   * Multiplies values by their scales, both as F32, which is what they become; in place, where the
   * values are behind the room that the products need beside them.
   *
   * @param values type of the values, of 8 bits
   * @param data holds them in the last quarter of the products' bytes
   * @param offset first byte of the products in {@code data}
   * @param from first element, in the tensor
   * @param count how many elements
   * @param stored the scales that {@link #range} tells, as they are stored
   */
  public void multiply(DType values, byte[] data, int offset, long from, int count, byte[] stored) {
    Objects.checkFromIndexSize((long) offset, 4L * count, data.length);
    int[] bits = Float8.floats(values);
    long first = range(from, from + count).from();
    double[] scale = new double[1];
    int last = dims.length - 1;
    int source = offset + 3 * count;
    int target = offset;
    int done = 0;
    while (done < count) {
      long element = from + done;
      long inRow = element % dims[last];
      long fitting = Math.min(dims[last] - inRow, blocks[last] - inRow % blocks[last]);
      int run = (int) Math.min(fitting, count - done);
      int at = Math.toIntExact((cell(element) - first) * type.bytes());
      Numbers.read(type, stored, at, scale, 1);
      Float8.multiply(bits, data, source, target, run, (float) scale[0]);
      done += run;
      source += run;
      target += 4 * run;
    }
  }
}
