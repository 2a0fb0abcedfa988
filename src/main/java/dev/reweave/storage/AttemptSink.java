package dev.reweave.storage;

import dev.reweave.common.Location;
import java.io.IOException;
import java.util.List;
import java.util.UUID;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.IOUtils;

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

  private AttemptSink(FileSystem fs, Path attempt, int number, FSDataOutputStream out) {
    this.fs = fs;
    this.attempt = attempt;
    this.number = number;
    this.out = out;
  }

  /** A sink that makes the folder where it is missing: the one way that every store has. */
  static AttemptSink create(Stores stores, Location folder, int number) throws IOException {
    Path attempt = attempt(folder, number);
    FileSystem fs = stores.fileSystem(attempt);
    return new AttemptSink(fs, attempt, number, fs.create(attempt, false));
  }

  /**
   * A sink for a folder that is there. A twin that comes to itself when all is published must not
   * make it anew.
   */
  static AttemptSink createIn(Stores stores, Location folder, int number) throws IOException {
    Path attempt = attempt(folder, number);
    FileSystem fs = stores.fileSystem(attempt);
    return new AttemptSink(fs, attempt, number, fs.createFile(attempt).overwrite(false).build());
  }

  private static Path attempt(Location folder, int number) {
    return new Path(Stores.path(folder), String.format("%05d.%s", number, UUID.randomUUID()));
  }

  @Override
  public void write(byte[] data, int offset, int length) throws IOException {
    out.write(data, offset, length);
  }

  @Override
  public List<PartReceipt> commit() throws IOException {
    out.close();
    committed = true;
    return List.of(new PartReceipt(number, attempt.getName()));
  }

  @Override
  public void close() throws IOException {
    if (!committed) {
      // What is given up need not come to its end. A stream of HDFS that failed throws the very
      // same
      // exception when it is closed, which Java's own way of closing takes for a defect.
      IOUtils.closeStream(out);
      fs.delete(attempt, false);
    }
  }
}
