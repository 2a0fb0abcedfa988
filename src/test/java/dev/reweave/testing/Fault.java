package dev.reweave.testing;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;

/** What a {@link FaultProxy} does to a request in place of passing it on unharmed. */
public sealed interface Fault {
  /**
   * Takes the whole request and answers with an S3 error; the store never sees it.
   *
   * @param code the HTTP status: 403 ({@code AccessDenied}), 500 ({@code InternalError}) or 503
   *     ({@code SlowDown})
   */
  static Fault status(int code) {
    return switch (code) {
      case 403 -> error(code, "AccessDenied");
      case 500 -> error(code, "InternalError");
      case 503 -> error(code, "SlowDown");
      default -> throw new IllegalArgumentException("no S3 error is known for status " + code);
    };
  }

  /** The same with any status and any code of S3, such as {@code BadDigest}. */
  static Fault error(int status, String code) {
    return new Answer(
        status, "<Error><Code>" + code + "</Code><Message>as the test wants it</Message></Error>");
  }

  /**
   * Takes the whole request and answers in the store's place, which never sees it.
   *
   * @param status the HTTP status
   * @param xml the body of the answer
   */
  static Fault answer(int status, String xml) {
    return new Answer(status, xml);
  }

  /** Resets the connection (TCP RST) after the head of the request; the store never sees it. */
  static Fault reset() {
    return new Reset();
  }

  /** Lets the store do its work, then resets the connection in place of its answer. */
  static Fault lostAnswer() {
    return new LostAnswer();
  }

  /** Lets the store do its work, then does something else, and only then passes the answer on. */
  static Fault meanwhile(Meddling meddling) {
    return new Meanwhile(meddling);
  }

  /** What somebody else does to a store. */
  interface Meddling {
    void run() throws IOException;
  }

  /** Passes the full head of the answer and this many bytes of its body, then closes. */
  static Fault cut(long bytes) {
    return new Cut(bytes);
  }

  /** Passes the body of the answer this many bytes at a time, with a pause after each. */
  static Fault slow(int bytesPerWrite, Duration pause) {
    return new Slow(bytesPerWrite, pause);
  }

  /**
   * Passes the request on with one bit of its body flipped.
   *
   * @param position of the byte in the body, with the framing that it may have
   */
  static Fault flip(long position) {
    return new Flip(position);
  }

  /** Keeps requests, until {@link Hold#release}; the store sees them only then. */
  static Hold hold() {
    return new Hold(new CopyOnWriteArrayList<>(), new CountDownLatch(1));
  }

  /** See {@link #answer}. */
  record Answer(int status, String xml) implements Fault {}

  /** See {@link #reset}. */
  record Reset() implements Fault {}

  /** See {@link #lostAnswer}. */
  record LostAnswer() implements Fault {}

  /** See {@link #meanwhile}. */
  record Meanwhile(Meddling meddling) implements Fault {}

  /** See {@link #cut}. */
  record Cut(long bytes) implements Fault {
    /** Checks its parts. */
    public Cut {
      if (bytes < 0) {
        throw new IllegalArgumentException("cut after " + bytes + " bytes");
      }
    }
  }

  /** See {@link #slow}. */
  record Slow(int bytesPerWrite, Duration pause) implements Fault {
    private static final Duration LONGEST_PAUSE = Duration.ofMillis(100);

    /** Checks its parts. */
    public Slow {
      if (bytesPerWrite <= 0 || pause.isNegative() || pause.compareTo(LONGEST_PAUSE) > 0) {
        throw new IllegalArgumentException(bytesPerWrite + " bytes with pauses of " + pause);
      }
    }
  }

  /** See {@link #flip}. */
  record Flip(long position) implements Fault {}

  /** See {@link #hold}. */
  record Hold(List<FaultProxy.Request> kept, CountDownLatch released) implements Fault {
    /** The requests that came so far, in order. */
    public List<FaultProxy.Request> requests() {
      return List.copyOf(kept);
    }

    /** Lets all of them go on, and any that come later. */
    public void release() {
      released.countDown();
    }

    void keep(FaultProxy.Request request) throws InterruptedIOException {
      kept.add(request);
      try {
        released.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("interrupted while a request was held");
      }
    }
  }
}
