package dev.reweave.cli;

import dev.reweave.look.bug.BugReport;
import dev.reweave.look.bug.Placeholders;
import dev.reweave.manifest.Versions;
import dev.reweave.spark.SparkSessions;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.util.VersionInfo;
import org.apache.spark.SparkConf;
import scala.Tuple2;

/** What a bug report tells of the program's versions, machine and settings. */
final class Surroundings {
  private static final String HADOOP = "spark.hadoop.";

  /** In place of a value. */
  private static final String SET = "(set)";

  /** Settings whose values are numbers, sizes and kinds. */
  private static final Pattern SHOWN =
      Pattern.compile(
          "spark\\.(?:master|submit\\.deployMode|task\\.(?:maxFailures|cpus)|default\\.parallelism"
              + "|(?:executor|driver)\\.(?:cores|instances|memory|memoryOverhead|maxResultSize)"
              + "|dynamicAllocation\\.(?:enabled|minExecutors|maxExecutors)|speculation"
              + "|scheduler\\.mode|locality\\.wait|serializer)"
              + "|fs\\.s3a\\.(?:path\\.style\\.access|connection\\.ssl\\.enabled|connection\\.maximum"
              + "|connection\\.timeout|attempts\\.maximum|retry\\.limit|retry\\.interval|threads\\.max"
              + "|multipart\\.size|block\\.size|fast\\.upload\\.buffer|change\\.detection\\.mode"
              + "|change\\.detection\\.source|experimental\\.input\\.fadvise)");

  /** Settings whose keys end in names that users choose. */
  private static final Pattern NAMED =
      Pattern.compile(
          "(fs\\.s3a\\.bucket\\.|fs\\.azure\\.[a-z.]*?(?:key|type|provider|id|secret|endpoint)\\."
              + "|spark\\.executorEnv\\.|spark\\.yarn\\.appMasterEnv\\.|spark\\.kubernetes\\.).*");

  private static final Pattern KNOWN = Pattern.compile("(?:spark|fs)\\.[A-Za-z0-9.-]+");

  /** Names of settings and variables that hold credentials. */
  private static final Pattern SECRET =
      Pattern.compile(
          "(?i).*(?:secret|token|passw|credential(?!s\\.provider)|[._-]key(?:id)?$|[._-]key[._-].*).*");

  private Surroundings() {}

  /** Tells the placeholders whose machine this is. */
  static void register(Placeholders names) {
    names.home(System.getProperty("user.home", ""));
    names.user(System.getProperty("user.name", ""));
    names.address(System.getProperty("user.dir", ""));
    Map<String, String> environment = System.getenv();
    for (String variable : Arrays.asList("HOSTNAME", "SPARK_LOCAL_HOSTNAME", "SPARK_PUBLIC_DNS")) {
      names.host(environment.getOrDefault(variable, ""));
    }
    for (String variable : Arrays.asList("USER", "LOGNAME", "SPARK_USER", "HADOOP_USER_NAME")) {
      names.user(environment.getOrDefault(variable, ""));
    }
    environment.forEach(
        (name, value) -> {
          if (SECRET.matcher(name).matches()) {
            names.credential(value);
          }
        });
    try {
      InetAddress here = InetAddress.getLocalHost();
      names.host(here.getHostName());
      names.host(here.getCanonicalHostName());
      names.host(here.getHostAddress());
    } catch (UnknownHostException e) {
      // A machine that does not know its own name cannot show it.
    }
    settings().forEach((key, value) -> register(key, value, names));
  }

  private static void register(String key, String value, Placeholders names) {
    if (SECRET.matcher(key).matches()) {
      names.credential(value);
    } else if (key.endsWith(".endpoint") && !value.contains("/")) {
      names.host(value);
    } else if (value.contains("://")) {
      names.address(value);
    }
  }

  static BugReport.Surroundings read(Placeholders names) {
    Map<String, String> versions = new TreeMap<>();
    versions.put("reweave", Versions.reweave());
    Versions.commit().ifPresent(commit -> versions.put("commit", commit));
    versions.put("spark", org.apache.spark.package$.MODULE$.SPARK_VERSION());
    versions.put("scala", scala.util.Properties.versionNumberString());
    versions.put("hadoop", VersionInfo.getVersion());
    versions.put("java", property("java.version") + " " + property("java.vm.name"));
    versions.put(
        "os", property("os.name") + " " + property("os.version") + " " + property("os.arch"));
    Map<String, String> shown = new TreeMap<>();
    settings()
        .forEach(
            (key, value) -> {
              if (NAMED.matcher(key).matches()) {
                shown.put(NAMED.matcher(key).replaceAll("$1…"), SET);
              } else if (KNOWN.matcher(key).matches()) {
                shown.put(names.text(key), SHOWN.matcher(key).matches() ? value : SET);
              }
            });
    Runtime here = Runtime.getRuntime();
    return new BugReport.Surroundings(
        versions, here.availableProcessors(), here.maxMemory(), shown);
  }

  private static String property(String name) {
    return System.getProperty(name, "unknown").toLowerCase(Locale.ROOT);
  }

  /** Spark's and those of file systems that somebody has set, without their prefix for Spark. */
  private static Map<String, String> settings() {
    Map<String, String> settings = new TreeMap<>();
    Configuration hadoop = SparkSessions.hadoopConfiguration();
    for (Map.Entry<String, String> setting : hadoop) {
      String[] sources = hadoop.getPropertySources(setting.getKey());
      boolean isDefault =
          sources != null
              && sources.length > 0
              && sources[sources.length - 1].endsWith("-default.xml");
      if (setting.getKey().startsWith("fs.") && !isDefault) {
        settings.put(setting.getKey(), setting.getValue());
      }
    }
    for (Tuple2<String, String> setting : new SparkConf().getAll()) {
      if (!setting._1().startsWith(HADOOP)) {
        settings.put(setting._1(), setting._2());
      }
    }
    return settings;
  }
}
