package dev.reweave.storage;

import java.io.IOException;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Writes a whole file under a name of its own; a commit gives it the name that counts. */
final class WholeSink implements ChunkSink {
  private final FileSystem fs;
  private final Path attempt;
  private final Path target;
  private final FSDataOutputStream out;
  private boolean committed;

  WholeSink(FileSystem fs, Path attempt, Path target, FSDataOutputStream out) {
    this.fs = fs;
    this.attempt = attempt;
    this.target = target;
    this.out = out;
  }

  @Override
  public void write(byte[] data, int offset, int length) throws IOException {
    out.write(data, offset, length);
  }

  @Override
  public void commit() throws IOException {
    out.close();
    fs.delete(target, false);
    if (!fs.rename(attempt, target)) {
      throw new IOException("cannot rename " + attempt + " to " + target);
    }
    committed = true;
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
