package dev.reweave.cli;

import dev.reweave.look.bug.BugReport;
import dev.reweave.manifest.Versions;
import dev.reweave.spark.SparkSessions;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.util.VersionInfo;

/** What a bug report tells of the program's versions, machine and settings. */
final class Surroundings {
  /** Settings whose values are numbers, sizes and kinds. */
  private static final Pattern SHOWN =
      Pattern.compile(
          "spark\\.(?:submit\\.deployMode|task\\.(?:maxFailures|cpus)|default\\.parallelism"
              + "|(?:executor|driver)\\.(?:cores|instances|memory|memoryOverhead|maxResultSize)"
              + "|dynamicAllocation\\.(?:enabled|minExecutors|maxExecutors)|speculation"
              + "|scheduler\\.mode|locality\\.wait|serializer)"
              + "|fs\\.s3a\\.(?:path\\.style\\.access|connection\\.ssl\\.enabled|connection\\.maximum"
              + "|connection\\.timeout|attempts\\.maximum|retry\\.limit|retry\\.interval|threads\\.max"
              + "|multipart\\.size|block\\.size|fast\\.upload\\.buffer|change\\.detection\\.mode"
              + "|change\\.detection\\.source|experimental\\.input\\.fadvise)");

  /** Masters that name no machine. */
  private static final Pattern MASTER = Pattern.compile("local(?:\\[[^/]*\\])?|yarn");

  private static final String MASTER_KEY = "spark.master";

  private Surroundings() {}

  static BugReport.Surroundings read() {
    Map<String, String> versions = new TreeMap<>(SparkSessions.versions());
    versions.put("reweave", Versions.reweave());
    Versions.commit().ifPresent(commit -> versions.put("commit", commit));
    versions.put("hadoop", VersionInfo.getVersion());
    versions.put("java", property("java.version") + " " + property("java.vm.name"));
    versions.put(
        "os", property("os.name") + " " + property("os.version") + " " + property("os.arch"));
    Runtime here = Runtime.getRuntime();
    return new BugReport.Surroundings(
        versions, here.availableProcessors(), here.maxMemory(), settings());
  }

  private static String property(String name) {
    return System.getProperty(name, "unknown").toLowerCase(Locale.ROOT);
  }

  /** Spark's and those of file systems that somebody has set. */
  private static Map<String, String> settings() {
    Map<String, String> settings = new TreeMap<>(SparkSessions.settings());
    Configuration hadoop = SparkSessions.hadoopConfiguration();
    for (Map.Entry<String, String> setting : hadoop) {
      String[] sources = hadoop.getPropertySources(setting.getKey());
      boolean isDefault =
          sources != null
              && sources.length > 0
              && sources[sources.length - 1].endsWith("-default.xml");
      if (!isDefault) {
        settings.put(setting.getKey(), setting.getValue());
      }
    }
    String master = settings.getOrDefault(MASTER_KEY, "");
    settings.keySet().removeIf(key -> !SHOWN.matcher(key).matches());
    if (MASTER.matcher(master).matches()) {
      settings.put(MASTER_KEY, master);
    }
    return settings;
  }
}
