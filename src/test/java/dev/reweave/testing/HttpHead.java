package dev.reweave.testing;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The start line and headers of an HTTP/1.1 message (RFC 9112), as sent and as parsed.
 *
 * @param text all up to and with the empty line, a character per byte
 * @param startLine the request line or status line
 * @param headers by name in lower case; of repeated ones, the last
 */
record HttpHead(String text, String startLine, Map<String, String> headers) {
  private static final int LONGEST = 1 << 16;
  private static final String END = "\r\n\r\n";

  /** Reads the next head, or empty if the peer closed the connection before one. */
  static Optional<HttpHead> read(InputStream in) throws IOException {
    ByteArrayOutputStream raw = new ByteArrayOutputStream();
    int matched = 0;
    while (matched < END.length()) {
      int next = in.read();
      if (next < 0 && raw.size() == 0) {
        return Optional.empty();
      }
      if (next < 0 || raw.size() == LONGEST) {
        throw new EOFException("HTTP head without an end");
      }
      raw.write(next);
      if (next == END.charAt(matched)) {
        matched++;
      } else {
        matched = next == '\r' ? 1 : 0;
      }
    }
    return Optional.of(parse(raw.toString(StandardCharsets.ISO_8859_1)));
  }

  private static HttpHead parse(String text) {
    List<String> lines = text.lines().toList();
    Map<String, String> headers = new TreeMap<>();
    for (String line : lines.subList(1, lines.size() - 1)) {
      int colon = line.indexOf(':');
      headers.put(
          line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).strip());
    }
    return new HttpHead(text, lines.get(0), headers);
  }

  /** Its bytes, to be passed on as they came. */
  byte[] raw() {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  /** A part of the start line: method, target and version, or version, status and reason. */
  String startLinePart(int index) {
    return startLine.split(" ", 3)[index];
  }

  /** The status of an answer. */
  int status() {
    return Integer.parseInt(startLinePart(1));
  }

  /** Whether the sender keeps the body back until it is told to go on. */
  boolean expectsContinue() {
    return headers.getOrDefault("expect", "").equalsIgnoreCase("100-continue");
  }

  /** Whether the sender will send no other message on this connection. */
  boolean closesConnection() {
    return headers.getOrDefault("connection", "").equalsIgnoreCase("close");
  }

  /** Whether the end of the body can be told without the end of the connection. */
  boolean framesBody() {
    return isChunked() || headers.containsKey("content-length");
  }

  /**
   * Passes on the body that follows this head, framing and trailers with it; nothing if no header
   * speaks of one.
   */
  void copyBody(InputStream in, OutputStream out) throws IOException {
    if (!isChunked()) {
      copy(in, out, Long.parseLong(headers.getOrDefault("content-length", "0")));
      return;
    }
    long size;
    do {
      String line = copyLine(in, out);
      size = Long.parseLong(line.split(";", 2)[0].strip(), 16);
      copy(in, out, size);
      if (size > 0) {
        copyLine(in, out);
      }
    } while (size > 0);
    while (!copyLine(in, out).isEmpty()) {
      // Trailers, up to the empty line.
    }
  }

  private static String copyLine(InputStream in, OutputStream out) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    int next;
    do {
      next = in.read();
      if (next < 0 || line.size() == LONGEST) {
        throw new EOFException("line without an end in a chunked body");
      }
      line.write(next);
    } while (next != '\n');
    line.writeTo(out);
    return line.toString(StandardCharsets.ISO_8859_1).strip();
  }

  private static void copy(InputStream in, OutputStream out, long length) throws IOException {
    byte[] buffer = new byte[1 << 16];
    for (long left = length; left > 0; ) {
      int count = in.read(buffer, 0, (int) Math.min(left, buffer.length));
      if (count < 0) {
        throw new EOFException("body ends " + left + " bytes early");
      }
      out.write(buffer, 0, count);
      left -= count;
    }
  }

  private boolean isChunked() {
    return headers.getOrDefault("transfer-encoding", "").equalsIgnoreCase("chunked");
  }
}
