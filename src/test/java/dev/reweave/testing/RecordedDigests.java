package dev.reweave.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.manifest.Manifest;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * SHA-256 of each file that conversions wrote when they were last recorded, of all but the
 * manifest. Whoever changes a byte of what is written, changes a line of the list.
 *
 * @param list a line for each file: the conversion, the file and its digest, with tabs between
 * @param recording whether what conversions write is taken down, not compared
 */
public record RecordedDigests(Path list, boolean recording) {
  private static final RecordedDigests OF_THE_FIXTURES =
      new RecordedDigests(
          Path.of("src/test/resources/digests.txt"),
          System.getProperty("digests", "").equals("record"));

  /** Those of what the test resources are converted to. */
  public static RecordedDigests ofTheFixtures() {
    return OF_THE_FIXTURES;
  }

  /**
   * Asserts that a conversion wrote what it wrote before.
   *
   * @param conversion its name, one for each conversion that is compared: what was converted, how
   * @param output its folder
   */
  public void assertSame(String conversion, Path output) throws IOException {
    Map<String, String> actual = Fixtures.digests(output, Fixtures::sha256);
    actual.remove(Manifest.FILE_NAME);
    if (recording) {
      record(conversion, actual);
      return;
    }
    Map<String, String> expected = new TreeMap<>();
    for (String line : Files.readAllLines(list)) {
      String[] columns = line.split("\t", -1);
      if (columns[0].equals(conversion)) {
        expected.put(columns[1], columns[2]);
      }
    }
    TreeSet<String> different = new TreeSet<>(expected.keySet());
    different.addAll(actual.keySet());
    different.removeIf(file -> actual.getOrDefault(file, "").equals(expected.get(file)));
    assertEquals(
        "",
        String.join(", ", different),
        () ->
            "the files of '"
                + conversion
                + "' that are not as in "
                + list
                + (expected.isEmpty() ? ", which knows none of them" : "")
                + "; if they shall be so, record them: run this test with -Ddigests=record");
  }

  /** Other processes may record at the same time. */
  private void record(String conversion, Map<String, String> digests) throws IOException {
    try (FileChannel file =
        FileChannel.open(
            list, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      file.lock();
      String old = new String(Channels.newInputStream(file).readAllBytes(), StandardCharsets.UTF_8);
      TreeSet<String> lines = new TreeSet<>(old.lines().toList());
      lines.removeIf(line -> line.startsWith(conversion + "\t"));
      digests.forEach((name, digest) -> lines.add(conversion + "\t" + name + "\t" + digest));
      file.truncate(0);
      Channels.newOutputStream(file)
          .write((String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8));
    }
  }
}
