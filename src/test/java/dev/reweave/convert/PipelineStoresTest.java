package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.look.compare.Verification;
import dev.reweave.manifest.Manifest;
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
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pipelines where checkpoint, base and result are in other stores than local disks. */
class PipelineStoresTest {
  private static final String FIXTURE = "cog_z3_bf16_w2";

  @TempDir static Path temp;
  private static Configuration conf;
  private static String bucket;
  private static FileSystem s3;
  private static Map<String, String> expected;

  @BeforeAll
  static void start() throws IOException {
    conf = new Configuration(TestSpark.context().hadoopConfiguration());
    S3Server.shared().configure(conf);
    bucket = S3Server.shared().newBucket();
    s3 = FileSystem.get(URI.create("s3a://" + bucket), conf);
    Path local = temp.resolve("local");
    Converting.between(Fixtures.folder(FIXTURE).resolve("ckpt"), local)
        .base(Fixtures.folder("base_pipeline"))
        .run();
    expected = Fixtures.digests(local);
    expected.remove(Manifest.FILE_NAME);
    assertEquals(6, expected.size());
  }

  private static String put(FileSystem fs, String fixture, String place) throws IOException {
    return HadoopFiles.copy(Fixtures.folder(fixture), fs, place + "/" + fixture);
  }

  private static void convert(FileSystem from, FileSystem to, String name) throws IOException {
    Stores stores = new Stores(conf);
    String input = put(from, FIXTURE + "/ckpt", "/pipelines/" + name);
    String base = put(from, "base_pipeline", "/pipelines/" + name);
    String output = to.getUri() + "/pipelines/out/" + name;

    Converting.between(input, output).base(base).in(stores).run();

    Map<String, String> made = HadoopFiles.digests(to, output);
    assertTrue(made.remove(Manifest.FILE_NAME) != null, "no manifest");
    assertEquals(expected, made);
    Verification.Result verified =
        new Verification(TestSpark.cluster(), stores).run(Locations.of(output));
    assertEquals(List.of(), verified.problems());
    assertTrue(verified.checksums());
    assertEquals(List.of(), S3Server.shared().pendingUploads(bucket));
  }

  @Test
  void withinS3() throws IOException {
    convert(s3, s3, "s3");
  }

  @Test
  void withinHdfs() throws IOException {
    convert(TestHdfs.fileSystem(), TestHdfs.fileSystem(), "hdfs");
  }

  @Test
  void fromHdfsToS3() throws IOException {
    convert(TestHdfs.fileSystem(), s3, "hdfs-to-s3");
  }

  @Test
  void hdfsHasNoNamesWithAColon() throws IOException {
    Path base = Fixtures.copy(Fixtures.folder("base_pipeline"), temp.resolve("base"));
    Files.writeString(base.resolve("step:3"), "three");
    String output = TestHdfs.fileSystem().getUri() + "/pipelines/out/colon";

    ReweaveException failure =
        assertThrows(
            ReweaveException.class,
            () ->
                Converting.between(Fixtures.folder(FIXTURE + "/ckpt"), output)
                    .base(base)
                    .in(new Stores(conf))
                    .run());

    assertEquals(
        "HDFS has no names with a colon, as this file of the base has one: step:3; rename it there,"
            + " or name an output in another store",
        failure.getMessage());
    assertFalse(TestHdfs.fileSystem().exists(new org.apache.hadoop.fs.Path(output)));
  }
}
