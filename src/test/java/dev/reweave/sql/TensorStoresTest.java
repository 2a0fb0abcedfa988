package dev.reweave.sql;

import static dev.reweave.sql.Queries.rows;
import static dev.reweave.sql.Queries.view;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.convert.Conversion;
import dev.reweave.plan.Measuring;
import dev.reweave.storage.Stores;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.HadoopFiles;
import dev.reweave.testing.Locations;
import dev.reweave.testing.S3Server;
import dev.reweave.testing.TestHdfs;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.spark.sql.RuntimeConfig;
import org.junit.jupiter.api.Test;

/** Tables of checkpoints, and catalogs, in other stores. */
class TensorStoresTest {
  private static final String QUERY =
      "SELECT name, dtype, shape, shard, crc32c, mean FROM t ORDER BY name";

  private static List<String> local() {
    view("t", Fixtures.folder("z3_bf16_w2/ckpt"), "");
    return rows(QUERY);
  }

  @Test
  void inHdfs() throws IOException {
    FileSystem hdfs = TestHdfs.fileSystem();
    String checkpoint =
        HadoopFiles.copy(Fixtures.folder("z3_bf16_w2/ckpt"), hdfs, "/lake/checkpoint");
    List<String> expected = local();
    view("t", checkpoint, "");
    assertEquals(expected, rows(QUERY));
  }

  @Test
  void inS3() throws IOException {
    Configuration conf = new Configuration(TestSpark.context().hadoopConfiguration());
    S3Server.shared().configure(conf);
    String bucket = S3Server.shared().newBucket();
    FileSystem s3 = FileSystem.get(URI.create("s3a://" + bucket), conf);
    String checkpoint =
        HadoopFiles.copy(Fixtures.folder("z3_bf16_w2/ckpt"), s3, "/runs/checkpoint");
    List<String> expected = local();
    String options =
        S3Server.shared().settings().entrySet().stream()
            .map(setting -> ", `" + setting.getKey() + "` '" + setting.getValue() + "'")
            .collect(Collectors.joining());
    view("t", checkpoint, options);
    assertEquals(expected, rows(QUERY));

    // For Parquet files, Spark takes a session's settings; so do tables of checkpoints.
    RuntimeConfig session = TestSpark.session().conf();
    S3Server.shared().settings().forEach(session::set);
    try {
      view("t", checkpoint, "");
      assertEquals(expected, rows(QUERY));
      addToCatalog(new Stores(conf), checkpoint, s3, bucket, expected);
    } finally {
      S3Server.shared().settings().keySet().forEach(session::unset);
    }
  }

  private static void addToCatalog(
      Stores stores, String checkpoint, FileSystem s3, String bucket, List<String> expected)
      throws IOException {
    String output = s3.getUri() + "/models/new";
    String catalog = s3.getUri() + "/catalog";
    Conversion.Outcome outcome =
        new Conversion(TestSpark.cluster(), stores)
            .run(Converting.between(checkpoint, output).request(), Measuring.TENSORS);
    TensorCatalog table = new TensorCatalog(TestSpark.cluster(), stores, Locations.of(catalog));

    assertEquals(expected.size(), table.add(Converted.of(outcome, output)));
    assertEquals(0, table.add(Converted.of(outcome, output)));

    String file = "model=new/reweave-" + outcome.manifest().fingerprint() + ".parquet";
    assertEquals(Set.of(file), HadoopFiles.digests(s3, catalog).keySet());
    assertEquals(
        expected.stream().map(row -> row.replace(" null ", " model.safetensors ")).toList(),
        rows(QUERY.replace("FROM t", "FROM parquet.`" + catalog + "`")));
    assertEquals(List.of(), S3Server.shared().pendingUploads(bucket));
  }
}
