package dev.reweave.common;

import dev.reweave.common.ReweaveException.Kind;
import java.util.regex.Pattern;

/** What can be wrong anywhere, in words of the user. */
final class CommonFailures {
  private CommonFailures() {}

  /** A newer or older Java than Spark takes. */
  static ReweaveException unfitJava(String said, String place, Throwable failure) {
    return new ReweaveException(
        Kind.ENVIRONMENT,
        "Spark and Hadoop do not run on this Java, "
            + Runtime.version().feature()
            + ", as it was started ("
            + said
            + ")",
        place,
        "run it on Java 17, through submit/reweave or spark-submit: set JAVA_HOME to one",
        failure);
  }

  /** A damaged or hostile file, or a small heap. */
  static ReweaveException tooManyValues(String place) {
    return ReweaveException.shortage(
        "the JSON holds more values than the memory can take",
        place,
        "give the process more memory if you trust the file");
  }

  /** The parts of a regular expression can match the same characters. */
  static ReweaveException matchTooLong(Pattern pattern, String name, String place) {
    return ReweaveException.usage(
        "to match '"
            + BoundedMatch.shown(pattern.pattern())
            + "' with "
            + BoundedMatch.shown(name)
            + " takes too long",
        place,
        "write the expression with fewer parts that match the same characters");
  }
}
