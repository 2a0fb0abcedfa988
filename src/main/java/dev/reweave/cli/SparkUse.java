package dev.reweave.cli;

import dev.reweave.common.Progress;
import dev.reweave.spark.Cluster;
import dev.reweave.spark.SparkSessions;
import java.util.function.Consumer;

/** Where a command gets its Spark from. */
interface SparkUse {
  /** Does work in a context that lives as long as the work. */
  void run(String name, Consumer<Cluster> work);

  /** Starts a context for each work, and stops it behind it unless others had started it. */
  static void ofItsOwn(String name, Progress progress, Consumer<Cluster> work) {
    try (SparkSessions.Session session = SparkSessions.start(name, progress)) {
      work.accept(session.cluster());
    }
  }
}
