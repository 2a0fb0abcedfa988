package dev.reweave.gather;

import dev.reweave.tensor.Cast;
import dev.reweave.tensor.ValueFacts;
import java.util.zip.CRC32C;

/**
 * Casts elements and tells what they hold, a block after another, so that what is counted and
 * summed up is still in the processor's cache.
 */
final class Casting {
  private static final int BLOCK_BYTES = 32 << 10;

  /**
   * What was made.
   *
   * @param crc32c of its bytes
   */
  record Made(ValueFacts facts, int crc32c) {}

  private final byte[] in;
  private final byte[] out;

  /** A casting from one buffer into another. */
  Casting(byte[] in, byte[] out) {
    this.in = in;
    this.out = out;
  }

  /**
   * Makes elements; those that keep their type are in {@code out} already.
   *
   * @param source first byte of them in {@code in}
   * @param target first byte of them in {@code out}
   * @param index of the first one in its tensor
   */
  Made make(Cast cast, int source, int target, int elements, long index) {
    CRC32C crc = new CRC32C();
    ValueFacts facts = ValueFacts.NONE;
    int inSize = cast.from().bytes();
    int outSize = cast.to().bytes();
    int step = BLOCK_BYTES / outSize;
    for (int at = 0; at < elements; at += step) {
      int count = Math.min(step, elements - at);
      int from = source + at * inSize;
      int to = target + at * outSize;
      if (cast.isCopy()) {
        facts = facts.plus(ValueFacts.of(cast.to(), out, to, count, index + at));
      } else {
        cast.apply(in, from, out, to, count);
        facts = facts.plus(ValueFacts.ofCast(cast, in, from, out, to, count, index + at));
      }
      crc.update(out, to, count * outSize);
    }
    return new Made(facts, (int) crc.getValue());
  }
}
