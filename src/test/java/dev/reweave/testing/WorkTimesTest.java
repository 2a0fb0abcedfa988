package dev.reweave.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a benchmark says of a conversion follows from what Spark logged. */
class WorkTimesTest {
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
}
