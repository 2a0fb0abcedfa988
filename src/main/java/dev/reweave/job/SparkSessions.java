package dev.reweave.job;

import dev.reweave.Redacted;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import scala.Tuple2;

/** Starts Spark as Reweave needs it: on this machine unless spark-submit says otherwise. */
public final class SparkSessions {
  private static final String MASTER = "spark.master";
  private static final String PLUGINS = "spark.plugins";

  private SparkSessions() {}

  /** The settings of Hadoop's file systems, for work that needs no Spark context. */
  public static Configuration hadoopConfiguration() {
    Configuration hadoop = new Configuration();
    for (Tuple2<String, String> setting : new SparkConf().getAllWithPrefix("spark.hadoop.")) {
      hadoop.set(setting._1(), setting._2());
    }
    return hadoop;
  }

  /** A context with the settings of spark-submit, or an embedded one on all cores. */
  public static JavaSparkContext start(String name) {
    SparkConf conf = new SparkConf().setAppName(Redacted.text(name));
    conf.setIfMissing(MASTER, "local[*]");
    if (conf.get(MASTER).startsWith("local")) {
      // An embedded run serves nobody: no page, and no address that a firewall could refuse.
      conf.setIfMissing("spark.ui.enabled", "false");
      conf.setIfMissing("spark.driver.host", "127.0.0.1");
      conf.setIfMissing("spark.driver.bindAddress", "127.0.0.1");
    }
    String metrics = ReweaveMetricsPlugin.class.getName();
    String plugins = conf.get(PLUGINS, "");
    if (!List.of(plugins.split("\\s*,\\s*", -1)).contains(metrics)) {
      conf.set(PLUGINS, plugins.isBlank() ? metrics : plugins + "," + metrics);
    }
    return new JavaSparkContext(conf);
  }
}
