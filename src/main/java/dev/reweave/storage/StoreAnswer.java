package dev.reweave.storage;

import java.io.IOException;
import java.util.Objects;
import org.apache.hadoop.ipc.RemoteException;

/** What the clients of stores make of an answer, without what is there for their developers. */
final class StoreAnswer {
  /** Shorter ones may well stand in a text twice. */
  private static final int LEAST_REPEATED = 20;

  private StoreAnswer() {}

  /** What a NameNode threw, which comes wrapped, with its stack trace in the message. */
  static IOException unwrapped(IOException failure) {
    return failure instanceof RemoteException remote ? remote.unwrapRemoteException() : failure;
  }

  /**
   * Whether a bucket or container is not there. S3A's {@code UnknownStoreException} is no {@code
   * FileNotFoundException}, and is known by its name: a store's connector need not be there.
   */
  static boolean tellsOfNoBucket(IOException failure) {
    Throwable cause = failure;
    for (int i = 0; i < 10 && cause != null; i++) {
      String text = String.valueOf(cause.getMessage());
      if (cause.getClass().getSimpleName().equals("UnknownStoreException")
          || text.contains("NoSuchBucket")
          || text.contains("ContainerNotFound")
          || text.contains("FilesystemNotFound")) {
        return true;
      }
      cause = cause.getCause();
    }
    return false;
  }

  /** The first line, without a sentence that it ends with and has said before, as S3A's do. */
  static String text(IOException failure) {
    String line =
        Objects.requireNonNullElse(failure.getMessage(), "")
            .lines()
            .filter(l -> !l.isBlank())
            .findFirst()
            .orElse(failure.getClass().getSimpleName())
            .strip();
    for (int at = line.indexOf(": "); at >= 0; at = line.indexOf(": ", at + 1)) {
      String end = line.substring(at + 2);
      if (end.length() >= LEAST_REPEATED && line.indexOf(end) < at) {
        return line.substring(0, at);
      }
    }
    return line;
  }
}
