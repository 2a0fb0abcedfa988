package dev.reweave.storage;

import java.io.Serializable;

/**
 * A file as a listing showed it.
 *
 * @param uri full address, with its scheme
 * @param length in bytes
 * @param modified modification time, milliseconds since the epoch; 0 where the store has none
 */
public record InputFile(String uri, long length, long modified) implements Serializable {
  public InputFile {
    if (length < 0) {
      throw new IllegalArgumentException("negative length " + length + " of " + uri);
    }
  }

  /** The part of the address after its last slash. */
  public String name() {
    return uri.substring(uri.lastIndexOf('/') + 1);
  }
}
