package dev.reweave.testing;

/**
 * How a synthetic checkpoint is partitioned.
 *
 * @param stage of ZeRO: 2 or 3
 * @param world number of data-parallel ranks
 * @param moments what the optimizer states hold beside the master weights
 * @param subGroupElements ZeRO-3 closes a sub-group when it has that many elements of a rank
 * @param devices how many GPUs each machine has: rank {@code r} names {@code cuda:r % devices} as
 *     the place of its tensors; 0 for ranks on CPUs
 */
public record SyntheticOptions(
    int stage, int world, Moments moments, long subGroupElements, int devices, Weights weights) {
  /** DeepSpeed's default for {@code sub_group_size}. */
  public static final long SUB_GROUP_ELEMENTS = 1_000_000_000;

  /** What the optimizer keeps for each element. */
  public enum Moments {
    /** Nothing: files of a third of the size. */
    NONE,
    /** {@code exp_avg} and {@code exp_avg_sq}, as a real checkpoint has them. */
    ADAM
  }

  /** What the storages of weights and moments hold. */
  public enum Weights {
    /** Values that can be computed. */
    VALUES,
    /**
     * Zeros, which no block of the disk holds. What ranks have in common is one file under several
     * names.
     */
    SPARSE
  }

  public SyntheticOptions {
    if (stage != 2 && stage != 3) {
      throw new IllegalArgumentException("no stage 2 or 3: " + stage);
    }
    if (world < 1 || subGroupElements < 1 || devices < 0) {
      throw new IllegalArgumentException(
          "a world of " + world + ", sub-groups of " + subGroupElements + ", " + devices + " GPUs");
    }
    if (stage == 2 && (devices > 0 || weights == Weights.SPARSE)) {
      throw new IllegalArgumentException("GPUs and zeros are of stage 3 alone");
    }
  }

  /** Without moments, in one sub-group unless it is huge. */
  public SyntheticOptions(int stage, int world) {
    this(stage, world, Moments.NONE, SUB_GROUP_ELEMENTS, 0, Weights.VALUES);
  }

  /** The same with these moments. */
  public SyntheticOptions with(Moments other) {
    return new SyntheticOptions(stage, world, other, subGroupElements, devices, weights);
  }

  /** The same with sub-groups of this size. */
  public SyntheticOptions withSubGroupElements(long elements) {
    return new SyntheticOptions(stage, world, moments, elements, devices, weights);
  }

  /** The same on machines of so many GPUs. */
  public SyntheticOptions onDevices(int number) {
    return new SyntheticOptions(stage, world, moments, subGroupElements, number, weights);
  }

  /** The same with zeros for values. */
  public SyntheticOptions sparse() {
    return new SyntheticOptions(stage, world, moments, subGroupElements, devices, Weights.SPARSE);
  }

  /** Where a rank's tensors were; a text of its own for each of them, as torch makes it. */
  String device(int rank) {
    return devices == 0 ? "cpu" : "cuda:" + rank % devices;
  }
}
