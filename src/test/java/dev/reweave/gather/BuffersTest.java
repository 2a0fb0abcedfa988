package dev.reweave.gather;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

/** Buffers that tasks hand on. */
class BuffersTest {
  @Test
  void theNextTaskOfAThreadGetsWhatTheLastOneGaveBack() throws Exception {
    var thread = Executors.newSingleThreadExecutor();
    try {
      byte[] first = thread.submit(() -> Buffers.take(Buffers.SIZE)).get();
      byte[] second = thread.submit(() -> Buffers.take(Buffers.SIZE)).get();
      assertNotSame(first, second);
      thread.submit(() -> Buffers.give(first)).get();
      byte[] elsewhere = CompletableFuture.supplyAsync(() -> Buffers.take(Buffers.SIZE)).get();
      assertNotSame(first, elsewhere);
      assertSame(first, thread.submit(() -> Buffers.take(Buffers.SIZE)).get());
      byte[] third = thread.submit(() -> Buffers.take(Buffers.SIZE)).get();
      assertNotSame(first, third);
    } finally {
      thread.shutdownNow();
    }
  }

  @Test
  void buffersOfOtherSizesAreNotKept() {
    byte[] small = Buffers.take(10);
    assertEquals(10, small.length);
    Buffers.give(small);
    assertNotSame(small, Buffers.take(10));
  }
}
