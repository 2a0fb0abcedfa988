package dev.reweave.storage;

import dev.reweave.common.ReweaveException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;

/** Many small requests to a store at the same time, since each waits far longer than it works. */
public final class ParallelCalls {
  private static final int MOST_THREADS = 16;

  /** What is asked about one item. */
  @FunctionalInterface
  public interface Request<T, R> {
    /** Asks the store. */
    R answer(T item);
  }

  private ParallelCalls() {}

  /**
   * Asks about all items as {@link #answers} does, and comes back only when none is under way, even
   * if one fails: for requests that change something, which a clean-up must find done or not begun.
   */
  public static <T, R> List<R> allAnswers(Collection<T> items, Request<T, R> request) {
    List<Supplier<R>> answers = answers(items, item -> outcome(item, request));
    return answers.stream().map(Supplier::get).toList();
  }

  /** Asks different questions at the same time; comes back when all of them are answered. */
  public static void askAll(Runnable... questions) {
    var unused =
        allAnswers(
            List.of(questions),
            question -> {
              question.run();
              return question;
            });
  }

  private static <T, R> Supplier<R> outcome(T item, Request<T, R> request) {
    try {
      R answer = request.answer(item);
      return () -> answer;
    } catch (RuntimeException e) {
      return () -> {
        throw e;
      };
    }
  }

  /**
   * Asks about all items, on threads of this process.
   *
   * @return the answers in the order of the items
   * @throws ReweaveException as the first request in that order threw it
   */
  public static <T, R> List<R> answers(Collection<T> items, Request<T, R> request) {
    ExecutorService threads =
        Executors.newFixedThreadPool(Math.max(1, Math.min(MOST_THREADS, items.size())));
    try {
      List<Future<R>> answers = new ArrayList<>();
      for (T item : items) {
        Callable<R> call = () -> request.answer(item);
        answers.add(threads.submit(call));
      }
      List<R> results = new ArrayList<>();
      for (Future<R> answer : answers) {
        results.add(answer.get());
      }
      return results;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw StoreFailures.interrupted(e);
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
