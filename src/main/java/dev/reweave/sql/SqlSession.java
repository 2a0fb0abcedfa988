package dev.reweave.sql;

import dev.reweave.spark.Cluster;
import dev.reweave.storage.Stores;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.spark.sql.SparkSession;
import scala.jdk.javaapi.CollectionConverters;

/** What a session for SQL gives, and one for an application that has none of its own. */
final class SqlSession {
  private static final String WAREHOUSE = "spark.sql.warehouse.dir";

  private SqlSession() {}

  /** Spark makes a folder for tables of its own, by default where the process was started. */
  static SparkSession of(Cluster cluster, Stores stores) {
    SparkSession.Builder builder = SparkSession.builder();
    if (SparkSession.getDefaultSession().isEmpty()
        && !cluster.context().getConf().contains(WAREHOUSE)) {
      try {
        Path folder = Files.createTempDirectory("reweave-sql-");
        folder.toFile().deleteOnExit();
        builder.config(WAREHOUSE, folder.toUri().toString());
      } catch (IOException e) {
        throw Stores.unwritable(stores.locate(System.getProperty("java.io.tmpdir")), e);
      }
    }
    return builder.getOrCreate();
  }

  /** Stores with the settings of the cluster, of the session that asks, and of its query. */
  static Stores stores(SourceOptions source) {
    SparkSession session = SparkSession.active();
    return new Stores(
        source.configuration(
            session.sparkContext().hadoopConfiguration(),
            CollectionConverters.asJava(session.conf().getAll())));
  }
}
