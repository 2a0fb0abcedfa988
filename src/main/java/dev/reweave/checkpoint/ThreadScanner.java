package dev.reweave.checkpoint;

import dev.reweave.ReweaveException;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.Stores;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Reads the files on threads of this process: all that is needed to look at a checkpoint. */
public final class ThreadScanner implements MetadataScanner {
  private static final int MOST_THREADS = 16;

  private final Stores stores;

  /** A scanner of files in these stores. */
  public ThreadScanner(Stores stores) {
    this.stores = stores;
  }

  /** Reads one file, as every scanner does. */
  public static <T extends Serializable> T answer(Stores stores, Request<T> request) {
    try (RandomAccess access = stores.open(request.file())) {
      return request.probe().read(access, request.index());
    } catch (IOException e) {
      throw Stores.unreadable(request.file().uri(), e);
    }
  }

  @Override
  public <T extends Serializable> List<T> scan(List<Request<T>> requests) {
    ExecutorService threads =
        Executors.newFixedThreadPool(Math.max(1, Math.min(MOST_THREADS, requests.size())));
    try {
      List<Future<T>> answers = new ArrayList<>();
      for (Request<T> request : requests) {
        answers.add(threads.submit(() -> answer(stores, request)));
      }
      List<T> results = new ArrayList<>();
      for (Future<T> answer : answers) {
        results.add(answer.get());
      }
      return results;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ReweaveException("interrupted", "while reading metadata", "run it again", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new IllegalStateException(e.getCause());
    } finally {
      threads.shutdownNow();
    }
  }
}
