package dev.reweave.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the benchmark says follows from what Spark logged. */
class ScalingBenchmarkTest {
  @TempDir Path temp;

  private static String jobStart(String description, long time) {
    return "{\"Event\":\"SparkListenerJobStart\",\"Submission Time\":"
        + time
        + ",\"Properties\":{\"spark.job.description\":\""
        + description
        + "\"}}";
  }

  private static String jobEnd(long time) {
    return "{\"Event\":\"SparkListenerJobEnd\",\"Completion Time\":" + time + "}";
  }

  private Path log(String... events) throws IOException {
    Path folder = Files.createDirectories(temp.resolve("eventlog_v2_app-1"));
    Files.write(folder.resolve("appstatus_app-1"), new byte[0]);
    Files.write(folder.resolve("events_1_app-1"), List.of(events));
    Files.write(folder.resolve(".events_1_app-1.crc"), new byte[] {'c', 'r', 'c', 0});
    return temp;
  }

  @Test
  void workIsFromTheFirstChunkUntilTheResultIsVisible() throws IOException {
    WorkTimes times =
        WorkTimes.read(
            log(
                jobStart("read metadata of 8 files", 1_000),
                jobEnd(4_000),
                jobStart("convert: all 2 shards", 5_000),
                "{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":1}",
                jobEnd(24_000),
                jobStart("check 8 input files", 24_100),
                jobEnd(25_000)),
            26_500);

    assertEquals(new WorkTimes(5_000, 25_000, 26_500), times);
    assertEquals(21.5, times.seconds());
    assertEquals(20.0, times.taskSeconds());
  }

  @Test
  void aRunThatDidNotEndHasNoTimes() {
    IllegalArgumentException refused =
        assertThrows(
            IllegalArgumentException.class,
            () -> WorkTimes.read(log(jobStart("convert: all 2 shards", 5_000)), 6_000));
    assertEquals("no conversion that came to its end: 5000, 0, 6000", refused.getMessage());
  }

  @Test
  void theTableIsOfMediansAndComparesWithTheFewest() {
    ScalingTable table = new ScalingTable(600_000_000);
    table.add(1, 100, 99);
    table.add(4, 26, 24);
    table.add(2, 50, 48);
    table.add(4, 31, 30);
    table.add(4, 25, 23);

    assertEquals(2, table.speedUp(2));
    assertEquals(1, table.partOfLinear(2));
    assertEquals(
        """
        | executors | runs | seconds of work | of them tasks | MB/s | speed-up | of linear |
        |---|---|---|---|---|---|---|
        | 1 | 1 | 100.0 | 99.0 | 6.0 | 1.00 | 100.0 % |
        | 2 | 1 | 50.0 | 48.0 | 12.0 | 2.00 | 100.0 % |
        | 4 | 3 | 26.0 | 24.0 | 23.1 | 3.85 | 96.2 % |
        """,
        table.text());
  }

  @Test
  void anEvenNumberOfRunsHasAMedianBetweenThem() {
    ScalingTable table = new ScalingTable(1);
    table.add(1, 90, 90);
    table.add(1, 110, 110);
    table.add(2, 62.5, 60);

    assertEquals(0.8, table.partOfLinear(2));
  }
}
