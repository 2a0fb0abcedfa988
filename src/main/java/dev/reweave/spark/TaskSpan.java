package dev.reweave.spark;

/**
 * One attempt of a task, as Spark saw it.
 *
 * @param executor what ran it
 * @param what description of the job it is of
 * @param start in milliseconds since the epoch
 * @param end in milliseconds since the epoch
 * @param attempt from 0
 * @param read bytes that it read of inputs; 0 if it failed
 * @param written bytes that it wrote of the result; 0 if it failed
 */
public record TaskSpan(
    Executor executor,
    String what,
    long start,
    long end,
    int attempt,
    Outcome outcome,
    long read,
    long written) {
  /** A process that runs tasks, and its machine. */
  public record Executor(String id, String host) {}

  /** How an attempt ended. */
  public enum Outcome {
    DONE,
    FAILED,
    /** Another attempt of the task was faster, or the job was given up. */
    KILLED
  }
}
