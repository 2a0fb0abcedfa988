package dev.reweave.testing;

/**
 * How a synthetic checkpoint is partitioned.
 *
 * @param stage of ZeRO: 2 or 3
 * @param world number of data-parallel ranks
 * @param moments what the optimizer states hold beside the master weights
 * @param subGroupElements ZeRO-3 closes a sub-group when it has that many elements of a rank
 */
public record SyntheticOptions(int stage, int world, Moments moments, long subGroupElements) {
  /** DeepSpeed's default for {@code sub_group_size}. */
  public static final long SUB_GROUP_ELEMENTS = 1_000_000_000;

  /** What the optimizer keeps for each element. */
  public enum Moments {
    /** Nothing: files of a third of the size. */
    NONE,
    /** {@code exp_avg} and {@code exp_avg_sq}, as a real checkpoint has them. */
    ADAM
  }

  public SyntheticOptions {
    if (stage != 2 && stage != 3) {
      throw new IllegalArgumentException("no stage 2 or 3: " + stage);
    }
    if (world < 1 || subGroupElements < 1) {
      throw new IllegalArgumentException(
          "a world of " + world + ", sub-groups of " + subGroupElements);
    }
  }

  /** Without moments, in one sub-group unless it is huge. */
  public SyntheticOptions(int stage, int world) {
    this(stage, world, Moments.NONE, SUB_GROUP_ELEMENTS);
  }

  /** The same with these moments. */
  public SyntheticOptions with(Moments other) {
    return new SyntheticOptions(stage, world, other, subGroupElements);
  }

  /** The same with sub-groups of this size. */
  public SyntheticOptions withSubGroupElements(long elements) {
    return new SyntheticOptions(stage, world, moments, elements);
  }
}
