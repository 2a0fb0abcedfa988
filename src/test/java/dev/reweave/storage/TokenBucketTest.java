package dev.reweave.storage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.convert.Conversion;
import dev.reweave.convert.ConversionRequest;
import dev.reweave.gather.OpenFiles;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.PlanOptions;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Locations;
import dev.reweave.testing.SyntheticCheckpoint;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How reads are spread over time, by a clock that the test sets. */
class TokenBucketTest {
  private static final long SECOND = 1_000_000_000;

  /** A clock that stands still but for those who sleep. */
  private static final class TestClock implements TokenBucket.Clock {
    private static final long serialVersionUID = 1L;

    private long now = Long.MAX_VALUE - SECOND;
    private long slept;

    @Override
    public long nanos() {
      return now;
    }

    @Override
    public void sleep(long nanos) {
      now += nanos;
      slept += nanos;
    }
  }

  /** The same for tasks, each with a time of its own. */
  private static final class TaskClock implements TokenBucket.Clock {
    private static final long serialVersionUID = 1L;
    private static final ThreadLocal<Long> NOW = ThreadLocal.withInitial(() -> 0L);
    private static final AtomicLong SLEPT = new AtomicLong();

    @Override
    public long nanos() {
      return NOW.get();
    }

    @Override
    public void sleep(long nanos) {
      NOW.set(NOW.get() + nanos);
      SLEPT.addAndGet(nanos);
    }
  }

  @TempDir Path temp;
  private final TestClock clock = new TestClock();

  @Test
  void theFirstRequestDoesNotWaitAndTheNextPaysForIt() throws IOException {
    TokenBucket bucket = new TokenBucket(1_000_000, clock);

    bucket.take(3_000_000);
    assertEquals(0, clock.slept);
    bucket.take(1);

    assertEquals(3 * SECOND, clock.slept);
  }

  @Test
  void aLongPauseEarnsNoMoreThanAShortOne() throws IOException {
    TokenBucket bucket = new TokenBucket(1000, clock);
    bucket.take(1000);
    clock.now += 3600 * SECOND;

    bucket.take(2000);
    assertEquals(0, clock.slept);
    bucket.take(1);

    assertEquals(2 * SECOND - TokenBucket.MOST_SAVED_NANOS, clock.slept);
  }

  /** In any stretch of time, no more than the rate allows, and one request. */
  @Test
  void theRateIsKeptInEveryStretch() throws IOException {
    Random random = new Random(7);
    long rate = 50_000_000;
    TokenBucket bucket = new TokenBucket(rate, clock);
    List<Long> times = new ArrayList<>();
    List<Long> sizes = new ArrayList<>();
    for (int i = 0; i < 400; i++) {
      clock.now += random.nextInt(3) == 0 ? random.nextLong(SECOND) : 0;
      long size = 1 + random.nextLong(8 << 20);
      bucket.take(size);
      times.add(clock.now - (Long.MAX_VALUE - SECOND));
      sizes.add(size);
    }

    for (int from = 0; from < times.size(); from++) {
      long taken = 0;
      for (int to = from; to < times.size(); to++) {
        long nanos = times.get(to) - times.get(from) + TokenBucket.MOST_SAVED_NANOS;
        // The last request of the stretch is not paid for yet.
        assertTrue(taken <= rate * (nanos / 1e9) + 1, "from " + from + " to " + to);
        taken += sizes.get(to);
      }
    }
    assertTrue(clock.slept > SECOND, "nothing had to wait");
  }

  @Test
  void noLimitNeverWaits() throws IOException {
    TokenBucket bucket = new TokenBucket(TokenBucket.UNLIMITED, clock);

    for (int i = 0; i < 1000; i++) {
      bucket.take(Integer.MAX_VALUE);
    }

    assertEquals(0, clock.slept);
  }

  @Test
  void anInterruptedWaitEnds() throws IOException {
    TokenBucket bucket =
        new TokenBucket(
            1,
            new TokenBucket.Clock() {
              private static final long serialVersionUID = 1L;

              @Override
              public long nanos() {
                return 0;
              }

              @Override
              public void sleep(long nanos) throws InterruptedException {
                throw new InterruptedException();
              }
            });
    bucket.take(1);

    assertThrows(InterruptedIOException.class, () -> bucket.take(1));

    assertTrue(Thread.interrupted());
  }

  /** All files of a task share what it may read. */
  @Test
  void readsOfATaskWait() throws IOException {
    byte[] content = new byte[100_000];
    new Random(3).nextBytes(content);
    Files.write(temp.resolve("a"), content);
    Files.write(temp.resolve("b"), content);
    List<InputFile> files = TestSpark.stores().list(Locations.of(temp)).files();
    byte[] read = new byte[content.length];
    TokenBucket bucket = new TokenBucket(10_000, clock);
    try (OpenFiles one = new OpenFiles(TestSpark.stores(), files, bucket);
        OpenFiles other = new OpenFiles(TestSpark.stores(), files, bucket)) {
      one.readFully(0, List.of(new ReadRange(0, read, 0, 40_000)));
      other.readFully(
          1,
          List.of(
              new ReadRange(40_000, read, 40_000, 10_000),
              new ReadRange(50_000, read, 50_000, 30_000)));
      one.readFully(1, List.of(new ReadRange(80_000, read, 80_000, 20_000)));
    }

    assertArrayEquals(content, read);
    assertEquals(8 * SECOND, clock.slept);
  }

  @Test
  void theTasksOfAConversionKeepTheLimit() throws IOException {
    Path input = temp.resolve("in");
    List<TensorSpec> parameters = List.of(new TensorSpec("t", DType.F32, Shape.of(1000, 1000)));
    var unused = SyntheticCheckpoint.write(input, 3, 4, parameters, 4);
    TaskClock.SLEPT.set(0);
    ConversionRequest request =
        Converting.between(input, temp.resolve("out"))
            .planning(PlanOptions.DEFAULTS.withSizes(4_000_000, 3_000_000))
            .request();

    Manifest manifest =
        new Conversion(
                TestSpark.cluster(), TestSpark.stores(), new ReadLimit(1000, new TaskClock()))
            .run(request)
            .manifest();

    // Four ranks have a quarter of the tensor each, of which each of two tasks reads two; what a
    // task reads last need not be paid for.
    assertEquals(4_000_000, manifest.figures().bytesRead());
    assertEquals(2000, TaskClock.SLEPT.get() / SECOND);
  }

  @Test
  void aLimitOfNothingIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> new ReadLimit(0));
  }
}
