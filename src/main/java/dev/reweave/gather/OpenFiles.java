package dev.reweave.gather;

import dev.reweave.storage.InputFile;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.ReadRange;
import dev.reweave.storage.Stores;
import dev.reweave.storage.TokenBucket;
import java.io.Closeable;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The input files that one task has open: a few, the least lately used one is closed first. */
public final class OpenFiles implements Closeable {
  private static final int MOST_OPEN = 64;

  private final Stores stores;
  private final List<InputFile> files;
  private final TokenBucket bucket;
  private final LinkedHashMap<Integer, RandomAccess> open = new LinkedHashMap<>(16, 0.75f, true);
  private long repeatedReads;

  /**
   * Files of one task.
   *
   * @param bucket of the task
   */
  public OpenFiles(Stores stores, List<InputFile> files, TokenBucket bucket) {
    this.stores = stores;
    this.files = files;
    this.bucket = bucket;
  }

  /** Fills all ranges from the file of this index. */
  public void readFully(int file, List<ReadRange> ranges) {
    try {
      bucket.take(ranges.stream().mapToLong(ReadRange::length).sum());
      access(file).readFully(ranges);
    } catch (IOException e) {
      throw Stores.unreadable(files.get(file).location(), e);
    }
  }

  private RandomAccess access(int file) throws IOException {
    RandomAccess access = open.get(file);
    if (access == null) {
      if (open.size() == MOST_OPEN) {
        Map.Entry<Integer, RandomAccess> eldest = open.entrySet().iterator().next();
        open.remove(eldest.getKey());
        close(eldest.getValue());
      }
      access = stores.open(files.get(file));
      open.put(file, access);
    }
    return access;
  }

  private void close(RandomAccess access) throws IOException {
    repeatedReads += access.repeatedReads();
    access.close();
  }

  /** Reads that failed and were made again, as far as the stores tell. */
  long repeatedReads() {
    return repeatedReads + open.values().stream().mapToLong(RandomAccess::repeatedReads).sum();
  }

  @Override
  public void close() throws IOException {
    for (RandomAccess access : open.values()) {
      close(access);
    }
    open.clear();
  }
}
