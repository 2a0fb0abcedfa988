package dev.reweave.gather;

import dev.reweave.storage.InputFile;
import dev.reweave.storage.ReadRange;
import dev.reweave.storage.Stores;
import dev.reweave.storage.TokenBucket;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The input files that one task has open: a few, the least lately used one is closed first. Of
 * files that are not on this machine, several ranges are read at once, on threads of the task's
 * own; for one thread otherwise.
 */
public final class OpenFiles implements Closeable {
  private static final int MOST_OPEN = 64;

  /** Bytes of one read where several are made at once. */
  private static final int PIECE = 2 << 20;

  /** A task tells of so many of its files at most, … */
  private static final int MOST_WAITS = 4;

  /** … of which it has read at least so many bytes. */
  private static final int LEAST_WAITED_FOR = 64 << 10;

  /** A range that is read, or will be when it is awaited. */
  interface Reading {
    /** Comes back when the range is filled. */
    void await();

    /** How many reads it takes. */
    int requests();
  }

  private final Stores stores;
  private final List<InputFile> files;
  private final TokenBucket bucket;
  private final LinkedHashMap<Integer, Streams> open = new LinkedHashMap<>(16, 0.75f, true);
  private final LateReads late = new LateReads();
  private int streams;
  private long repeatedReads;
  private final List<Reads.Wait> closed = new ArrayList<>();

  /**
   * Files of one task.
   *
   * @param bucket of the task
   */
  public OpenFiles(Stores stores, List<InputFile> files, TokenBucket bucket) {
    this.stores = stores;
    this.files = files;
    this.bucket = bucket;
  }

  /** Whether reading any of the files takes a network. */
  static boolean areFar(Stores stores, List<InputFile> files) {
    // A checkpoint has thousands of files, and they lie in one or two stores.
    Map<String, InputFile> oneOfEach = new HashMap<>();
    files.forEach(file -> oneOfEach.putIfAbsent(store(file.uri()), file));
    return oneOfEach.values().stream().anyMatch(file -> !stores.isOnThisMachine(file.location()));
  }

  /** What an address begins with: {@code s3a://bucket} or {@code file}. */
  private static String store(String uri) {
    int colon = uri.indexOf(':');
    boolean named = uri.startsWith("//", colon + 1);
    int end = named ? uri.indexOf('/', colon + 3) : colon;
    return uri.substring(0, Math.max(0, end));
  }

  /** Fills all ranges from the file of this index. */
  public void readFully(int file, List<ReadRange> ranges) {
    List<Reading> readings = new ArrayList<>();
    ranges.forEach(range -> readings.add(begin(file, range)));
    readings.forEach(Reading::await);
  }

  /** Begins to fill a range from the file of this index, if that takes a network. */
  Reading begin(int file, ReadRange range) {
    try {
      Streams of = streams(file);
      if (!of.isFar()) {
        return new Near(file, range);
      }
      List<LateReads.Read> reads = new ArrayList<>();
      for (int at = 0; at < range.length(); at += PIECE) {
        int length = Math.min(PIECE, range.length() - at);
        bucket.take(length);
        if (of.needsAnother()) {
          of.add(stores.open(files.get(file)));
          streams++;
        }
        ReadRange piece =
            new ReadRange(range.position() + at, range.buffer(), range.offset() + at, length);
        reads.add(late.begin(of, piece));
      }
      return new Far(file, reads);
    } catch (IOException e) {
      throw Stores.unreadable(files.get(file).location(), e);
    }
  }

  private final class Near implements Reading {
    private final int file;
    private final ReadRange range;

    Near(int file, ReadRange range) {
      this.file = file;
      this.range = range;
    }

    @Override
    public void await() {
      try {
        bucket.take(range.length());
        Streams of = streams(file);
        if (of.needsAnother()) {
          of.add(stores.open(files.get(file)));
          streams++;
        }
        of.read(range);
      } catch (IOException e) {
        throw Stores.unreadable(files.get(file).location(), e);
      }
    }

    @Override
    public int requests() {
      return 1;
    }
  }

  private final class Far implements Reading {
    private final int file;
    private final List<LateReads.Read> reads;

    Far(int file, List<LateReads.Read> reads) {
      this.file = file;
      this.reads = reads;
    }

    @Override
    public void await() {
      for (LateReads.Read read : reads) {
        try {
          read.await();
        } catch (IOException e) {
          throw Stores.unreadable(files.get(file).location(), e);
        }
      }
    }

    @Override
    public int requests() {
      return reads.size();
    }
  }

  private Streams streams(int file) throws IOException {
    Streams of = open.get(file);
    if (of == null) {
      closeSome();
      of = new Streams(!stores.isOnThisMachine(files.get(file).location()));
      open.put(file, of);
    }
    return of;
  }

  private void closeSome() throws IOException {
    Iterator<Map.Entry<Integer, Streams>> eldest = open.entrySet().iterator();
    while (streams >= MOST_OPEN && eldest.hasNext()) {
      Map.Entry<Integer, Streams> file = eldest.next();
      Streams of = file.getValue();
      if (of.areIdle()) {
        eldest.remove();
        closed.add(of.waited(file.getKey()));
        close(of);
      }
    }
  }

  private void close(Streams of) throws IOException {
    repeatedReads += of.repeatedReads();
    streams -= of.count();
    of.close();
  }

  /** Reads that failed and were made again, as far as the stores tell. */
  long repeatedReads() {
    return repeatedReads + open.values().stream().mapToLong(Streams::repeatedReads).sum();
  }

  /** What was waited for the files that were read most slowly. */
  List<Reads.Wait> waits() {
    Map<Integer, Reads.Wait> all = new HashMap<>();
    Stream.concat(
            closed.stream(),
            open.entrySet().stream().map(file -> file.getValue().waited(file.getKey())))
        .forEach(
            wait ->
                all.merge(
                    wait.file(),
                    wait,
                    (a, b) ->
                        new Reads.Wait(a.file(), a.bytes() + b.bytes(), a.nanos() + b.nanos())));
    return all.values().stream()
        .filter(wait -> wait.bytes() >= LEAST_WAITED_FOR)
        .sorted(Comparator.comparingDouble(Reads.Wait::nanosPerByte).reversed())
        .limit(MOST_WAITS)
        .toList();
  }

  @Override
  public void close() throws IOException {
    late.close();
    for (Streams of : open.values()) {
      close(of);
    }
    open.clear();
  }
}
