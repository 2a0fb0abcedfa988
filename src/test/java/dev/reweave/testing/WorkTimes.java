package dev.reweave.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * When a conversion did what; in milliseconds since the epoch.
 *
 * @param begin when the first chunk was handed to Spark
 * @param tasksEnd when the last of all tasks had ended
 * @param published when the last file of the result was visible
 */
public record WorkTimes(long begin, long tasksEnd, long published) {
  private static final String CONVERSION = "convert: ";

  /** Refuses times that are out of order, or missing. */
  public WorkTimes {
    if (begin <= 0 || tasksEnd < begin || published < tasksEnd) {
      throw new IllegalArgumentException(
          "no conversion that came to its end: " + begin + ", " + tasksEnd + ", " + published);
    }
  }

  /**
   * Reads Spark's event log of a conversion.
   *
   * @param folder that holds no other log
   * @param published when the last file of the result was visible
   */
  public static WorkTimes read(Path folder, long published) throws IOException {
    long begin = 0;
    long tasksEnd = 0;
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
            default -> {
              // Of executors, stages and tasks.
            }
          }
        }
      }
    }
    return new WorkTimes(begin, tasksEnd, published);
  }

  /** Seconds in which bytes were read, cast, written, checked and published. */
  public double seconds() {
    return (published - begin) / 1000.0;
  }

  /** Seconds of them before the driver was alone with the last files. */
  public double taskSeconds() {
    return (tasksEnd - begin) / 1000.0;
  }

  private static boolean isLog(Path file) {
    return Files.isRegularFile(file)
        && !file.toString().endsWith(".crc")
        && !file.getFileName().toString().startsWith("appstatus");
  }
}
