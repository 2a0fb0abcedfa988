package dev.reweave.storage;

import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Options.OpenFileOptions;
import org.apache.hadoop.fs.Path;

/** Positioned reads through a Hadoop stream that was opened for random access. */
final class HadoopRandomAccess implements RandomAccess {
  private final InputFile file;
  private final FSDataInputStream in;

  private HadoopRandomAccess(InputFile file, FSDataInputStream in) {
    this.file = file;
    this.in = in;
  }

  /** The known length spares object stores a request; the policy keeps them from reading ahead. */
  static HadoopRandomAccess open(FileSystem fs, Path path, InputFile file) throws IOException {
    try {
      FSDataInputStream in =
          fs.openFile(path)
              .opt(
                  OpenFileOptions.FS_OPTION_OPENFILE_READ_POLICY,
                  OpenFileOptions.FS_OPTION_OPENFILE_READ_POLICY_RANDOM)
              .optLong(OpenFileOptions.FS_OPTION_OPENFILE_LENGTH, file.length())
              .build()
              .get();
      return new HadoopRandomAccess(file, in);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException cause) {
        throw cause;
      }
      throw new IOException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while opening " + file.uri());
    }
  }

  @Override
  public InputFile file() {
    return file;
  }

  @Override
  public void readFully(long position, byte[] buffer, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, buffer.length);
    if (position < 0 || position > file.length() - length) {
      throw new EOFException(
          "bytes " + position + " to " + (position + length) + " of a file of " + file.length());
    }
    in.readFully(position, buffer, offset, length);
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
