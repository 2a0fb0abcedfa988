package dev.reweave.storage;

import java.io.IOException;
import java.util.Optional;
import org.apache.hadoop.fs.EtagSource;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.s3a.S3AFileStatus;

/**
 * What object stores tell of an object beside its length and time, and how it is given back to them
 * when the object is opened.
 */
final class ObjectStatus {
  static final String S3A = "org.apache.hadoop.fs.s3a.S3AFileSystem";
  private static final String CHANGED = "org.apache.hadoop.fs.s3a.RemoteFileChangedException";

  private ObjectStatus() {}

  /** The name of an object's content, without quotes; empty if the store has none. */
  static String etag(FileStatus status) {
    if (!(status instanceof EtagSource source) || source.getEtag() == null) {
      return "";
    }
    // Listings and single answers of some stores differ in the quotes.
    String etag = source.getEtag();
    etag = etag.startsWith("W/") ? etag.substring(2) : etag;
    return etag.length() > 1 && etag.startsWith("\"") && etag.endsWith("\"")
        ? etag.substring(1, etag.length() - 1)
        : etag;
  }

  /**
   * What S3A wants to know of an object for all its requests to be for this content only ({@code
   * If-Match}, unless {@code fs.s3a.change.detection.mode} says otherwise); it asks for nothing
   * then. Empty for other stores.
   */
  static Optional<FileStatus> expected(FileSystem fs, Path path, InputFile file) {
    // Where the connector is not on the class path, its classes must not be touched.
    if (file.etag().isEmpty() || !fs.getClass().getName().equals(S3A)) {
      return Optional.empty();
    }
    String quoted = '"' + file.etag() + '"';
    return Optional.of(
        new S3AFileStatus(
            file.length(), file.modified(), path, fs.getDefaultBlockSize(path), "", quoted, null));
  }

  /** Whether a store refused to read an object since it holds another content by now. */
  static boolean isChanged(IOException e) {
    for (Throwable t = e; t != null; t = t.getCause()) {
      if (t.getClass().getName().equals(CHANGED)) {
        return true;
      }
    }
    return false;
  }
}
