package dev.reweave.storage;

import java.util.concurrent.TimeUnit;
import org.apache.hadoop.util.ShutdownHookManager;

/**
 * The end of this process, where somebody stops it. Hadoop closes its file systems then, and Spark
 * its application: in an order, in which others can have a place.
 */
public final class ProcessEnd {
  /** Before Spark, whose priority is 50, and file systems, whose is 10. */
  private static final int FIRST = 60;

  private ProcessEnd() {}

  /**
   * Does something before all else, once the process is ended.
   *
   * @param seconds how long it may take
   */
  public static void before(Runnable last, int seconds) {
    ShutdownHookManager.get().addShutdownHook(last, FIRST, seconds, TimeUnit.SECONDS);
  }

  /** Whether the process is about to end: what fails now fails of that. */
  public static boolean isNear() {
    return ShutdownHookManager.get().isShutdownInProgress();
  }
}
