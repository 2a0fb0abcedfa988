package dev.reweave.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.Progress;
import dev.reweave.common.ReweaveException;
import dev.reweave.testing.TestSpark;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Tasks tell how far they have come, while they run. */
@Timeout(120)
class TaskProgressTest {
  private static CountDownLatch gate = new CountDownLatch(0);

  private final ExecutorService driver = Executors.newSingleThreadExecutor();
  private final Cluster cluster = TestSpark.cluster();

  @AfterEach
  void end() {
    gate.countDown();
    driver.shutdownNow();
  }

  private Progress.State await(Predicate<Progress.State> moment) {
    Progress.State state = cluster.progress().state();
    while (!moment.test(state)) {
      Thread.onSpinWait();
      state = cluster.progress().state();
    }
    return state;
  }

  private static long half(long bytes) {
    SparkTasks.meter().accept(bytes / 2);
    try {
      gate.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    SparkTasks.meter().accept(bytes / 2);
    return bytes;
  }

  @Test
  void longTasksAreSeenBeforeTheyEnd() throws Exception {
    gate = new CountDownLatch(1);
    List<Long> results = new ArrayList<>();
    Future<?> run =
        driver.submit(
            () ->
                cluster
                    .tasks()
                    .run(
                        "make",
                        List.of(100L, 60L, 40L),
                        SparkTasks.Amounts.bytes(Long::longValue),
                        TaskProgressTest::half,
                        results::add));

    Progress.State both = await(state -> state.tasks().running() == 2);
    assertEquals("make", both.step());
    assertEquals(200, both.amount().total());
    // Two of the three run, and have told of their halves.
    Progress.State halves = await(state -> state.amount().done() == 80);
    assertEquals(Progress.Unit.BYTES, halves.amount().unit());
    gate.countDown();
    run.get();

    assertEquals(3, results.size());
    assertEquals("", cluster.progress().state().step());
  }

  @Test
  void allOfWhatEndedIsDone() {
    List<Long> seen = new ArrayList<>();
    cluster
        .tasks()
        .run(
            "count",
            List.of(1L, 2L, 3L),
            SparkTasks.Amounts.bytes(Long::longValue),
            item -> item,
            (Long result) -> seen.add(cluster.progress().state().amount().done()));

    assertEquals(3, seen.size());
    assertEquals(6, seen.get(2));
  }

  @Test
  void aMeterElsewhereIsOfNoUse() {
    SparkTasks.meter().accept(5);
    assertEquals(0, cluster.progress().state().amount().done());
  }

  @Test
  void theStepOfAFailedJobEnds() {
    assertThrows(
        ReweaveException.class,
        () ->
            cluster
                .tasks()
                .run(
                    "fail",
                    List.of(1),
                    SparkTasks.Amounts.files(),
                    item -> {
                      throw ReweaveException.locked("a", "b", "c");
                    },
                    result -> {}));
    assertEquals("", cluster.progress().state().step());
    assertTrue(cluster.progress().state().tasks().running() == 0);
  }
}
