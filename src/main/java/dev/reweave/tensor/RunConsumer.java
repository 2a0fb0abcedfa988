package dev.reweave.tensor;

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
}
