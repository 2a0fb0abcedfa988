package dev.reweave.spark;

import java.io.Serializable;
import org.apache.spark.util.LongAccumulator;

/**
 * A sum over tasks, which Spark's pages show. What a task added counts once it has ended well; what
 * failed, killed and late attempts added does not.
 */
public final class Counter implements Serializable {
  private static final long serialVersionUID = 1L;

  /** Name of that of bytes of weights that were read. */
  public static final String BYTES_READ = "bytes read";

  /** Name of that of bytes of weights that were written. */
  public static final String BYTES_WRITTEN = "bytes written";

  private final LongAccumulator sum;

  Counter(LongAccumulator sum) {
    this.sum = sum;
  }

  /** In a task: adds to the sum. */
  public void add(long amount) {
    sum.add(amount);
  }
}
