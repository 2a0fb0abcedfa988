package dev.reweave.storage;

import dev.reweave.common.Location;
import java.io.Serializable;

/**
 * A file as a listing showed it.
 *
 * @param location its full address
 * @param length in bytes
 * @param modified modification time, milliseconds since the epoch; 0 where the store has none
 * @param etag what the store calls this content of the file (RFC 9110, section 8.8.3), without
 *     quotes; empty where the store has no such name, as disks and HDFS have none
 */
public record InputFile(Location location, long length, long modified, String etag)
    implements Serializable {
  public InputFile {
    if (length < 0) {
      throw new IllegalArgumentException("negative length " + length + " of " + location);
    }
  }

  /** A file of a store that has no ETags. */
  public InputFile(Location location, long length, long modified) {
    this(location, length, modified, "");
  }

  /** What another file that is put in its place does not have. */
  public String stamp() {
    return etag + " " + modified;
  }

  /** The full address, for messages. */
  public String uri() {
    return location.uri();
  }

  /** The part of the address after its last slash. */
  public String name() {
    return location.name();
  }

  /** The folder that the file is in. */
  public Location folder() {
    return location.parent();
  }
}
