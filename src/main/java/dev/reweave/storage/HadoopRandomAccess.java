package dev.reweave.storage;

import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileRange;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FutureDataInputStreamBuilder;
import org.apache.hadoop.fs.Options.OpenFileOptions;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.StreamCapabilities;
import org.apache.hadoop.fs.statistics.IOStatistics;
import org.apache.hadoop.fs.statistics.StreamStatisticNames;

/** Positioned reads through a Hadoop stream that was opened for random access. */
final class HadoopRandomAccess implements RandomAccess {
  /** What S3A fetches at least with each request; other file systems take no notice of it. */
  private static final String S3A_READ_AHEAD = "fs.s3a.readahead.range";

  /** Small reads are joined before they come here: more than asked for is hardly ever of use. */
  private static final long READ_AHEAD = 16 << 10;

  /** What comes from the page cache stays in the processor's until it has been looked at. */
  private static final int LOCAL_STRIDE = 128 << 10;

  private final InputFile file;
  private final FSDataInputStream in;
  private final boolean local;
  private final boolean readsAtOnce;
  private long brokenRanges;

  private HadoopRandomAccess(InputFile file, FSDataInputStream in, boolean local) {
    this.file = file;
    this.in = in;
    this.local = local;
    // A local disk gains nothing from several reads at once but the copies that they cost.
    this.readsAtOnce = in.hasCapability(StreamCapabilities.VECTOREDIO) && !local;
  }

  /**
   * The known length and ETag spare object stores a request; the policy keeps them from reading
   * ahead.
   */
  static HadoopRandomAccess open(FileSystem fs, Path path, InputFile file) throws IOException {
    try {
      FutureDataInputStreamBuilder opening =
          fs.openFile(path)
              .opt(
                  OpenFileOptions.FS_OPTION_OPENFILE_READ_POLICY,
                  OpenFileOptions.FS_OPTION_OPENFILE_READ_POLICY_RANDOM)
              .optLong(OpenFileOptions.FS_OPTION_OPENFILE_LENGTH, file.length())
              .optLong(S3A_READ_AHEAD, READ_AHEAD);
      ObjectStatus.expected(fs, path, file).ifPresent(opening::withFileStatus);
      return new HadoopRandomAccess(file, opening.build().get(), fs instanceof RawLocalFileSystem);
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
    requireWithin(position, length);
    in.readFully(position, buffer, offset, length);
  }

  private void requireWithin(long position, int length) throws EOFException {
    if (position < 0 || position > file.length() - length) {
      throw new EOFException(
          "bytes " + position + " to " + (position + length) + " of a file of " + file.length());
    }
  }

  @Override
  public void readFully(List<ReadRange> ranges) throws IOException {
    if (!readsAtOnce || ranges.size() < 2 || !areApart(ranges)) {
      RandomAccess.super.readFully(ranges);
      return;
    }
    List<FileRange> asked = new ArrayList<>();
    for (ReadRange range : ranges) {
      requireWithin(range.position(), range.length());
      asked.add(FileRange.createFileRange(range.position(), range.length()));
    }
    in.readVectored(asked, ByteBuffer::allocate);
    for (int i = 0; i < asked.size(); i++) {
      ReadRange range = ranges.get(i);
      try {
        asked.get(i).getData().get().get(range.buffer(), range.offset(), range.length());
      } catch (ExecutionException e) {
        // Unlike a positioned read, a range whose body breaks off is not asked for again.
        brokenRanges++;
        readFully(range.position(), range.buffer(), range.offset(), range.length());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("interrupted while reading " + file.uri());
      }
    }
  }

  /** Streams of S3A keep a connection of the pool until they are told. */
  @Override
  public void rest() {
    if (in.hasCapability(StreamCapabilities.UNBUFFER)) {
      in.unbuffer();
    }
  }

  @Override
  public int stride() {
    return local ? LOCAL_STRIDE : RandomAccess.super.stride();
  }

  @Override
  public long repeatedReads() {
    IOStatistics statistics = in.getIOStatistics();
    return brokenRanges
        + (statistics == null
            ? 0
            : statistics.counters().getOrDefault(StreamStatisticNames.STREAM_READ_EXCEPTIONS, 0L));
  }

  /** Whether the ranges ascend without overlap, as vectored reads want them. */
  private static boolean areApart(List<ReadRange> ranges) {
    long end = 0;
    for (ReadRange range : ranges) {
      if (range.position() < end) {
        return false;
      }
      end = range.position() + range.length();
    }
    return true;
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
