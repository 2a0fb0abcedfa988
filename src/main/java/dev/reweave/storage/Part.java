package dev.reweave.storage;

import java.io.Serializable;

/**
 * A byte range of a staged file.
 *
 * @param number its number in the file, from 1
 * @param position its first byte
 * @param length in bytes
 */
public record Part(int number, long position, long length) implements Serializable {
  public Part {
    if (number < 1 || position < 0 || length < 0) {
      throw new IllegalArgumentException("part " + number + " at " + position + " of " + length);
    }
  }
}
