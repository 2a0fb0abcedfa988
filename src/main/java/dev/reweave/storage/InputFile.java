package dev.reweave.storage;

import java.io.Serializable;

/**
 * A file as a listing showed it.
 *
 * @param uri full address, with its scheme
 * @param length in bytes
 * @param modified modification time, milliseconds since the epoch; 0 where the store has none
 * @param etag what the store calls this content of the file (RFC 9110, section 8.8.3), without
 *     quotes; empty where the store has no such name, as disks and HDFS have none
 */
public record InputFile(String uri, long length, long modified, String etag)
    implements Serializable {
  public InputFile {
    if (length < 0) {
      throw new IllegalArgumentException("negative length " + length + " of " + uri);
    }
  }

  /** A file of a store that has no ETags. */
  public InputFile(String uri, long length, long modified) {
    this(uri, length, modified, "");
  }

  /** The part of the address after its last slash. */
  public String name() {
    return uri.substring(uri.lastIndexOf('/') + 1);
  }

  /** The address of the folder that the file is in. */
  public String folder() {
    return uri.substring(0, uri.lastIndexOf('/'));
  }
}
