package dev.reweave.tensor;

import java.util.List;

/** A layout of which the files stand behind others in a list that has those of several steps. */
public final class ShiftedLayout implements Layout {
  private static final long serialVersionUID = 1L;

  private final Layout base;
  private final int files;

  private ShiftedLayout(Layout base, int files) {
    this.base = base;
    this.files = files;
  }

  /**
   * The same layout in a longer list of files.
   *
   * @param files how many stand before its own
   */
  public static Layout of(Layout base, int files) {
    return files == 0 ? base : new ShiftedLayout(base, files);
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
    base.runs(from, to, new Shifted(files, consumer));
  }

  @Override
  public void runsIn(int file, RunConsumer consumer) {
    if (file >= files) {
      base.runsIn(file - files, new Shifted(files, consumer));
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

  /** Gives what it takes to another consumer, in the longer list. */
  private record Shifted(int files, RunConsumer consumer) implements RunConsumer {
    private List<Layout> all(List<Layout> layouts) {
      return layouts.stream().map(layout -> of(layout, files)).toList();
    }

    @Override
    public void run(StorageRef storage, long offset, long elements) {
      consumer.run(storage.inFile(storage.file() + files), offset, elements);
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
      consumer.divided(of(stored, files), divisor, from, to);
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
