package dev.reweave.look.page;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPOutputStream;

/**
 * Writes the report: one HTML file in UTF-8 that fetches nothing. Its template, style and code lie
 * beside this class; the library of charts is put there by the build.
 */
public final class ReportPage {
  /** Where the template wants something, and what: {@code {{kind:resource}}}. */
  private static final Pattern PLACE = Pattern.compile("\\{\\{(\\w+):([\\w./-]*)}}");

  private ReportPage() {}

  /**
   * Writes a report, and leaves the stream open.
   *
   * @param out takes the file, part by part
   * @param json the data, in UTF-8. It is packed with gzip and written in base64, so that no text
   *     in it can be read as a part of the page.
   * @throws IOException if the stream takes no more
   */
  public static void write(OutputStream out, byte[] json) throws IOException {
    String template = new String(resource("report.html"), UTF_8);
    Matcher place = PLACE.matcher(template);
    int written = 0;
    while (place.find()) {
      out.write(template.substring(written, place.start()).getBytes(UTF_8));
      fill(place.group(1), place.group(2), json, out);
      written = place.end();
    }
    out.write(template.substring(written).getBytes(UTF_8));
  }

  private static void fill(String kind, String name, byte[] json, OutputStream out)
      throws IOException {
    switch (kind) {
      case "source" -> out.write(resource(name));
      case "text" -> out.write(escaped(new String(resource(name), UTF_8)).getBytes(UTF_8));
      case "packed" -> pack(resource(name), out);
      case "data" -> pack(json, out);
      default ->
          throw new IllegalStateException("The template has a place of no known kind: " + kind);
    }
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }

  private static void pack(byte[] bytes, OutputStream out) throws IOException {
    try (OutputStream packed =
        new GZIPOutputStream(Base64.getEncoder().wrap(new LeftOpen(out)), 1 << 16)) {
      packed.write(bytes);
    }
  }

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = ReportPage.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("The jar was built without " + name);
      }
      return in.readAllBytes();
    }
  }

  /** What ends a packed part ends no file. */
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
