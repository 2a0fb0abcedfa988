package dev.reweave.spark;

import dev.reweave.common.Location;
import dev.reweave.common.Redacted;
import dev.reweave.common.ReweaveException;
import dev.reweave.common.UnfitJava;
import dev.reweave.storage.Stores;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hdfs.HdfsConfiguration;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaSparkContext;
import scala.Tuple2;

/** Starts Spark as Reweave needs it: on this machine unless spark-submit says otherwise. */
public final class SparkSessions {
  private static final String MASTER = "spark.master";
  private static final String MARK = "spark.reweave.start";
  private static final String PLUGINS = "spark.plugins";

  private SparkSessions() {}

  /**
   * Hadoop's own settings and those of its folder: read once, as that takes a tenth of a second.
   */
  private static final class Defaults {
    static final Configuration HADOOP = read();

    private static Configuration read() {
      // HDFS adds files of its own as soon as any store is asked for, and all are read again.
      HdfsConfiguration.init();
      Configuration settings = new Configuration();
      // They are read when the first one is asked for, and copied with all that was read.
      settings.size();
      return settings;
    }
  }

  /** A context that works, until it is closed. */
  public static final class Session implements AutoCloseable {
    private final Cluster cluster;
    private final boolean ours;

    private Session(Cluster cluster, boolean ours) {
      this.cluster = cluster;
      this.ours = ours;
    }

    /** The machines that it has. */
    public Cluster cluster() {
      return cluster;
    }

    /** Stops Spark, unless others had started it in this process and need it further on. */
    @Override
    public void close() {
      if (ours) {
        cluster.context().close();
      }
    }
  }

  /** The settings of Hadoop's file systems, for work that needs no Spark context. */
  public static Configuration hadoopConfiguration() {
    Configuration hadoop = new Configuration(Defaults.HADOOP);
    for (Tuple2<String, String> setting : new SparkConf().getAllWithPrefix("spark.hadoop.")) {
      hadoop.set(setting._1(), setting._2());
    }
    return hadoop;
  }

  /** What somebody has set of Spark, by key. */
  public static Map<String, String> settings() {
    Map<String, String> settings = new TreeMap<>();
    for (Tuple2<String, String> setting : new SparkConf().getAll()) {
      settings.put(setting._1(), setting._2());
    }
    return settings;
  }

  /** Versions of Spark and of what it stands on, by name. */
  public static Map<String, String> versions() {
    return Map.of(
        "spark",
        org.apache.spark.package$.MODULE$.SPARK_VERSION(),
        "scala",
        scala.util.Properties.versionNumberString());
  }

  /** A context with the settings of spark-submit, or an embedded one on all cores. */
  public static Session start(String name) {
    String mark = UUID.randomUUID().toString();
    SparkConf conf = conf().setAppName(Redacted.text(name)).set(MARK, mark);
    if (isOneMachine(conf.get(MASTER))) {
      // An embedded run serves nobody: no page, and no address that a firewall could refuse.
      conf.setIfMissing("spark.ui.enabled", "false");
      conf.setIfMissing("spark.driver.host", "127.0.0.1");
      conf.setIfMissing("spark.driver.bindAddress", "127.0.0.1");
    }
    // A chunk that is read from another machine is sooner done than one that waits for its own.
    conf.setIfMissing("spark.locality.wait", "0s");
    // A result that is published does not wait for an executor that stands still to forget it.
    conf.setIfMissing("spark.cleaner.referenceTracking.blocking", "false");
    String metrics = ReweaveMetricsPlugin.class.getName();
    String plugins = conf.get(PLUGINS, "");
    if (!List.of(plugins.split("\\s*,\\s*", -1)).contains(metrics)) {
      conf.set(PLUGINS, plugins.isBlank() ? metrics : plugins + "," + metrics);
    }
    // Services for notebooks and jobs have one context in each process, and must keep it.
    SparkContext context = context(conf);
    return new Session(
        new Cluster(JavaSparkContext.fromSparkContext(context)),
        context.getConf().get(MARK, "").equals(mark));
  }

  private static SparkContext context(SparkConf conf) {
    try {
      return SparkContext.getOrCreate(conf);
    } catch (Exception e) { // Spark throws checked ones without saying so.
      if (String.valueOf(e.getMessage()).contains("memory")
          && String.valueOf(e.getMessage()).contains("must be at least")) {
        throw tooSmall(conf, e);
      }
      Optional<ReweaveException> java = UnfitJava.in(e, conf.get(MASTER));
      if (java.isPresent()) {
        throw java.get();
      }
      throw SparkFailures.notStarted(
          String.valueOf(e.getMessage()).lines().findFirst().orElse(""), conf.get(MASTER), e);
    }
  }

  /** Spark asks for more in a heap than a small conversion needs. */
  private static ReweaveException tooSmall(SparkConf conf, Exception refusal) {
    boolean executor = String.valueOf(refusal.getMessage()).contains("EXECUTOR");
    String heap =
        executor
            ? conf.get("spark.executor.memory", "")
            : (Runtime.getRuntime().maxMemory() >> 20) + " MiB";
    return SparkFailures.heapTooSmall(heap, conf.get(MASTER), refusal);
  }

  /**
   * Whether the end of the process is the business of the cluster, on which the driver was started:
   * it takes a call of {@code System.exit} for a failure, whatever the code.
   */
  public static boolean isDriverOnCluster() {
    // Spark's own reader of settings looks there, too, and takes a fifth of a second to start.
    return System.getProperty("spark.submit.deployMode", "client").equals("cluster");
  }

  /**
   * Refuses local disks for work on a cluster: most of its machines would not see them.
   *
   * @param addresses all that tasks read or write
   * @throws ReweaveException if one of them is local to this machine
   */
  public static void requireReachable(LocalFiles local, List<Location> addresses) {
    if (local == LocalFiles.OF_EACH_MACHINE) {
      requireReachable(conf().get(MASTER), new Stores(hadoopConfiguration()), addresses);
    }
  }

  static void requireReachable(String master, Stores stores, List<Location> addresses) {
    for (Location address : isOneMachine(master) ? List.<Location>of() : addresses) {
      if (stores.isOnThisMachine(address)) {
        throw SparkFailures.localPath(master, address);
      }
    }
  }

  private static SparkConf conf() {
    return new SparkConf().setIfMissing(MASTER, "local[*]");
  }

  /** Not {@code local-cluster[…]}, whose executors are processes as on any cluster. */
  private static boolean isOneMachine(String master) {
    return master.equals("local") || master.startsWith("local[");
  }
}
