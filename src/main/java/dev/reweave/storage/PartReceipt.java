package dev.reweave.storage;

import java.io.Serializable;

/**
 * What finds a part again when the file is put together.
 *
 * @param number of the part, from 1
 * @param token the store's own, in Base64, or the name of the part's file; empty where its place is
 *     enough
 * @param arrival whether the store checked what it took
 */
public record PartReceipt(int number, String token, Arrival arrival) implements Serializable {
  /** What is known of the bytes that a store took. */
  public enum Arrival {
    /** The store compared them with a checksum that came along. */
    CHECKED,
    /** Nothing. */
    UNCHECKED
  }

  /** Earlier versions of this program recorded no more than number and token. */
  public PartReceipt {
    arrival = arrival == null ? Arrival.UNCHECKED : arrival;
  }

  /** Of a part that nobody checked. */
  public PartReceipt(int number, String token) {
    this(number, token, Arrival.UNCHECKED);
  }
}
