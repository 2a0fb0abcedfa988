package dev.reweave.tensor;

/** Passes on the runs that lie in one file. */
record RunsOfFile(int file, RunConsumer consumer) implements RunConsumer {
  @Override
  public void run(StorageRef storage, long offset, long elements) {
    if (storage.file() == file) {
      consumer.run(storage, offset, elements);
    }
  }

  @Override
  public void beside(StorageRef storage, long offset, long count) {
    if (storage.file() == file) {
      consumer.beside(storage, offset, count);
    }
  }

  /**
   * Whether any run of a layout, or what is read beside it, lies in a file; told without expanding
   * them.
   */
  static boolean touch(Layout layout, int file) {
    boolean[] touched = {false};
    layout.runsIn(
        file,
        new RunConsumer() {
          @Override
          public void run(StorageRef storage, long offset, long elements) {
            touched[0] = true;
          }

          @Override
          public void beside(StorageRef storage, long offset, long count) {
            touched[0] = true;
          }
        });
    return touched[0];
  }
}
