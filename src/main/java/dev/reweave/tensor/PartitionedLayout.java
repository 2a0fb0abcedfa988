package dev.reweave.tensor;

import java.util.Objects;

/**
 * Equal slices of several flat buffers, joined and cut to the tensor's length: how ZeRO-3 keeps a
 * parameter. Rank {@code r} holds elements {@code [r * slice, (r + 1) * slice)} of the tensor at
 * the same offset of its own buffer; what the last ranks hold behind the tensor's end is padding.
 */
public final class PartitionedLayout implements Layout {
  private static final long serialVersionUID = 1L;

  private final RankBuffers ranks;
  private final long offset;
  private final long slice;
  private final long elements;

  /**
   * @param ranks share one between the layouts of all tensors, so that it is serialized once
   * @param offset first element of the slice in each rank's buffer
   * @param elements length of the tensor; each rank holds {@code ceil(elements / ranks)} of it
   * @throws IllegalArgumentException if {@code elements} is negative
   * @throws IndexOutOfBoundsException if a rank's buffer is too short
   */
  public PartitionedLayout(RankBuffers ranks, long offset, long elements) {
    this.ranks = ranks;
    this.offset = offset;
    this.slice = sliceOf(elements, ranks.count());
    this.elements = elements;
    Objects.checkFromIndexSize(offset, slice, ranks.elements());
  }

  /** Elements that each of {@code ranks} ranks holds of a tensor: rounded up. */
  public static long sliceOf(long elements, int ranks) {
    if (elements < 0 || ranks < 1) {
      throw new IllegalArgumentException(elements + " elements over " + ranks + " ranks");
    }
    return elements / ranks + (elements % ranks == 0 ? 0 : 1);
  }

  @Override
  public long elements() {
    return elements;
  }

  @Override
  public DType dtype() {
    return ranks.dtype();
  }

  @Override
  public void runs(long from, long to, RunConsumer consumer) {
    Objects.checkFromToIndex(from, to, elements);
    long at = from;
    while (at < to) {
      long within = at % slice;
      long length = Math.min(slice - within, to - at);
      long start = offset + within;
      ranks.rank((int) (at / slice)).runs(start, start + length, consumer);
      at += length;
    }
  }

  @Override
  public void runsIn(int file, RunConsumer consumer) {
    for (int r : ranks.ranksIn(file)) {
      long from = Math.min(elements, r * slice);
      long to = Math.min(elements, from + slice);
      runs(
          from,
          to,
          (storage, at, length) -> {
            if (storage.file() == file) {
              consumer.run(storage, at, length);
            }
          });
    }
  }

  @Override
  public long granularity() {
    return Math.max(1, slice);
  }
}
