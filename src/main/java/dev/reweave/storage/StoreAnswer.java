package dev.reweave.storage;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Pattern;
import org.apache.hadoop.ipc.RemoteException;

/** What the clients of stores make of an answer, without what is there for their developers. */
final class StoreAnswer {
  /** Shorter ones may well stand in a text twice. */
  private static final int LEAST_REPEATED = 20;

  /** What S3A puts before a store's own words, and those of the SDK. */
  private static final String SAID = "Exception: ";

  private static final List<String> DAMAGE = List.of("baddigest", "invaliddigest", "checksum");
  private static final List<String> NO_CHECKSUMS =
      List.of(
          "x-amz-content-sha256",
          "x-amz-trailer",
          "aws-chunked",
          "signaturedoesnotmatch",
          "notimplemented",
          "not implemented");

  /** What S3A calls it. */
  private static final String LISTING_OF_UPLOADS = "listMultipartUploads";

  private static final Pattern UNKNOWN_OPERATION =
      Pattern.compile("NotImplemented|MethodNotAllowed|Status Code: (?:405|501)");

  private static final String DAMAGED = " did not arrive in the store as it was sent";

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

  /** Whether no request was sent, since nothing says who asks. Known by S3A's words. */
  static boolean tellsOfNoCredentials(IOException failure) {
    String text = String.valueOf(failure.getMessage());
    return text.contains("No AWS Credentials provided by")
        || text.contains("NoAwsCredentialsException")
        || text.contains("Unable to load credentials from");
  }

  /** Whether a store lists no uploads, to this user or at all. */
  static boolean refusesToListUploads(IOException failure) {
    String text = String.valueOf(failure.getMessage());
    return text.contains(LISTING_OF_UPLOADS)
        && (failure instanceof AccessDeniedException || UNKNOWN_OPERATION.matcher(text).find());
  }

  /**
   * Whether what is written has no bucket: no object that is written need be there before. Some
   * stores answer 404 and name no reason.
   */
  static boolean tellsOfNoPlace(IOException failure) {
    return tellsOfNoBucket(failure)
        || (failure instanceof FileNotFoundException
            && !tellsOfNoUpload(failure)
            && String.valueOf(failure.getMessage()).contains("Status Code: 404"));
  }

  /** Whether an upload is not there any more, or never was. */
  static boolean tellsOfNoUpload(IOException failure) {
    return failure instanceof FileNotFoundException
        && String.valueOf(failure.getMessage()).contains("NoSuchUpload");
  }

  /** A part that is not in the store as it was sent. */
  static IOException damage(int part) {
    return new IOException("part " + part + DAMAGED);
  }

  /**
   * Whether a part did not arrive as it was sent. S3 says {@code BadDigest}, stores like it that
   * the checksum is another; S3A takes it for a bad request, and sends nothing again.
   */
  static boolean tellsOfDamage(IOException failure) {
    String text = String.valueOf(failure.getMessage());
    return text.endsWith(DAMAGED) || hasWord(text, DAMAGE);
  }

  /**
   * Whether a store may have refused an upload for the checksums that came along: some know none,
   * or not at the end of what is sent.
   */
  static boolean tellsOfChecksums(IOException failure) {
    return tellsOfDamage(failure) || hasWord(String.valueOf(failure.getMessage()), NO_CHECKSUMS);
  }

  /** Whether the store says so: before that stands the name of a file, which can hold any word. */
  private static boolean hasWord(String text, List<String> words) {
    String said = text.substring(Math.max(0, text.indexOf(SAID)));
    return text.contains(SAID) && words.stream().anyMatch(said.toLowerCase(Locale.ROOT)::contains);
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
