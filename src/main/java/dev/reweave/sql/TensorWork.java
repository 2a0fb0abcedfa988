package dev.reweave.sql;

import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.Layout;
import java.io.Serializable;
import java.util.List;

/** What all tasks of a query need: sent to each executor once. */
record TensorWork(Stores stores, List<TensorColumn> columns, List<Source> sources)
    implements Serializable {
  /**
   * The wanted tensors of one checkpoint.
   *
   * @param files that layouts point into
   * @param layouts by tensor; none where no tensor is to be read
   */
  record Source(List<TensorEntry> entries, List<InputFile> files, List<Layout> layouts)
      implements Serializable {
    boolean isRead() {
      return !layouts.isEmpty();
    }
  }
}
