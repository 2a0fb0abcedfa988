package dev.reweave.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CyclicBarrier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Requests at the same time: whose answers count, and what a failure leaves. */
class ParallelCallsTest {
  private static final List<Integer> ITEMS = IntStream.range(0, 40).boxed().toList();

  @Test
  void answersComeInTheOrderOfTheItems() {
    List<String> expected = ITEMS.stream().map(item -> "answer " + item).toList();
    assertEquals(expected, ParallelCalls.answers(ITEMS, item -> "answer " + item));
    assertEquals(expected, ParallelCalls.allAnswers(ITEMS, item -> "answer " + item));
    assertEquals(List.of(), ParallelCalls.allAnswers(List.of(), item -> item));
  }

  @Test
  void requestsAreUnderWayAtTheSameTime() {
    CyclicBarrier allOfThem = new CyclicBarrier(8);
    List<Integer> items = ITEMS.subList(0, 8);
    assertEquals(items, ParallelCalls.allAnswers(items, item -> meet(allOfThem, item)));
  }

  private static int meet(CyclicBarrier barrier, int item) {
    try {
      barrier.await();
      return item;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void aFailureIsToldWhenNothingIsUnderWayAnyMore() {
    Set<Integer> done = new ConcurrentSkipListSet<>();
    IllegalStateException failure =
        assertThrows(
            IllegalStateException.class,
            () ->
                ParallelCalls.allAnswers(
                    ITEMS,
                    item -> {
                      if (item % 10 == 3) {
                        throw new IllegalStateException("no answer about " + item);
                      }
                      return done.add(item);
                    }));
    assertEquals("no answer about 3", failure.getMessage());
    assertEquals(36, done.size());
  }
}
