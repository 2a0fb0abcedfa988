package dev.reweave.storage;

import java.io.IOException;
import java.util.UUID;
import org.apache.hadoop.fs.CommonPathCapabilities;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSDataOutputStreamBuilder;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.StreamCapabilities;
import org.apache.hadoop.io.IOUtils;

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
      fill(direct ? createAtOnce(written) : fs.create(written, true), content);
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

  /**
   * Writes a file to its end and closes it. A stream of HDFS throws what it threw again when it is
   * closed, the very same exception, which Java's own way of closing takes for a defect.
   */
  static void fill(FSDataOutputStream out, byte[] content) throws IOException {
    try {
      out.write(content);
    } catch (IOException e) {
      // Closing it would show what came so far.
      if (out.hasCapability(StreamCapabilities.ABORTABLE_STREAM)) {
        out.abort();
      }
      IOUtils.closeStream(out);
      throw e;
    }
    out.close();
  }
}
