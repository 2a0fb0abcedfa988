package dev.reweave.look.page;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;

class ReportPageTest {
  private static final Path SOURCES = Path.of("src/main/resources/dev/reweave/look/page");
  private static final String HOSTILE =
      "</script><script>alert(1)</script><img src=x onerror=alert(1)>";

  private static byte[] written(byte[] json) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ReportPage.write(out, json);
    return out.toByteArray();
  }

  private static String page(byte[] json) throws IOException {
    return new String(written(json), UTF_8);
  }

  private static byte[] unpacked(String page, String id) throws IOException {
    String start = "<script type=\"application/octet-stream\" id=\"" + id + "\">";
    int from = page.indexOf(start) + start.length();
    byte[] packed =
        Base64.getDecoder().decode(page.substring(from, page.indexOf("</script>", from)));
    try (InputStream in = new GZIPInputStream(new ByteArrayInputStream(packed))) {
      return in.readAllBytes();
    }
  }

  private static int count(String text, String part) {
    return text.split(Pattern.quote(part), -1).length - 1;
  }

  @Test
  void theDataComesOutAsItWentIn() throws IOException {
    byte[] json = SampleReport.model(3, 0).compared().json();

    assertArrayEquals(json, unpacked(page(json), "report-data"));
  }

  @Test
  void theLibraryIsTheOneOfTheBuildWithItsLicences() throws IOException {
    String page = page(new byte[0]);
    String library = new String(unpacked(page, "report-library"), UTF_8);
    Matcher version =
        Pattern.compile("<echarts.version>([\\d.]+)</echarts.version>")
            .matcher(Files.readString(Path.of("pom.xml")));
    assertTrue(version.find());

    assertTrue(library.contains("t.version=\"" + version.group(1) + "\""), "another version");
    assertTrue(page.contains("Apache ECharts " + version.group(1) + ", Apache License 2.0"));
    assertTrue(page.contains("TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION"));
    assertTrue(page.contains("This product includes software developed at"));
    assertTrue(page.contains("Copyright (c) 2017, Baidu Inc."));
    assertTrue(page.contains("Copyright 2010-2016 Mike Bostock"));
  }

  @Test
  void noTextOfTheDataIsReadAsPartOfThePage() throws IOException {
    String plain = page("{}".getBytes(UTF_8));
    String page = page(SampleReport.model(3, 0).named(HOSTILE, n -> HOSTILE + n).json());

    assertFalse(page.contains("alert(1)"));
    assertEquals(count(plain, "<script"), count(page, "<script"));
    assertEquals(count(plain, "</script"), count(page, "</script"));
  }

  /** Names reach the page as nodes of text; what parses HTML is not used. */
  @Test
  void thePagesOwnCodeMakesNoHtmlOfText() throws IOException {
    try (Stream<Path> files = Files.list(SOURCES)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".js")).toList()) {
        String code = Files.readString(file);
        for (String parsing :
            List.of(
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "</script")) {
          assertFalse(code.contains(parsing), file + ": " + parsing);
        }
      }
    }
  }

  @Test
  void nothingIsFetched() throws IOException {
    String page = page("{}".getBytes(UTF_8));

    Matcher address =
        Pattern.compile("\\b(?:src|href|action)\\s*=\\s*[\"']?([^\"'\\s>]+)").matcher(page);
    int found = 0;
    while (address.find()) {
      String to = address.group(1);
      assertTrue(to.startsWith("#") || to.startsWith("data:"), to);
      found++;
    }
    assertTrue(found > 1, "only " + found);
    assertFalse(page.contains("@import"));
    assertFalse(page.contains("url("));
    assertTrue(page.contains("default-src 'none'"));
  }

  @Test
  void nothingIsLeftForTheTemplateToFill() throws IOException {
    assertFalse(Pattern.compile("\\{\\{\\w+:").matcher(page("{}".getBytes(UTF_8))).find());
  }

  @Test
  void theStreamStaysOpen() throws IOException {
    boolean[] closed = {false};
    ReportPage.write(
        new FilterOutputStream(new ByteArrayOutputStream()) {
          @Override
          public void close() {
            closed[0] = true;
          }
        },
        "{}".getBytes(UTF_8));

    assertFalse(closed[0]);
  }

  @Test
  void theDataOfAThousandTensorsIsSmall() throws IOException {
    assertTrue(ownBytes(SampleReport.model(125, 0)) < 2_000_000);
  }

  @Test
  void theDataOfAHundredThousandTensorsIsBearable() throws IOException {
    assertTrue(ownBytes(SampleReport.model(60, 555)) < 20_000_000);
  }

  private static long ownBytes(SampleReport sample) throws IOException {
    long own = written(sample.compared().json()).length - (long) written(new byte[0]).length;
    assertTrue(own > 10_000, "only " + own);
    return own;
  }
}
