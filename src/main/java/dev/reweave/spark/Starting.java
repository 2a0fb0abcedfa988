package dev.reweave.spark;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaSparkContext;

/** A context that is started on a thread of its own, while others do what needs none. */
final class Starting {
  private final CompletableFuture<JavaSparkContext> context = new CompletableFuture<>();

  /** Begins at once. */
  Starting(Supplier<SparkContext> start) {
    Thread thread =
        new Thread(
            () -> {
              try {
                context.complete(JavaSparkContext.fromSparkContext(start.get()));
              } catch (Throwable e) { // Whoever waits is told.
                context.completeExceptionally(e);
              }
            },
            "start Spark");
    thread.setDaemon(true);
    thread.start();
  }

  /** Waits until it is there; throws what kept it from starting. */
  JavaSparkContext context() {
    try {
      return context.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      if (e.getCause() instanceof Error failure) {
        throw failure;
      }
      throw e;
    }
  }

  /** Waits until it is there, or has failed. */
  boolean hasStarted() {
    return context.handle((started, failure) -> failure == null).join();
  }
}
