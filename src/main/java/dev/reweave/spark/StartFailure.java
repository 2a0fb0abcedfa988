package dev.reweave.spark;

import java.util.ArrayList;
import java.util.List;

/**
 * Why Spark did not start, in one line: what it says, and the cause deep below that explains it.
 */
final class StartFailure {
  /** Causes can go in circles. */
  private static final int MOST_CAUSES = 100;

  private StartFailure() {}

  /**
   * The first line of what the exception says, and of its innermost cause that says something more:
   * {@code External scheduler cannot be instantiated; ConnectException: Connection refused}.
   */
  static String reason(Throwable failure) {
    String told = line(failure);
    String outer = told.isEmpty() ? failure.getClass().getName() : told;
    List<Throwable> causes = causes(failure);
    String inner = "";
    String named = "";
    for (int i = causes.size() - 1; i >= 0; i--) {
      String said = line(causes.get(i));
      // Hadoop's has the address as well as the words of the cause.
      if (inner.isEmpty() ? !said.isEmpty() : saysMore(causes.get(i), said, inner)) {
        inner = said;
        named = causes.get(i).getClass().getSimpleName() + ": " + said;
      }
    }
    return inner.isEmpty() || outer.contains(inner) ? outer : outer + "; " + named;
  }

  private static List<Throwable> causes(Throwable failure) {
    List<Throwable> causes = new ArrayList<>();
    for (Throwable cause = failure.getCause();
        cause != null && causes.size() < MOST_CAUSES;
        cause = cause.getCause()) {
      causes.add(cause);
    }
    return causes;
  }

  /** An exception that is made of its cause alone repeats it, with its type. */
  private static boolean saysMore(Throwable wrapper, String said, String inner) {
    return said.contains(inner)
        && !said.equals(inner)
        && !said.equals(String.valueOf(wrapper.getCause()).lines().findFirst().orElse(""));
  }

  private static String line(Throwable failure) {
    String message = failure.getMessage();
    return message == null
        ? ""
        : message.lines().map(String::strip).filter(l -> !l.isEmpty()).findFirst().orElse("");
  }
}
