package dev.reweave.storage;

import java.io.IOException;
import java.util.UUID;
import org.apache.hadoop.fs.CommonPathCapabilities;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSDataOutputStreamBuilder;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.StreamCapabilities;

/**
 * Writes small files of an output: whoever finds one finds it whole.
 *
 * @param staging where nobody looks
 */
record SmallFiles(Stores stores, FileSystem fs, Path staging, StagingMeans means) {
  /** Whether one can be given up while it is written, and no reader ever sees it. */
  boolean areWrittenInPlace() {
    try {
      return means == StagingMeans.MULTIPART_UPLOAD
          && fs.hasPathCapability(staging, CommonPathCapabilities.ABORTABLE_STREAM);
    } catch (IOException e) {
      throw Stores.unwritable(Stores.location(staging), e);
    }
  }

  void write(Path path, byte[] content) {
    // Object stores show no file before it is complete; elsewhere a rename does that.
    boolean direct = means == StagingMeans.MULTIPART_UPLOAD;
    Path written = direct ? path : new Path(staging, "writing-" + UUID.randomUUID());
    try {
      if (!direct) {
        fs.mkdirs(path.getParent());
      }
      try (FSDataOutputStream out = direct ? createAtOnce(written) : fs.create(written, true)) {
        write(content, out);
      }
      if (!direct) {
        stores.replace(Stores.location(written), Stores.location(path));
      }
    } catch (IOException e) {
      throw Stores.unwritable(Stores.location(path), e);
    }
  }

  /** S3A need not ask first whether there is a folder of this name: Reweave made what is there. */
  private FSDataOutputStream createAtOnce(Path file) throws IOException {
    FSDataOutputStreamBuilder<?, ?> builder = fs.createFile(file).overwrite(true).recursive();
    builder.opt("fs.s3a.create.performance", true);
    return builder.build();
  }

  private static void write(byte[] content, FSDataOutputStream out) throws IOException {
    try {
      out.write(content);
    } catch (IOException e) {
      // Closing it would show what came so far.
      if (out.hasCapability(StreamCapabilities.ABORTABLE_STREAM)) {
        out.abort();
      }
      throw e;
    }
  }
}
