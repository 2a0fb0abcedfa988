package dev.reweave.storage;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/**
 * What every store must do, whatever it is: reading, publishing, and locks here; each store that is
 * supported is a subclass.
 */
abstract class StorageContract extends PublishingContract {
  private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");

  @Test
  void aLockIsRefusedUntilItIsGivenBack() {
    try (OutputLock.Held held = output.lock().take("convert s3a://a/b")) {
      ReweaveException refused =
          assertThrows(ReweaveException.class, () -> output.lock().take("other"));
      assertTrue(
          refused
              .getMessage()
              .startsWith("another job is at work on this output: 'convert s3a://a/b', since "),
          refused.getMessage());
      assertTrue(refused.getMessage().contains(output.address().uri()), refused.getMessage());
      held.check();
      assertEquals(List.of(), output.names());
    }
    output.lock().take("other").close();
    output.removeIfEmpty();
    assertFalse(output.exists());
  }

  @Test
  void oneOfTwoGetsALock() throws Exception {
    for (int round = 0; round < ROUNDS; round++) {
      List<OutputLock.Held> holders = race(Clock.systemUTC());
      assertEquals(1, holders.size(), "holders in round " + round);
      holders.get(0).check();
      holders.get(0).close();
    }
  }

  @Test
  void aStaleLockIsTakenOver() {
    OutputLock.Held silent = output.lock().take("silent", at(NOON));
    Clock later = at(NOON.plus(OutputLock.STALE).plus(Duration.ofSeconds(1)));
    try (OutputLock.Held held = output.lock().take("awake", later)) {
      held.check();
      ReweaveException lost = assertThrows(ReweaveException.class, silent::check);
      assertTrue(lost.getMessage().contains("'awake'"), lost.getMessage());
      silent.close();
      assertDoesNotThrow(held::check);
      assertThrows(ReweaveException.class, () -> output.lock().take("third", later));
    }
  }

  @Test
  void oneOfTwoTakesAStaleLockOver() throws Exception {
    for (int round = 0; round < ROUNDS; round++) {
      try (OutputLock.Held silent = output.lock().take("silent", at(NOON))) {
        List<OutputLock.Held> holders =
            race(at(NOON.plus(OutputLock.STALE).plus(Duration.ofSeconds(1))));
        assertEquals(1, holders.size(), "holders in round " + round);
        holders.get(0).check();
        holders.get(0).close();
        assertDoesNotThrow(silent::check, "nobody else holds it now");
      }
    }
  }

  private List<OutputLock.Held> race(Clock clock) throws Exception {
    CyclicBarrier barrier = new CyclicBarrier(2);
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try {
      List<Future<Optional<OutputLock.Held>>> runners = new ArrayList<>();
      for (String name : List.of("one", "two")) {
        OutputLock lock = new Stores(configuration()).outputFolder(output.address()).lock();
        runners.add(
            threads.submit(
                () -> {
                  barrier.await();
                  try {
                    return Optional.of(lock.take(name, clock));
                  } catch (ReweaveException e) {
                    assertTrue(e.getMessage().startsWith("another job is at work"), e.getMessage());
                    return Optional.empty();
                  }
                }));
      }
      List<OutputLock.Held> holders = new ArrayList<>();
      for (Future<Optional<OutputLock.Held>> runner : runners) {
        runner.get().ifPresent(holders::add);
      }
      return holders;
    } finally {
      threads.shutdownNow();
    }
  }

  private static Clock at(Instant time) {
    return Clock.fixed(time, ZoneOffset.UTC);
  }
}
