package dev.reweave.look.page;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.zip.GZIPOutputStream;

/** Writes the report: one HTML file in UTF-8 that fetches nothing. */
public final class ReportPage {
  private ReportPage() {}

  /**
   * Writes a report, and leaves the stream open.
   *
   * @param json the data, in UTF-8; packed with gzip and written in base64
   * @throws IOException if the stream takes no more
   */
  public static void write(OutputStream out, byte[] json) throws IOException {
    text(
        out,
        "<!DOCTYPE html><html><head><meta charset=\"utf-8\"><title>Reweave</title></head><body>"
            + "<script type=\"application/octet-stream\" id=\"report-data\">");
    try (OutputStream packed =
        new GZIPOutputStream(Base64.getEncoder().wrap(new LeftOpen(out)), 1 << 16)) {
      packed.write(json);
    }
    text(out, "</script></body></html>\n");
  }

  private static void text(OutputStream out, String text) throws IOException {
    out.write(text.getBytes(StandardCharsets.UTF_8));
  }

  /** What ends the packed data ends no file. */
  private static final class LeftOpen extends FilterOutputStream {
    LeftOpen(OutputStream out) {
      super(out);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      out.write(bytes, offset, length);
    }

    @Override
    public void close() throws IOException {
      flush();
    }
  }
}
