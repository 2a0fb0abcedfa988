package dev.reweave.tensor;

import java.io.Serializable;
import java.util.Optional;

/**
 * The pure function from an element range of a tensor to the runs that hold it.
 *
 * <p>Runs come in row-major order of the tensor and cover the range exactly. All storages of a
 * layout have the same {@link #storedType()}, but for scales and factors. Elements and runs count
 * the {@link DType units} of a type. Immutable and small: what many tensors share (the flat groups
 * of all ranks) is one object, kept once when a plan is serialized.
 */
public sealed interface Layout extends Serializable
    permits StoredLayout,
        FlatLayout,
        PartitionedLayout,
        NarrowedLayout,
        JoinedLayout,
        StridedLayout,
        GridLayout,
        CombinedLayout,
        MeanLayout,
        MovedLayout,
        QuotientLayout,
        DequantizedLayout,
        MergedLayout {

  /** Number of elements that the layout places. */
  long elements();

  /** Type of the elements as they are made. */
  DType dtype();

  /** Type of the elements as they are stored: another one where they are quantized. */
  default DType storedType() {
    return dtype();
  }

  /**
   * Gives the runs of elements {@code [from, to)}.
   *
   * @throws IndexOutOfBoundsException unless {@code 0 <= from <= to <= elements()}
   */
  void runs(long from, long to, RunConsumer consumer);

  /**
   * Gives the runs of the whole tensor that lie in one input file, in any order.
   *
   * @param file index of the file, as in {@link StorageRef#file()}
   */
  default void runsIn(int file, RunConsumer consumer) {
    runs(0, elements(), new RunsOfFile(file, consumer));
  }

  /**
   * The fewest elements that a run has: 1 where a tensor is stored transposed; large where it is
   * stored row by row. The first and last run of a range can be shorter, and so can runs that end
   * or start with a piece of a {@link FlatBuffer}, or a few others, as long as the runs of {@code
   * n} elements are about {@code n / granularity()} at most: that is what bounds memory.
   */
  long granularity();

  /** How many stored elements one element is made of, at most: the copies of a combined layout. */
  default int width() {
    return 1;
  }

  /**
   * Bytes that are read beside one element and kept until it is made, at most: of all copies but
   * the first, of a row of a factor.
   */
  default int besides() {
    return (width() - 1) * dtype().bytes();
  }

  /**
   * Type of the elements that something is added to, which is theirs where no other is asked for;
   * empty if nothing is.
   */
  default Optional<DType> summedOn() {
    return Optional.empty();
  }

  /** Whether an element can be another than is stored: the mean of several copies, a quotient. */
  default boolean isComputed() {
    return false;
  }

  /** How many stored elements all elements are made of. */
  default long storedElements() {
    return elements();
  }

  /** Bytes that all elements are made of, where they lie. */
  default long storedBytes() {
    return storedElements() * storedType().bytes();
  }
}
