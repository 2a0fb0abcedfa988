package dev.reweave.storage;

import java.io.IOException;
import java.util.UUID;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Writes a part to a file of its own, so that twins of a task never meet; the receipt says which
 * file counts. Renaming it to a common name would let a twin remove what another one committed.
 */
final class AttemptSink implements ChunkSink {
  private final FileSystem fs;
  private final Path attempt;
  private final int number;
  private final FSDataOutputStream out;
  private boolean committed;

  AttemptSink(Stores stores, String folder, int number) throws IOException {
    this.number = number;
    this.attempt = new Path(folder, String.format("%05d.%s", number, UUID.randomUUID()));
    this.fs = stores.fileSystem(attempt);
    this.out = fs.create(attempt, false);
  }

  @Override
  public void write(byte[] data, int offset, int length) throws IOException {
    out.write(data, offset, length);
  }

  @Override
  public PartReceipt commit() throws IOException {
    out.close();
    committed = true;
    return new PartReceipt(number, attempt.getName());
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
