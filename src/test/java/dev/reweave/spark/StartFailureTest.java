package dev.reweave.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.nio.channels.ClosedChannelException;
import org.apache.spark.SparkException;
import org.junit.jupiter.api.Test;

/** What is told of a Spark that did not start. */
class StartFailureTest {
  private static final String OUTER = "External scheduler cannot be instantiated";

  private static String under(Throwable cause) {
    return StartFailure.reason(new SparkException(OUTER, cause));
  }

  @Test
  void theInnermostCauseIsToldAsWell() {
    assertEquals(
        OUTER + "; UnknownHostException: kubernetes.default.svc",
        under(
            new IllegalStateException(
                "An error has occurred.", new UnknownHostException("kubernetes.default.svc"))));
  }

  @Test
  void aCauseThatSaysNothingIsPassedOver() {
    assertEquals(
        OUTER + "; IOException: no answer from https://h:6443",
        under(
            new IOException(
                "no answer from https://h:6443\nat once", new ClosedChannelException())));
    assertEquals(OUTER, under(new ClosedChannelException()));
  }

  @Test
  void anAddressThatTheCauseHasNotIsToldWithIt() {
    ConnectException refused = new ConnectException("Connection refused");
    String call = "Call From here to yarn:8032 failed: Connection refused";
    Throwable withAddress = new ConnectException(call).initCause(refused);
    assertEquals(
        OUTER + "; ConnectException: " + call, under(new IllegalStateException(withAddress)));
    assertEquals(OUTER + "; ConnectException: Connection refused", under(new IOException(refused)));
  }

  @Test
  void whatIsSaidOnceIsEnough() {
    SparkException alone = new SparkException("Could not parse Master URL: 'local[x]'");
    assertEquals("Could not parse Master URL: 'local[x]'", StartFailure.reason(alone));
    assertEquals(
        "no plugin: x.Y",
        StartFailure.reason(
            new SparkException("no plugin: x.Y", new ClassNotFoundException("x.Y"))));
    assertEquals(
        "java.lang.IllegalStateException", StartFailure.reason(new IllegalStateException()));
  }
}
