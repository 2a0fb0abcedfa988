package dev.reweave.sql;

import dev.reweave.common.ReweaveException;
import org.apache.spark.sql.AnalysisException;

/** Why a catalog failed, in one line. */
final class Reason {
  private Reason() {}

  /** The first line of what the exception says, or else of which type it is. */
  static String of(Throwable e) {
    if (e instanceof ReweaveException known) {
      return known.problem();
    }
    return e instanceof AnalysisException
        ? firstLine(e.getMessage())
        : firstLine(String.valueOf(e));
  }

  private static String firstLine(String text) {
    return text.lines().findFirst().orElse("");
  }
}
