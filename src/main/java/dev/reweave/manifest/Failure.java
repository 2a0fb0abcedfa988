package dev.reweave.manifest;

import dev.reweave.common.Redacted;
import dev.reweave.common.ReweaveException;
import dev.reweave.common.ReweaveException.Kind;
import dev.reweave.common.UnfitJava;
import java.util.Optional;

/**
 * What is told of anything that ended a command: what it is about, what is wrong, where, and what
 * to do.
 *
 * @param kind {@link Kind#INTERNAL} for what only Reweave's own code can be guilty of
 */
public record Failure(Kind kind, String problem, String place, String remedy) {

  /**
   * Explains what was thrown.
   *
   * @param command that was at work, such as {@code reweave convert}
   */
  public static Failure of(Throwable thrown, String command) {
    if (thrown instanceof ReweaveException known) {
      return new Failure(known.kind(), known.problem(), known.place(), known.remedy());
    }
    Optional<ReweaveException> java = UnfitJava.in(thrown, "'" + command + "'");
    if (java.isPresent()) {
      return of(java.get(), command);
    }
    Throwable last = thrown;
    // A circle of causes is possible, if nobody's wish.
    for (int i = 0; i < 100 && last.getCause() != null; i++) {
      last = last.getCause();
      if (last instanceof ReweaveException) {
        return of(last, command);
      }
    }
    if (last instanceof OutOfMemoryError) {
      return new Failure(
          Kind.SHORTAGE,
          "out of memory: " + firstLine(last.getMessage()),
          "'" + command + "'",
          "give it more memory: REWEAVE_MEMORY, such as 4g, on a cluster spark.driver.memory and"
              + " spark.executor.memory");
    }
    if (last instanceof LinkageError || last instanceof ClassNotFoundException) {
      return new Failure(
          Kind.ENVIRONMENT,
          "a class is missing, or of a version that does not fit: " + firstLine(last.toString()),
          "'" + command + "'",
          "use Spark 4.0 to 4.3 for Scala 2.13 on Java 17, and put the store's Hadoop connector on"
              + " the class path");
    }
    return new Failure(
        Kind.INTERNAL,
        "internal error: " + firstLine(last.toString()),
        "'" + command + "'",
        "this is a defect of Reweave: run the same command with --report-bug FILE and send in that"
            + " file");
  }

  /** The one line that is told. */
  public String text() {
    return problem + ": " + place + "; " + remedy;
  }

  private static String firstLine(String message) {
    return Redacted.text(String.valueOf(message).lines().findFirst().orElse(""));
  }
}
