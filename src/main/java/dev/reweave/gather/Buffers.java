package dev.reweave.gather;

import java.lang.ref.SoftReference;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The buffers of a thread, for the task that follows on it: made anew by each one, those that are
 * used no more would be most of what a heap holds.
 */
final class Buffers {
  /** Bytes of those that are kept. */
  static final int SIZE = 8 << 20;

  // Threads of an application that does other work, too, can be short of memory.
  private static final ThreadLocal<SoftReference<Deque<byte[]>>> FREE =
      ThreadLocal.withInitial(() -> new SoftReference<>(new ArrayDeque<>()));

  private Buffers() {}

  /** Bytes of any value. */
  static byte[] take(int bytes) {
    Deque<byte[]> free = FREE.get().get();
    byte[] kept = bytes == SIZE && free != null ? free.poll() : null;
    return kept == null ? new byte[bytes] : kept;
  }

  /** Takes back what nothing reads or writes any more. */
  static void give(byte[] buffer) {
    if (buffer.length != SIZE) {
      return;
    }
    Deque<byte[]> free = FREE.get().get();
    if (free == null) {
      free = new ArrayDeque<>();
      FREE.set(new SoftReference<>(free));
    }
    free.push(buffer);
  }
}
