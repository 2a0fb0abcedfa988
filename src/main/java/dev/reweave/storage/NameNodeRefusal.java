package dev.reweave.storage;

import dev.reweave.common.ReweaveException;
import java.io.IOException;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.hadoop.ipc.RemoteException;

/**
 * Why a name node of HDFS refused something, where it is for a reason that its administrator knows.
 *
 * @param reason what it is about
 * @param text the name node's own words, in one line
 */
record NameNodeRefusal(Reason reason, String text) {
  /** Reasons, known by names of exceptions: no class of HDFS is needed for other stores. */
  enum Reason {
    /** A quota of bytes. */
    SPACE("DSQuotaExceededException|QuotaByStorageTypeExceededException"),
    /** A quota of files and folders. */
    NAMES("NSQuotaExceededException"),
    /** It reads only, after its start or since somebody wants it so. */
    SAFE_MODE("SafeModeException"),
    /** Another one is the active one. */
    STANDBY("StandbyException"),
    /** It is about what is in a snapshot. */
    SNAPSHOT("SnapshotAccessControlException");

    private final Pattern exceptions;

    Reason(String exceptions) {
      this.exceptions = Pattern.compile(exceptions);
    }

    private boolean isIn(String text) {
      return exceptions.matcher(text).find();
    }
  }

  /** How far causes are followed, of which there could be a circle. */
  private static final int MOST_CAUSES = 10;

  /** The refusal that led to a failure; empty if it has another cause. */
  static Optional<NameNodeRefusal> in(IOException failure) {
    Throwable cause = failure;
    for (int i = 0; i < MOST_CAUSES && cause != null; i++) {
      for (Reason reason : Reason.values()) {
        if (reason.isIn(thrown(cause))) {
          return Optional.of(new NameNodeRefusal(reason, text(cause)));
        }
      }
      cause = cause.getCause();
    }
    return Optional.empty();
  }

  /** Whether files are not joined for what a snapshot has to keep of them. */
  static boolean isForSnapshot(IOException failure) {
    return thrown(failure).contains("SnapshotException");
  }

  /** What to say of a failure; empty if no refusal led to it. */
  static Optional<ReweaveException> told(String address, IOException failure) {
    return in(failure).map(refusal -> refusal.error(address, failure));
  }

  private ReweaveException error(String address, IOException cause) {
    return switch (reason) {
      case SPACE -> NameNodeFailures.noSpace(text, address, cause);
      case NAMES -> NameNodeFailures.noNames(text, address, cause);
      case SAFE_MODE -> NameNodeFailures.safeMode(text, address, cause);
      case STANDBY -> NameNodeFailures.standby(address, cause);
      case SNAPSHOT -> NameNodeFailures.inSnapshot(address, cause);
    };
  }

  /**
   * What was thrown there: a name node that asks to be asked again wraps it, with the name of its
   * class in the first line.
   */
  private static String thrown(Throwable cause) {
    String name =
        cause instanceof RemoteException remote
            ? remote.getClassName()
            : cause.getClass().getName();
    return name.endsWith("RetriableException")
        ? String.valueOf(cause.getMessage()).lines().findFirst().orElse("")
        : name;
  }

  private static String text(Throwable cause) {
    return cause instanceof IOException e
        ? StoreAnswer.text(e).replaceFirst("^[\\w.$]+Exception: ", "")
        : cause.toString();
  }
}
