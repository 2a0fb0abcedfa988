package dev.reweave.tensor;

import java.util.List;

/** Takes the runs of a layout in the tensor's row-major order. */
@FunctionalInterface
public interface RunConsumer {
  /**
   * Takes the next run.
   *
   * @param storage where the elements lie
   * @param offset first element of the run in the storage
   * @param elements length of the run, at least 1
   */
  void run(StorageRef storage, long offset, long elements);

  /**
   * Takes the next elements where each is made of one of every copy. By default their runs are
   * taken one copy after another, which tells where the elements lie, and not what they are.
   *
   * @param copies at least 1; elements {@code [from, to)} of each
   */
  default void combined(CombinedLayout.Kind kind, List<Layout> copies, long from, long to) {
    copies.forEach(copy -> copy.runs(from, to, this));
  }

  /**
   * Takes the next elements where each is the mean of one of every step. By default their runs are
   * taken one step after another, which tells where the elements lie, and not what they are.
   *
   * @param steps at least 1; elements {@code [from, to)} of each
   */
  default void averaged(List<Layout> steps, long from, long to) {
    steps.forEach(step -> step.runs(from, to, this));
  }

  /**
   * Takes the next elements where each is a stored one, divided. By default the stored ones are
   * taken, which tells where they lie, and not what they become.
   *
   * @param stored what is divided; elements {@code [from, to)}
   * @param divisor of each, not 0
   */
  default void divided(Layout stored, double divisor, long from, long to) {
    stored.runs(from, to, this);
  }

  /**
   * Takes the next elements where each is a stored value times a scale. By default the values are
   * taken, and where their scales lie.
   *
   * @param values what is scaled; elements {@code [from, to)}
   * @param scales of all of them
   */
  default void scaled(Layout values, BlockScales scales, long from, long to) {
    values.runs(from, to, this);
    BlockScales.Range needed = scales.range(from, to);
    scales.layout().runs(needed.from(), needed.to(), this::beside);
  }

  /**
   * Takes the next elements where each is a stored one and one of a product. By default the stored
   * ones are taken, and where the factors lie.
   *
   * @param stored what is added to; elements {@code [from, to)}
   * @param product of as many elements as there are stored ones
   */
  default void merged(Layout stored, LowRank product, long from, long to) {
    stored.runs(from, to, this);
    LowRank.Range left = product.leftOf(from, to);
    product.left().runs(left.from(), left.to(), this::beside);
    LowRank.Range right = product.rightOf(from, to);
    product.right().runs(right.from(), right.to(), this::beside);
  }

  /**
   * Takes scales or factors beside the elements that need them, which others may need as well. By
   * default they are not looked at: elements are.
   *
   * @param storage where they lie
   * @param offset the first of them in the storage
   * @param count how many
   */
  default void beside(StorageRef storage, long offset, long count) {}
}
