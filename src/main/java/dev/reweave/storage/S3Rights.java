package dev.reweave.storage;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Which right somebody lacks, by what S3 or its connector says of a refused request. */
final class S3Rights {
  private static final Pattern SAID = Pattern.compile("not authorized to perform: (\\w+:\\w+)");

  /** By S3A's words for what it does, which go before what the store says. */
  private static final Map<String, String> NEEDED = needed();

  private S3Rights() {}

  private static Map<String, String> needed() {
    Map<String, String> needed = new LinkedHashMap<>();
    needed.put("listMultipartUploads", "s3:ListBucketMultipartUploads");
    needed.put("Aborting multipart", "s3:AbortMultipartUpload");
    needed.put("initiate MultiPartUpload", "s3:PutObject");
    needed.put("upload part #", "s3:PutObject");
    needed.put("Completing multipart upload", "s3:PutObject");
    needed.put("Writing Object", "s3:PutObject");
    needed.put("PUT 0-byte object", "s3:PutObject");
    needed.put("Remove S3 ", "s3:DeleteObject");
    needed.put("delete on ", "s3:DeleteObject");
    needed.put("listObjects() on ", "s3:ListBucket");
    needed.put("getFileStatus on ", "s3:GetObject or s3:ListBucket");
    needed.put("open s3a:", "s3:GetObject");
    return needed;
  }

  /** The right, such as {@code s3:PutObject}; empty if that is not said. */
  static Optional<String> refused(Throwable failure) {
    String text = String.valueOf(failure.getMessage());
    Matcher said = SAID.matcher(text);
    if (said.find()) {
      return Optional.of(said.group(1));
    }
    // A name that a file has can hold any words.
    return text.contains("S3Exception")
        ? NEEDED.entrySet().stream()
            .filter(n -> text.contains(": " + n.getKey()))
            .map(Map.Entry::getValue)
            .findFirst()
        : Optional.empty();
  }
}
