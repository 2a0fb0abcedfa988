package dev.reweave.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;

/** The data in a report, as its page takes them out of it. */
public final class ReportFile {
  private static final Pattern DATA =
      Pattern.compile("id=\"report-data\">([A-Za-z0-9+/=\\s]+)</script>");

  private final JsonNode data;

  private ReportFile(JsonNode data) {
    this.data = data;
  }

  public static ReportFile read(Path file) throws IOException {
    Matcher found = DATA.matcher(Files.readString(file));
    if (!found.find()) {
      throw new IllegalStateException("no data in " + file);
    }
    byte[] packed =
        Base64.getMimeDecoder().decode(found.group(1).getBytes(StandardCharsets.US_ASCII));
    try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(packed))) {
      return new ReportFile(new ObjectMapper().readTree(in));
    }
  }

  public JsonNode data() {
    return data;
  }

  public JsonNode column(String name) {
    return data.path("tensors").path(name);
  }

  /** The bins of each tensor. */
  public List<long[]> histograms() {
    byte[] bytes;
    try {
      bytes = data.path("histogram").path("counts").binaryValue();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    List<long[]> all = new ArrayList<>();
    int at = 0;
    while (at < bytes.length) {
      long[] bins = new long[64];
      for (int bin = 0; bin < 64; bin++) {
        for (int shift = 0; ; shift += 7) {
          bins[bin] |= (long) (bytes[at] & 0x7F) << shift;
          if (bytes[at++] >= 0) {
            break;
          }
        }
      }
      all.add(bins);
    }
    return all;
  }
}
