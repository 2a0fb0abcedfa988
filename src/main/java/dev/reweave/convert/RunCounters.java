package dev.reweave.convert;

import dev.reweave.gather.ChunkResult;
import dev.reweave.gather.Reads;
import dev.reweave.gather.StorageAudit;
import dev.reweave.spark.Cluster;
import dev.reweave.spark.Counter;
import java.io.Serializable;

/**
 * Sums over the tasks of one run, which Spark's own pages show with each stage.
 *
 * <p>A task adds to them once it has done its work. Spark takes what the first successful attempt
 * of each task added, and drops what failed, killed and late attempts did: so a failed attempt
 * counts nothing, whatever it had read, and the sums at the end are those of the result.
 */
final class RunCounters implements Serializable {
  private static final long serialVersionUID = 1L;

  static final String ELEMENTS_CAST = "elements cast";
  static final String READS = "reads";

  /** Those that the streams tell of; what a store's client does again by itself is not known. */
  static final String REPEATED_READS = "reads made again";

  private final Counter bytesRead;
  private final Counter bytesWritten;
  private final Counter elementsCast;
  private final Counter reads;
  private final Counter repeatedReads;

  /** Counters of a new run. */
  RunCounters(Cluster cluster) {
    bytesRead = cluster.counter(Counter.BYTES_READ);
    bytesWritten = cluster.counter(Counter.BYTES_WRITTEN);
    elementsCast = cluster.counter(ELEMENTS_CAST);
    reads = cluster.counter(READS);
    repeatedReads = cluster.counter(REPEATED_READS);
  }

  /** In the task that wrote a chunk. */
  ChunkResult add(ChunkResult result) {
    add(result.reads());
    bytesWritten.add(result.chunk().length());
    elementsCast.add(result.elementsCast());
    return result;
  }

  /** In the task that read the rest of a file's storages. */
  StorageAudit.Result add(StorageAudit.Result result) {
    add(result.reads());
    return result;
  }

  private void add(Reads made) {
    bytesRead.add(made.bytes());
    reads.add(made.requests());
    repeatedReads.add(made.repeated());
  }
}
