package dev.reweave.common;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException.Kind;
import dev.reweave.manifest.Failure;
import java.lang.reflect.InaccessibleObjectException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A Java that Hadoop and Spark cannot run on is no defect. */
class UnfitJavaTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "getSubject is not supported",
        "The Security Manager is deprecated and will be removed in a future release",
        "Setting a Security Manager is not supported",
        "Unable to make private java.nio.DirectByteBuffer(long,int) accessible: module java.base"
            + " does not \"opens java.nio\" to unnamed module @1b2c3d",
        "class org.apache.spark.storage.StorageUtils$ cannot access class sun.nio.ch.DirectBuffer"
            + " (in module java.base) because module java.base does not export sun.nio.ch to"
            + " unnamed module @1b2c3d",
        "java.nio.DirectByteBuffer.<init>(long, int)",
      })
  void theMessagesOfEachJava(String said) {
    Failure failure =
        Failure.of(
            new IllegalStateException(
                "outside", new ExceptionInInitializerError(new InaccessibleObjectException(said))),
            "reweave convert");

    assertEquals(Kind.ENVIRONMENT, failure.kind());
    assertTrue(failure.problem().contains("do not run on this Java, "), failure::text);
    assertTrue(failure.problem().contains(said.substring(0, 20)), failure::text);
    assertEquals("'reweave convert'", failure.place());
    assertTrue(failure.remedy().startsWith("run it on Java 17"), failure::text);
  }

  @Test
  void allElseIsWhatItWas() {
    assertEquals(
        Kind.INTERNAL,
        Failure.of(new UnsupportedOperationException("no such thing"), "reweave convert").kind());
    assertFalse(
        UnfitJava.in(
                ReweaveException.usage("a tensor getSubject is not supported", "b", "c"), "here")
            .isPresent());
  }
}
