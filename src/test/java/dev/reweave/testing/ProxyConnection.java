package dev.reweave.testing;

import dev.reweave.testing.FaultProxy.Recorded;
import dev.reweave.testing.FaultProxy.Request;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * One client's connection to a {@link FaultProxy}. Every request gets a connection to the server of
 * its own, so that no fault comes from one that the server dropped while it was idle.
 */
final class ProxyConnection {
  private static final byte[] CONTINUE =
      "HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
  private static final int PATIENCE_MILLIS = 60_000;

  private final FaultProxy proxy;
  private final Socket client;
  private final InetSocketAddress server;
  private final Link link;
  private final InputStream in;
  private final OutputStream out;

  ProxyConnection(FaultProxy proxy, Socket client, InetSocketAddress server, Link link)
      throws IOException {
    this.proxy = proxy;
    this.client = client;
    this.server = server;
    this.link = link;
    client.setTcpNoDelay(true);
    Traffic traffic = proxy.traffic();
    InputStream sent = traffic.counted(link.slow(client.getInputStream()));
    this.in = new BufferedInputStream(sent, Link.BURST_BYTES);
    this.out = traffic.counted(link.slow(client.getOutputStream()));
  }

  /** Serves requests until one side closes or a fault breaks the connection. */
  void run() throws IOException {
    Optional<HttpHead> head = HttpHead.read(in);
    while (head.isPresent() && serve(head.get())) {
      head = HttpHead.read(in);
    }
  }

  /** Serves one request; says whether another may follow on this connection. */
  private boolean serve(HttpHead head) throws IOException {
    Request request = Request.of(head);
    Optional<Fault> fault = proxy.faultFor(request);
    if (fault.isPresent() && fault.get() instanceof Fault.Reset) {
      proxy.record(request, Recorded.NO_ANSWER);
      reset();
      return false;
    }
    if (fault.isPresent() && fault.get() instanceof Fault.Answer answer) {
      answer(head, request, answer);
      return !head.closesConnection();
    }
    if (fault.isPresent() && fault.get() instanceof Fault.Hold hold) {
      hold.keep(request);
    }
    return forward(head, request, fault);
  }

  private void answer(HttpHead head, Request request, Fault.Answer wanted) throws IOException {
    if (head.expectsContinue()) {
      out.write(CONTINUE);
    }
    head.copyBody(in, OutputStream.nullOutputStream());
    byte[] body =
        ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + wanted.xml())
            .getBytes(StandardCharsets.UTF_8);
    String answer =
        "HTTP/1.1 %d As Wanted\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n\r\n"
            .formatted(wanted.status(), body.length);
    proxy.record(request, wanted.status());
    out.write(answer.getBytes(StandardCharsets.US_ASCII));
    if (!request.method().equals("HEAD")) {
      out.write(body);
    }
  }

  private boolean forward(HttpHead head, Request request, Optional<Fault> fault)
      throws IOException {
    try (Socket upstream = new Socket()) {
      upstream.setTcpNoDelay(true);
      upstream.setSoTimeout(PATIENCE_MILLIS);
      upstream.connect(server, PATIENCE_MILLIS);
      InputStream answers = new BufferedInputStream(upstream.getInputStream());
      OutputStream requests = upstream.getOutputStream();
      OutputStream bodies = FlippedOutput.of(fault, requests);

      requests.write(head.raw());
      boolean bodySent = true;
      HttpHead answer;
      if (head.expectsContinue()) {
        answer = answer(answers);
        bodySent = answer.status() == 100;
        if (bodySent) {
          out.write(answer.raw());
          head.copyBody(in, bodies);
          answer = lastAnswer(answers);
        }
      } else {
        head.copyBody(in, bodies);
        answer = lastAnswer(answers);
      }

      proxy.record(request, answer.status());
      if (fault.isPresent() && fault.get() instanceof Fault.LostAnswer) {
        reset();
        return false;
      }
      if (fault.isPresent() && fault.get() instanceof Fault.Meanwhile meanwhile) {
        meanwhile.meddling().run();
      }
      link.delayAnswer();
      out.write(answer.raw());
      copyAnswer(request, answer, answers, FaultyOutput.of(fault, out));
      return bodySent
          && hasEnd(request, answer)
          && !answer.closesConnection()
          && !head.closesConnection();
    }
  }

  private static HttpHead answer(InputStream answers) throws IOException {
    return HttpHead.read(answers).orElseThrow(() -> new EOFException("the server does not answer"));
  }

  /** Some servers say more than once that they go on. */
  private static HttpHead lastAnswer(InputStream answers) throws IOException {
    HttpHead answer = answer(answers);
    while (answer.status() == 100) {
      answer = answer(answers);
    }
    return answer;
  }

  private static void copyAnswer(
      Request request, HttpHead answer, InputStream answers, OutputStream to) throws IOException {
    if (!hasBody(request, answer)) {
      return;
    }
    if (answer.framesBody()) {
      answer.copyBody(answers, to);
    } else {
      answers.transferTo(to);
    }
  }

  private static boolean hasEnd(Request request, HttpHead answer) {
    return !hasBody(request, answer) || answer.framesBody();
  }

  private static boolean hasBody(Request request, HttpHead answer) {
    return !request.method().equals("HEAD") && answer.status() != 204 && answer.status() != 304;
  }

  private void reset() throws IOException {
    // With this, closing sends RST in place of FIN.
    client.setSoLinger(true, 0);
    client.close();
  }
}
