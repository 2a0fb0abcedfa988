package dev.reweave.spark;

import static org.apache.hadoop.fs.CommonConfigurationKeysPublic.IO_FILE_BUFFER_SIZE_KEY;

import dev.reweave.common.Location;
import dev.reweave.common.Progress;
import dev.reweave.common.Redacted;
import dev.reweave.common.ReweaveException;
import dev.reweave.common.UnfitJava;
import dev.reweave.storage.Stores;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hdfs.HdfsConfiguration;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkContext$;
import org.apache.spark.api.java.JavaSparkContext;
import scala.Tuple2;
import scala.runtime.BoxedUnit;

/** Starts Spark as Reweave needs it: on this machine unless spark-submit says otherwise. */
public final class SparkSessions {
  private static final String MASTER = "spark.master";
  private static final String MARK = "spark.reweave.start";
  private static final String PLUGINS = "spark.plugins";
  private static final String HADOOP = "spark.hadoop.";

  /** Bytes that Spark lets Hadoop buffer. */
  private static final String BUFFER = "65536";

  private static final String AWS_KEY = "AWS_ACCESS_KEY_ID";
  private static final String AWS_SECRET = "AWS_SECRET_ACCESS_KEY";

  /** Spark's reading of the environment, where it holds keys: variables and the settings of S3A. */
  private static final Map<String, String> AWS =
      Map.of(
          AWS_KEY,
          "fs.s3a.access.key",
          AWS_SECRET,
          "fs.s3a.secret.key",
          "AWS_SESSION_TOKEN",
          "fs.s3a.session.token",
          "AWS_ENDPOINT_URL",
          "fs.s3a.endpoint");

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
    private final BooleanSupplier ours;

    private Session(Cluster cluster, BooleanSupplier ours) {
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
      if (ours.getAsBoolean()) {
        cluster.context().close();
      }
    }
  }

  /** Ends all work that goes on in this process: whoever waits for it is told that it failed. */
  public static void stopWork() {
    SparkContext$.MODULE$
        .getActive()
        .foreach(
            context -> {
              context.stop();
              return BoxedUnit.UNIT;
            });
  }

  /** Reads ahead, on a thread of its own, what every command asks for that touches a store. */
  public static void readAhead() {
    Thread thread = new Thread(SparkSessions::hadoopConfiguration, "read settings");
    thread.setDaemon(true);
    thread.start();
  }

  /** The settings of Hadoop's file systems, for work that needs no Spark context. */
  public static Configuration hadoopConfiguration() {
    return hadoopConfiguration(System.getProperties(), System.getenv());
  }

  /**
   * As a Spark context has them.
   *
   * @param properties of the process, Spark's among them
   */
  static Configuration hadoopConfiguration(Properties properties, Map<String, String> environment) {
    Configuration hadoop = new Configuration(Defaults.HADOOP);
    hadoop.set(IO_FILE_BUFFER_SIZE_KEY, properties.getProperty("spark.buffer.size", BUFFER));
    if (environment.containsKey(AWS_KEY) && environment.containsKey(AWS_SECRET)) {
      AWS.forEach(
          (variable, key) ->
              Optional.ofNullable(environment.get(variable)).ifPresent(v -> hadoop.set(key, v)));
    }
    for (String key : properties.stringPropertyNames()) {
      if (key.startsWith(HADOOP)) {
        hadoop.set(key.substring(HADOOP.length()), properties.getProperty(key));
      }
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

  /**
   * A context with the settings of spark-submit, or an embedded one on all cores. That takes as
   * long to start as a small checkpoint to be read: both are done at once.
   *
   * @param progress that work on it tells how far it has come
   */
  public static Session start(String name, Progress progress) {
    String mark = UUID.randomUUID().toString();
    // Services for notebooks and jobs have one context in each process, and must keep it.
    if (isOneMachine(master()) && SparkContext$.MODULE$.getActive().isEmpty()) {
      Starting starting = new Starting(() -> context(conf(name, mark)));
      return new Session(
          Cluster.embedded(starting::context, hadoopConfiguration(), progress),
          () -> starting.hasStarted() && isMarked(starting.context().sc(), mark));
    }
    SparkContext context = context(conf(name, mark));
    boolean ours = isMarked(context, mark);
    return new Session(
        new Cluster(JavaSparkContext.fromSparkContext(context), progress), () -> ours);
  }

  private static SparkConf conf(String name, String mark) {
    SparkConf conf =
        new SparkConf().setMaster(master()).setAppName(Redacted.text(name)).set(MARK, mark);
    if (isOneMachine(master())) {
      // An embedded run serves nobody: no page, and no address that a firewall could refuse.
      conf.setIfMissing("spark.ui.enabled", "false");
      conf.setIfMissing("spark.driver.host", "127.0.0.1");
      conf.setIfMissing("spark.driver.bindAddress", "127.0.0.1");
      // How far long tasks have come is told with the executors' signs of life.
      conf.setIfMissing("spark.executor.heartbeatInterval", "1s");
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
    return conf;
  }

  private static boolean isMarked(SparkContext context, String mark) {
    return context.getConf().get(MARK, "").equals(mark);
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
      throw SparkFailures.notStarted(StartFailure.reason(e), conf.get(MASTER), e);
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
      requireReachable(master(), new Stores(hadoopConfiguration()), addresses);
    }
  }

  static void requireReachable(String master, Stores stores, List<Location> addresses) {
    for (Location address : isOneMachine(master) ? List.<Location>of() : addresses) {
      if (stores.isOnThisMachine(address)) {
        throw SparkFailures.localPath(master, address);
      }
    }
  }

  /** Spark's settings are properties of the process; its own reader of them starts slowly. */
  private static String master() {
    return System.getProperty(MASTER, "local[*]");
  }

  /** Not {@code local-cluster[…]}, whose executors are processes as on any cluster. */
  private static boolean isOneMachine(String master) {
    return master.equals("local") || master.startsWith("local[");
  }
}
