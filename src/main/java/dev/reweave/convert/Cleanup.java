package dev.reweave.convert;

import dev.reweave.common.Location;
import dev.reweave.storage.OutputFolder;
import dev.reweave.storage.OutputLock;
import dev.reweave.storage.Stores;
import java.util.List;

/** Removes from an output folder what a killed conversion left, and nothing else. */
public final class Cleanup {
  private final Stores stores;

  /** A clean-up in these stores. */
  public Cleanup(Stores stores) {
    this.stores = stores;
  }

  /**
   * Removes staged files, uploads that were not completed, kept state, and shards that became
   * visible in a publication that did not come to its end.
   *
   * @return names of the visible files that were removed
   * @throws dev.reweave.common.ReweaveException if a conversion is at work there, or the store does
   *     not give up all uploads
   */
  public List<String> run(Location address) {
    OutputFolder output = stores.outputFolder(address);
    boolean existed = output.exists();
    try (OutputLock.Held lock = output.lock().take("reweave clean " + address)) {
      lock.check();
      Journal journal = new Journal(output);
      List<String> partial = journal.undoPublishing();
      journal.clear();
      return partial;
    } finally {
      if (!existed || output.names().isEmpty()) {
        output.removeIfEmpty();
      }
    }
  }
}
