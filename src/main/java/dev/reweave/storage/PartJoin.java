package dev.reweave.storage;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.IOUtils;

/**
 * Makes one file of its parts, without a copy but of parts that were being written when HDFS took a
 * snapshot: it joins none of these, as they differ from what it has to keep.
 */
record PartJoin(FileSystem fs) {
  private static final String COPY = ".copy";
  private static final int BUFFER_BYTES = 1 << 20;

  /** Another snapshot can come while a part is copied. */
  private static final int MOST_COPIES = 3;

  /**
   * Puts files behind a file, in order; they are gone then.
   *
   * @param first what they are put behind
   */
  void join(Path first, List<Path> others) throws IOException {
    if (others.isEmpty()) {
      return;
    }
    try {
      fs.concat(first, others.toArray(Path[]::new));
    } catch (IOException e) {
      requireSnapshot(e);
      // All or none are joined by a call.
      for (Path other : others) {
        joinOne(first, other);
      }
    }
  }

  private void joinOne(Path first, Path other) throws IOException {
    Path joined = other;
    for (int copies = 0; ; copies++) {
      try {
        fs.concat(first, new Path[] {joined});
        return;
      } catch (IOException e) {
        requireSnapshot(e);
        if (copies == MOST_COPIES) {
          throw e;
        }
      }
      Path copy = joined.suffix(COPY);
      copy(joined, copy);
      fs.delete(joined, false);
      joined = copy;
    }
  }

  private static void requireSnapshot(IOException failure) throws IOException {
    if (!NameNodeRefusal.isForSnapshot(failure)) {
      throw failure;
    }
  }

  private void copy(Path from, Path to) throws IOException {
    try (InputStream in = fs.open(from)) {
      OutputStream out = fs.create(to, true);
      try {
        IOUtils.copyBytes(in, out, BUFFER_BYTES, false);
      } catch (IOException e) {
        IOUtils.closeStream(out);
        throw e;
      }
      out.close();
    }
  }
}
