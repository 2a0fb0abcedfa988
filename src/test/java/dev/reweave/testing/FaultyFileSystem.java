package dev.reweave.testing;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.URI;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSInputStream;
import org.apache.hadoop.fs.FilterFileSystem;
import org.apache.hadoop.fs.FutureDataInputStreamBuilder;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.impl.OpenFileParameters;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;
import org.apache.spark.TaskContext;

/**
 * Local files as a store that knows only whole files shows them, under the scheme {@code faulty};
 * one call of a kind fails where a test wants it. Locks are left alone.
 */
public final class FaultyFileSystem extends FilterFileSystem {
  /** What can fail. */
  public enum Call {
    OPEN,
    READ,
    CREATE,
    RENAME
  }

  private static final int ALL = Integer.MAX_VALUE;
  private static final Map<Call, Long> CALLS = new ConcurrentHashMap<>();
  private static final Map<Call, Long> FAILING = new ConcurrentHashMap<>();

  private static final AtomicInteger FAILURES = new AtomicInteger();
  private static final AtomicLong BYTES = new AtomicLong();

  private static volatile int mostPerRead = ALL;
  private static volatile String failingJobs = "";
  private static volatile int failingAttempts;

  /** For Hadoop. */
  public FaultyFileSystem() {
    super(new Files());
  }

  /** Local files under the other scheme. */
  private static final class Files extends RawLocalFileSystem {
    @Override
    public URI getUri() {
      return URI.create("faulty:///");
    }

    @Override
    public String getScheme() {
      return "faulty";
    }
  }

  /** Makes {@code faulty:} addresses lead here. */
  public static void configure(Configuration conf) {
    conf.setClass("fs.faulty.impl", FaultyFileSystem.class, org.apache.hadoop.fs.FileSystem.class);
  }

  /** No faults from now on, and counts from zero. */
  public static void heal() {
    mostPerRead = ALL;
    failingAttempts = 0;
    FAILURES.set(0);
    BYTES.set(0);
    CALLS.clear();
    FAILING.clear();
  }

  /** Lets a call of a kind fail, counted from 1 since the last {@link #heal()}. */
  public static void fail(Call call, long number) {
    FAILING.put(call, number);
  }

  /**
   * Lets the reads of weights fail in the first attempts at each task of some jobs.
   *
   * @param jobs how their descriptions begin
   */
  public static void failAttempts(String jobs, int attempts) {
    failingJobs = jobs;
    failingAttempts = attempts;
  }

  /** Number of reads that failed for the attempt that they were made in. */
  public static int failures() {
    return FAILURES.get();
  }

  private static boolean failsInAttempt(Call call, TaskContext task) {
    return call == Call.READ
        && task != null
        && task.attemptNumber() < failingAttempts
        && task.getLocalProperty("spark.job.description").startsWith(failingJobs);
  }

  /** Lets each positioned read give at most this many bytes. */
  public static void shorten(int bytesPerRead) {
    mostPerRead = bytesPerRead;
  }

  /** Number of calls since the last {@link #heal()}. */
  public static long calls(Call call) {
    return CALLS.getOrDefault(call, 0L);
  }

  /** Number of bytes read since the last {@link #heal()}. */
  public static long bytesRead() {
    return BYTES.get();
  }

  private static int counted(int bytes) {
    BYTES.addAndGet(Math.max(0, bytes));
    return bytes;
  }

  private static void count(Call call, Path path) throws IOException {
    count(call, path, TaskContext.get());
  }

  private static void count(Call call, Path path, TaskContext task) throws IOException {
    if (failsInAttempt(call, task)) {
      FAILURES.incrementAndGet();
      throw new IOException("injected failure of " + call);
    }
    if (!path.getName().endsWith(".lock")
        && CALLS.merge(call, 1L, Long::sum).equals(FAILING.get(call))) {
      throw new IOException("injected failure of " + call);
    }
  }

  @Override
  public boolean hasPathCapability(Path path, String capability) {
    return false;
  }

  @Override
  public FSDataInputStream open(Path path, int bufferSize) throws IOException {
    count(Call.OPEN, path);
    return new FSDataInputStream(new Stream(path, super.open(path, bufferSize)));
  }

  @Override
  public FutureDataInputStreamBuilder openFile(Path path) {
    return createDataInputStreamBuilder(this, path);
  }

  @Override
  protected CompletableFuture<FSDataInputStream> openFileWithOptions(
      Path path, OpenFileParameters parameters) throws IOException {
    return CompletableFuture.completedFuture(open(path, parameters.getBufferSize()));
  }

  @Override
  public FSDataOutputStream create(
      Path path,
      FsPermission permission,
      boolean overwrite,
      int bufferSize,
      short replication,
      long blockSize,
      Progressable progress)
      throws IOException {
    count(Call.CREATE, path);
    return super.create(path, permission, overwrite, bufferSize, replication, blockSize, progress);
  }

  @Override
  public boolean rename(Path from, Path to) throws IOException {
    count(Call.RENAME, from);
    if (!exists(from)) {
      throw new FileNotFoundException(from.toString());
    }
    return super.rename(from, to);
  }

  private static final class Stream extends FSInputStream {
    private final Path path;
    private final FSDataInputStream in;

    /** A task opens its files itself, and has other threads read them. */
    private final TaskContext task = TaskContext.get();

    Stream(Path path, FSDataInputStream in) {
      this.path = path;
      this.in = in;
    }

    @Override
    public int read(long position, byte[] buffer, int offset, int length) throws IOException {
      count(Call.READ, path, task);
      return counted(in.read(position, buffer, offset, Math.min(length, mostPerRead)));
    }

    @Override
    public int read() throws IOException {
      count(Call.READ, path, task);
      int value = in.read();
      counted(value < 0 ? 0 : 1);
      return value;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      count(Call.READ, path, task);
      return counted(in.read(buffer, offset, Math.min(length, mostPerRead)));
    }

    @Override
    public void seek(long position) throws IOException {
      in.seek(position);
    }

    @Override
    public long getPos() throws IOException {
      return in.getPos();
    }

    @Override
    public boolean seekToNewSource(long position) throws IOException {
      return in.seekToNewSource(position);
    }

    @Override
    public void close() throws IOException {
      in.close();
    }
  }
}
