package dev.reweave.format.pytorch;

import java.io.Serializable;

/** The entries of a planned file that hold storages, one behind another: {@code data/0} and on. */
final class StorageEntries implements Serializable {
  private static final long serialVersionUID = 1L;

  private final String folder;
  private final long[] lengths;
  private final long[] headers;
  private final long end;

  /**
   * @param start position of the first local header
   * @param lengths in bytes
   */
  StorageEntries(String folder, long start, long[] lengths) {
    this.folder = folder;
    this.lengths = lengths.clone();
    this.headers = new long[lengths.length];
    long at = start;
    for (int i = 0; i < lengths.length; i++) {
      headers[i] = at;
      at = entry(i).end();
    }
    this.end = at;
  }

  int count() {
    return lengths.length;
  }

  /** Position behind the last. */
  long end() {
    return end;
  }

  PlannedEntry entry(int index) {
    return new PlannedEntry(folder + "/data/" + index, headers[index], lengths[index], 0);
  }
}
