package dev.reweave.tensor;

import java.io.Serializable;
import java.util.List;

/**
 * A layout of which the storages are referred to otherwise: as files that stand behind others in a
 * list that has those of several steps, or as what is read once more.
 */
public final class MovedLayout implements Layout {
  private static final long serialVersionUID = 1L;

  private final Layout base;
  private final Move move;

  private MovedLayout(Layout base, Move move) {
    this.base = base;
    this.move = move;
  }

  /**
   * How storages are referred to.
   *
   * @param files how many stand before the layout's own
   * @param again whether what is read counts for no checksum
   */
  private record Move(int files, boolean again) implements Serializable {
    StorageRef of(StorageRef storage) {
      StorageRef moved = files == 0 ? storage : storage.inFile(storage.file() + files);
      return again ? moved.uncounted() : moved;
    }

    Layout of(Layout layout) {
      return new MovedLayout(layout, this);
    }
  }

  /**
   * The same layout in a longer list of files.
   *
   * @param files how many stand before its own
   */
  public static Layout shifted(Layout base, int files) {
    return files == 0 ? base : new MovedLayout(base, new Move(files, false));
  }

  /**
   * The same elements, which another tensor has as well: read again, they count for no checksum.
   */
  public static Layout again(Layout base) {
    return new MovedLayout(base, new Move(0, true));
  }

  /** The same with its own files alone. */
  public Layout base() {
    return base;
  }

  @Override
  public long elements() {
    return base.elements();
  }

  @Override
  public DType dtype() {
    return base.dtype();
  }

  @Override
  public DType storedType() {
    return base.storedType();
  }

  @Override
  public void runs(long from, long to, RunConsumer consumer) {
    base.runs(from, to, new Moved(move, consumer));
  }

  @Override
  public void runsIn(int file, RunConsumer consumer) {
    if (file >= move.files()) {
      base.runsIn(file - move.files(), new Moved(move, consumer));
    }
  }

  @Override
  public long granularity() {
    return base.granularity();
  }

  @Override
  public int width() {
    return base.width();
  }

  @Override
  public boolean isComputed() {
    return base.isComputed();
  }

  @Override
  public long storedElements() {
    return base.storedElements();
  }

  @Override
  public long storedBytes() {
    return base.storedBytes();
  }

  /** Gives what it takes to another consumer, referred to otherwise. */
  private record Moved(Move move, RunConsumer consumer) implements RunConsumer {
    private List<Layout> all(List<Layout> layouts) {
      return layouts.stream().map(move::of).toList();
    }

    @Override
    public void run(StorageRef storage, long offset, long elements) {
      consumer.run(move.of(storage), offset, elements);
    }

    @Override
    public void combined(CombinedLayout.Kind kind, List<Layout> copies, long from, long to) {
      consumer.combined(kind, all(copies), from, to);
    }

    @Override
    public void averaged(List<Layout> steps, long from, long to) {
      consumer.averaged(all(steps), from, to);
    }

    @Override
    public void divided(Layout stored, double divisor, long from, long to) {
      consumer.divided(move.of(stored), divisor, from, to);
    }

    @Override
    public void merged(Layout stored, LowRank product, long from, long to) {
      throw new IllegalStateException("no mean is taken of what adapters are merged into");
    }

    @Override
    public void scaled(Layout values, BlockScales scales, long from, long to) {
      throw new IllegalStateException("scales are applied to the whole list of files");
    }
  }
}
