package dev.reweave.spark;

import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;

/** What can be wrong with Spark, in words of the user. */
final class SparkFailures {
  private SparkFailures() {}

  /** A task has too small a heap. */
  static ReweaveException outOfMemory(OutOfMemoryError error) {
    return ReweaveException.shortage(
        "out of memory: " + error.getMessage(),
        "a task of Spark",
        "give the tasks more memory: REWEAVE_MEMORY on one machine, spark.executor.memory on a"
            + " cluster, or run fewer at once");
  }

  /** Executors were lost too often, or could not be started. */
  static ReweaveException jobFailed(String reason, Throwable cause) {
    return new ReweaveException(
        ReweaveException.Kind.ENVIRONMENT,
        "Spark could not finish the job",
        reason,
        "see the executors' logs (-v shows the driver's), give them more memory if they were killed,"
            + " then run the same command again",
        cause);
  }

  /** The master does not answer, or a setting is wrong. */
  static ReweaveException notStarted(String reason, String master, Exception cause) {
    return new ReweaveException(
        ReweaveException.Kind.ENVIRONMENT,
        "Spark could not be started (" + reason + ")",
        master,
        "check the master and the settings of Spark (-v shows its log)",
        cause);
  }

  /** Spark asks for more in a heap than a small conversion needs. */
  static ReweaveException heapTooSmall(String heap, String master, Exception cause) {
    return new ReweaveException(
        ReweaveException.Kind.SHORTAGE,
        "out of memory: Spark does not start in a heap of " + heap,
        master,
        "give it more memory: REWEAVE_MEMORY, such as 1g, on a cluster spark.driver.memory and"
            + " spark.executor.memory",
        cause);
  }

  /** A local path, and a cluster. */
  static ReweaveException localPath(String master, Location place) {
    return ReweaveException.usage(
        "a path on this machine, where the executors of " + master + " may not find it",
        place.uri(),
        "name an address that all machines reach, such as s3a: or hdfs:, or add"
            + " --shared-filesystem if it is mounted under this path on each of them");
  }
}
