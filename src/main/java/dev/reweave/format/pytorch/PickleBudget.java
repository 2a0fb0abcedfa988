package dev.reweave.format.pytorch;

/**
 * What one pickle may cost, as a share of the heap. A pickle of a few megabytes can ask for
 * gigabytes of empty containers; one of a hundred thousand tensors spends about three million.
 */
final class PickleBudget {
  /** At least what any value takes, with its places on the stack and in the memo. */
  private static final long BYTES_PER_VALUE = 128;

  private final String place;
  private long left;

  /**
   * @param place the file, for messages
   */
  PickleBudget(String place) {
    this(place, Runtime.getRuntime().maxMemory() / BYTES_PER_VALUE);
  }

  PickleBudget(String place, long values) {
    this.place = place;
    this.left = values;
  }

  /** Counts {@code values} values that are about to be made. */
  void spend(long values) {
    left -= values;
    if (left < 0) {
      throw PickleFailures.tooManyValues(place);
    }
  }
}
