package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Field;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.s3a.Constants;
import org.apache.spark.internal.config.ConfigEntry;

/** Names of settings that the versions on the class path know. */
final class KnownSettings {
  private static final String HADOOP = "spark.hadoop.";

  /** Of connectors that are not on the class path. */
  private static final List<String> FOREIGN =
      List.of("fs.gs.", "fs.AbstractFileSystem.gs.", "fs.azure.");

  /** With the names of an example behind them. */
  private static final List<String> FAMILIES =
      List.of("dfs.ha.namenodes", "dfs.namenode.rpc-address", "dfs.client.failover.proxy.provider");

  private static final Set<String> HADOOP_NAMES = hadoopNames();

  private KnownSettings() {}

  /** Fails if the setting is misspelt. */
  static void require(String name) {
    if (name.startsWith(HADOOP)) {
      String hadoop = name.substring(HADOOP.length());
      assertTrue(
          FOREIGN.stream().anyMatch(hadoop::startsWith)
              || FAMILIES.stream().anyMatch(family -> hadoop.startsWith(family + "."))
              || HADOOP_NAMES.contains(hadoop),
          name);
    } else {
      // Its initializer registers the entries.
      assertNotNull(org.apache.spark.internal.config.package$.MODULE$);
      assertNotNull(ConfigEntry.findEntry(name), name);
    }
  }

  private static Set<String> hadoopNames() {
    Configuration defaults = new Configuration(false);
    // Some are listed without a value.
    defaults.setAllowNullValueProperties(true);
    defaults.addResource("core-default.xml");
    defaults.addResource("hdfs-default.xml");
    Set<String> names = new HashSet<>();
    defaults.forEach(setting -> names.add(setting.getKey()));
    // S3A's are not all in there.
    for (Field constant : Constants.class.getFields()) {
      if (constant.getType() == String.class) {
        names.add(text(constant));
      }
    }
    return names;
  }

  private static String text(Field constant) {
    try {
      return (String) constant.get(null);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e);
    }
  }
}
