package dev.reweave.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * When a conversion did what, by Spark's event log; in milliseconds since the epoch.
 *
 * @param begin when the first chunk was handed to Spark
 * @param tasksEnd when the last of all tasks had ended
 * @param end when all was published, and the driver stopped Spark
 */
record WorkTimes(long begin, long tasksEnd, long end) {
  private static final String CONVERSION = "convert ";

  WorkTimes {
    if (begin <= 0 || tasksEnd < begin || end < tasksEnd) {
      throw new IllegalArgumentException(
          "no conversion that came to its end: " + begin + ", " + tasksEnd + ", " + end);
    }
  }

  /** Reads the event log of one application, which is the only one in the folder. */
  static WorkTimes read(Path folder) throws IOException {
    long begin = 0;
    long tasksEnd = 0;
    long end = 0;
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(WorkTimes::isLog).sorted().toList()) {
        for (String line : Files.readAllLines(file)) {
          JsonNode event = new ObjectMapper().readTree(line);
          switch (event.path("Event").asText()) {
            case "SparkListenerJobStart" -> {
              JsonNode description = event.path("Properties").path("spark.job.description");
              if (begin == 0 && description.asText().startsWith(CONVERSION)) {
                begin = event.path("Submission Time").asLong();
              }
            }
            case "SparkListenerJobEnd" -> tasksEnd = event.path("Completion Time").asLong();
            case "SparkListenerApplicationEnd" -> end = event.path("Timestamp").asLong();
            default -> {
              // Of executors, stages and tasks.
            }
          }
        }
      }
    }
    return new WorkTimes(begin, tasksEnd, end);
  }

  /** Seconds in which bytes were read, cast, written, checked and published. */
  double seconds() {
    return (end - begin) / 1000.0;
  }

  /** Seconds of them before the driver was alone with the last files. */
  double taskSeconds() {
    return (tasksEnd - begin) / 1000.0;
  }

  private static boolean isLog(Path file) {
    return Files.isRegularFile(file)
        && !file.toString().endsWith(".crc")
        && !List.of("appstatus").contains(file.getFileName().toString().split("_", 2)[0]);
  }
}
