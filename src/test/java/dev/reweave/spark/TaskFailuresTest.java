package dev.reweave.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reweave.common.ReweaveException;
import dev.reweave.common.ReweaveException.Kind;
import dev.reweave.manifest.Failure;
import dev.reweave.testing.TestSpark;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is told of what tasks throw, once Spark has wrapped it. */
class TaskFailuresTest {
  private static Failure failure(SparkTasks.Work<Integer, Integer> work) {
    Throwable thrown =
        assertThrows(
            RuntimeException.class,
            () ->
                TestSpark.cluster()
                    .tasks()
                    .run("fail", List.of(1, 2), SparkTasks.Amounts.files(), work, result -> {}));
    return Failure.of(thrown, "reweave convert");
  }

  private static int deep(int level) {
    return level < 0 ? 0 : 1 + deep(level + 1);
  }

  @Test
  void whatTheUserCanActUponStaysAsItIs() {
    assertEquals(
        new Failure(Kind.OUTPUT_LOCKED, "a", "b", "c"),
        failure(
            item -> {
              throw ReweaveException.locked("a", "b", "c");
            }));
  }

  @Test
  void anythingElseIsADefectWithItsLastCause() {
    Failure told =
        failure(
            item -> {
              throw new IllegalStateException(new ArithmeticException("by zero"));
            });

    assertEquals(Kind.INTERNAL, told.kind());
    assertEquals("internal error: java.lang.ArithmeticException: by zero", told.problem());
    assertEquals("'reweave convert'", told.place());
  }

  @Test
  void memoryThatIsTooShortDoesNotEndTheProcess() {
    assertEquals(
        new Failure(
            Kind.SHORTAGE,
            "out of memory: Java heap space",
            "a task of Spark",
            "give the tasks more memory: REWEAVE_MEMORY on one machine, spark.executor.memory on a"
                + " cluster, or run fewer at once"),
        failure(
            item -> {
              long[][] much = new long[64][];
              for (int i = 0; i < much.length; i++) {
                much[i] = new long[1 << 27];
              }
              return much.length;
            }));
  }

  @Test
  void norDoesAStackThatIsTooDeep() {
    Failure told = failure(item -> deep(0));

    assertEquals(Kind.INTERNAL, told.kind());
    assertEquals(
        "internal error: java.lang.IllegalStateException: the stack of a task overflowed",
        told.problem());
  }
}
