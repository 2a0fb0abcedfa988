package dev.reweave.common;

import java.util.Optional;
import java.util.regex.Pattern;

/** Tells by what Hadoop and Spark throw on it that a Java is none that they run on. */
public final class UnfitJava {
  /**
   * Java 24 took {@code Subject.getSubject} away (JEP 486), which Hadoop calls before 3.5; the
   * modules of the JDK are closed since 17, but for those that a launcher opens; Spark before 4
   * looks for a constructor that Java 21 no longer has.
   */
  private static final Pattern SAID =
      Pattern.compile(
          "getSubject is not supported.*"
              + "|.*Security Manager (?:is deprecated|is not supported).*"
              + "|Setting a Security Manager is not supported"
              + "|.*module java\\.base does not \"?(?:opens|exports?) .*"
              + "|java\\.nio\\.DirectByteBuffer\\.<init>.*",
          Pattern.DOTALL);

  private UnfitJava() {}

  /**
   * What to say of a failure that the Java causes; empty for others.
   *
   * @param place what was at work
   */
  public static Optional<ReweaveException> in(Throwable failure, String place) {
    Throwable cause = failure;
    for (int i = 0; i < 100 && cause != null; i++) {
      String said = String.valueOf(cause.getMessage());
      if (!(cause instanceof ReweaveException) && SAID.matcher(said).matches()) {
        return Optional.of(
            CommonFailures.unfitJava(said.lines().findFirst().orElse(""), place, failure));
      }
      cause = cause.getCause();
    }
    return Optional.empty();
  }
}
