package dev.reweave.gather;

import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.ReadRange;
import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The streams that are open on one file: one for each read that is made at once, since streams of
 * object stores read one range after another.
 */
final class Streams implements Closeable {
  private final boolean far;
  private final List<RandomAccess> all = new ArrayList<>();
  private final BlockingQueue<RandomAccess> idle = new LinkedBlockingQueue<>();
  private final AtomicLong bytes = new AtomicLong();
  private final AtomicLong nanos = new AtomicLong();
  private int underWay;

  Streams(boolean far) {
    this.far = far;
  }

  /** Whether reading them takes a network. */
  boolean isFar() {
    return far;
  }

  /** Whether one more read would wait for those under way. */
  boolean needsAnother() {
    return all.size() < Math.min(LateReads.AT_ONCE, underWay + 1);
  }

  void add(RandomAccess stream) {
    all.add(stream);
    idle.add(stream);
  }

  int count() {
    return all.size();
  }

  /** Notes that a read begins. */
  void begin() {
    underWay++;
  }

  /** Notes that a read has ended. */
  void end() {
    underWay--;
  }

  boolean areIdle() {
    return underWay == 0;
  }

  /** Reads; from any thread. */
  void read(ReadRange range) throws IOException {
    RandomAccess stream;
    try {
      stream = idle.take();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
    try {
      long start = System.nanoTime();
      stream.readFully(range.position(), range.buffer(), range.offset(), range.length());
      nanos.addAndGet(System.nanoTime() - start);
      bytes.addAndGet(range.length());
      if (far) {
        stream.rest();
      }
    } finally {
      idle.add(stream);
    }
  }

  /** What was waited for the file, whose index in the plan this is. */
  Reads.Wait waited(int file) {
    return new Reads.Wait(file, bytes.get(), nanos.get());
  }

  /** Reads that failed and were made again, as far as the store tells. */
  long repeatedReads() {
    return all.stream().mapToLong(RandomAccess::repeatedReads).sum();
  }

  @Override
  public void close() throws IOException {
    for (RandomAccess stream : all) {
      stream.close();
    }
  }
}
