package dev.reweave.storage;

import java.io.IOException;
import java.util.UUID;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Writes a file under a name of its own, so that twins of a task do not meet; a commit gives it the
 * name that counts.
 */
final class RenamingSink implements ChunkSink {
  private final Stores stores;
  private final FileSystem fs;
  private final Path attempt;
  private final String target;
  private final int number;
  private final FSDataOutputStream out;
  private boolean committed;

  RenamingSink(Stores stores, String target, int number) throws IOException {
    this.stores = stores;
    this.target = target;
    this.number = number;
    this.attempt = Stores.path(target).suffix("." + UUID.randomUUID());
    this.fs = stores.fileSystem(attempt);
    this.out = fs.create(attempt, true);
  }

  @Override
  public void write(byte[] data, int offset, int length) throws IOException {
    out.write(data, offset, length);
  }

  @Override
  public PartReceipt commit() throws IOException {
    out.close();
    try {
      stores.replace(attempt.toString(), target);
    } catch (IOException e) {
      // A twin of this task may have been faster; what it wrote is the same.
      if (!fs.exists(Stores.path(target))) {
        throw e;
      }
      fs.delete(attempt, false);
    }
    committed = true;
    return new PartReceipt(number, "");
  }

  @Override
  public void close() throws IOException {
    if (!committed) {
      try {
        out.close();
      } finally {
        fs.delete(attempt, false);
      }
    }
  }
}
