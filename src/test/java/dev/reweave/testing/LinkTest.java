package dev.reweave.testing;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A slow link is as slow as it says, in a time that passes only while somebody waits. */
class LinkTest {
  private static final long BYTES_PER_SECOND = 1_000_000;
  private static final Duration LATENCY = Duration.ofMillis(50);
  private static final int BODY = 2_000_000;

  /** Of requests and answers: far less than the bodies. */
  private static final int MOST_HEAD_BYTES = 1000;

  private final AtomicLong passed = new AtomicLong();
  private HttpServer server;

  private final class WaitingTime implements Link.Time {
    @Override
    public long now() {
      return passed.get();
    }

    @Override
    public void pass(long nanos) {
      passed.addAndGet(nanos);
    }
  }

  /** Answers with as many bytes as it got, and {@link #BODY} where it got none. */
  @BeforeEach
  void startServer() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          byte[] body = exchange.getRequestBody().readAllBytes();
          byte[] answer = body.length == 0 ? new byte[BODY] : new byte[1];
          exchange.sendResponseHeaders(200, answer.length);
          exchange.getResponseBody().write(answer);
          exchange.close();
        });
    server.start();
  }

  @AfterEach
  void stopServer() {
    server.stop(0);
  }

  private FaultProxy start(Link link) throws IOException {
    return FaultProxy.start(URI.create("http://127.0.0.1:" + server.getAddress().getPort()), link);
  }

  private Link slow() {
    return new Link(LATENCY, BYTES_PER_SECOND, new WaitingTime());
  }

  private static Socket connect(FaultProxy proxy) throws IOException {
    return new Socket(InetAddress.getLoopbackAddress(), proxy.endpoint().getPort());
  }

  /** Sends a request and gives the length of the answer's body. */
  private static long exchange(Socket socket, String method, byte[] body) throws IOException {
    OutputStream out = socket.getOutputStream();
    String head = "%s / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n";
    out.write(head.formatted(method, body.length).getBytes(StandardCharsets.US_ASCII));
    out.write(body);
    InputStream in = socket.getInputStream();
    HttpHead answer = HttpHead.read(in).orElseThrow();
    long length = Long.parseLong(answer.headers().get("content-length"));
    in.skipNBytes(length);
    return length;
  }

  private void assertPassed(Duration latencies, long bytes, int connections) {
    long nanos = passed.get() - latencies.toNanos();
    double carried = nanos * 1e-9 * BYTES_PER_SECOND;
    long atOnce = 2L * connections * Link.BURST_BYTES;
    assertTrue(carried >= bytes - atOnce, "at least " + bytes + " bytes: " + carried);
    assertTrue(
        carried <= bytes + (long) MOST_HEAD_BYTES * connections,
        "at most " + bytes + ": " + carried);
  }

  @Test
  void everyAnswerIsLate() throws IOException {
    try (FaultProxy proxy = start(new Link(LATENCY, Long.MAX_VALUE, new WaitingTime()));
        Socket socket = connect(proxy)) {
      assertEquals(BODY, exchange(socket, "GET", new byte[0]));
      assertEquals(1, exchange(socket, "PUT", new byte[BODY]));
      assertEquals(BODY, exchange(socket, "GET", new byte[0]));
    }
    assertEquals(LATENCY.multipliedBy(3), Duration.ofNanos(passed.get()));
  }

  @Test
  void answersComeAtTheRate() throws IOException {
    try (FaultProxy proxy = start(slow());
        Socket socket = connect(proxy)) {
      assertEquals(BODY, exchange(socket, "GET", new byte[0]));
      assertEquals(BODY, exchange(socket, "GET", new byte[0]));
    }
    assertPassed(LATENCY.multipliedBy(2), 2L * BODY, 1);
  }

  @Test
  void requestsComeAtTheRate() throws IOException {
    try (FaultProxy proxy = start(slow());
        Socket socket = connect(proxy)) {
      assertEquals(1, exchange(socket, "PUT", new byte[BODY]));
    }
    assertPassed(LATENCY, BODY, 1);
  }

  @Test
  void eachConnectionHasTheRateForItself() throws IOException {
    Link link = slow();
    byte[] sent = new byte[BODY];
    try (InputStream first = link.slow(new ByteArrayInputStream(sent));
        InputStream second = link.slow(new ByteArrayInputStream(sent))) {
      // One after another, so that each byte of either is waited for.
      assertArrayEquals(sent, first.readAllBytes());
      long alone = passed.get();
      assertEquals(Link.BURST_BYTES, second.readNBytes(Link.BURST_BYTES).length);

      assertEquals(
          (BODY - Link.BURST_BYTES) * 1e-6, Duration.ofNanos(alone).toNanos() * 1e-9, 1e-3);
      assertEquals(alone, passed.get(), "the second one has a burst of its own");
    }
  }

  @Test
  void refusesWhatNoLinkCanBe() {
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> Link.far(LATENCY, 0));
    assertEquals("0 bytes per second after PT0.05S", refused.getMessage());
  }
}
