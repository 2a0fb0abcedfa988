package dev.reweave.gather;

import dev.reweave.storage.ReadRange;
import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Reads of stores that answer late, several at once, on threads that end with their task. */
final class LateReads implements Closeable {
  /** Reads that are made at once: one connection alone is slow, however fast the link is. */
  static final int AT_ONCE = 32;

  /** A read that was begun. */
  static final class Read {
    private final Streams streams;
    private final Future<?> done;

    private Read(Streams streams, Future<?> done) {
      this.streams = streams;
      this.done = done;
    }

    /** Comes back when the range is filled. */
    void await() throws IOException {
      try {
        done.get();
      } catch (ExecutionException e) {
        if (e.getCause() instanceof IOException cause) {
          throw cause;
        }
        if (e.getCause() instanceof RuntimeException cause) {
          throw cause;
        }
        if (e.getCause() instanceof Error cause) {
          throw cause;
        }
        throw new IllegalStateException(e.getCause());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("interrupted while waiting for the store");
      } finally {
        streams.end();
      }
    }
  }

  private final List<Thread> made = new CopyOnWriteArrayList<>();
  private Optional<ExecutorService> threads = Optional.empty();

  /** Begins to read. */
  Read begin(Streams streams, ReadRange range) {
    if (threads.isEmpty()) {
      threads = Optional.of(Executors.newFixedThreadPool(AT_ONCE, this::thread));
    }
    Callable<Void> read =
        () -> {
          streams.read(range);
          return null;
        };
    Future<?> done = threads.get().submit(read);
    streams.begin();
    return new Read(streams, done);
  }

  private Thread thread(Runnable work) {
    Thread thread = new Thread(work, "reweave-read");
    thread.setDaemon(true);
    made.add(thread);
    return thread;
  }

  /** Waits until none is under way and no thread is left; those not begun are left out. */
  @Override
  public void close() {
    threads.ifPresent(ExecutorService::shutdownNow);
    boolean interrupted = false;
    for (Thread thread : made) {
      while (thread.isAlive()) {
        try {
          thread.join();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
