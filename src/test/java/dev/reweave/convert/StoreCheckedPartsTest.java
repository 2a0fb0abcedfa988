package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.look.report.Summary;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.PlanOptions;
import dev.reweave.storage.FileDigest;
import dev.reweave.storage.Stores;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fault;
import dev.reweave.testing.FaultProxy;
import dev.reweave.testing.FaultProxy.Request;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.HadoopFiles;
import dev.reweave.testing.S3Server;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** S3 compares each part with a checksum that comes along; so nothing is read again. */
class StoreCheckedPartsTest {
  private static final int SHARDS = 3;

  /** Behind the frame of an upload's first piece, within the weights. */
  private static final int IN_THE_WEIGHTS = 200;

  @TempDir Path temp;
  private FaultProxy proxy;
  private Configuration conf;
  private String bucket;
  private FileSystem fs;

  @BeforeEach
  void start() throws IOException {
    proxy = FaultProxy.start(S3Server.shared());
    conf = new Configuration(TestSpark.context().hadoopConfiguration());
    proxy.configure(conf);
    conf.unset(S3Server.SIGNING);
    bucket = S3Server.shared().newBucket();
    fs = FileSystem.newInstance(URI.create("s3a://" + bucket), conf);
  }

  @AfterEach
  void stop() throws IOException {
    fs.close();
    proxy.close();
  }

  private static boolean isPart(Request request) {
    return request.method().equals("PUT") && request.query().startsWith("partNumber=");
  }

  private static boolean isReadBack(Request request) {
    return request.method().equals("GET") && request.path().endsWith(".safetensors");
  }

  private Manifest convert(Object output, Checks checks) {
    return Converting.between(Fixtures.folder("z2_bf16_w2/ckpt"), output)
        .planning(PlanOptions.DEFAULTS.withSizes(400, 64_000))
        .checking(checks)
        .in(new Stores(conf))
        .run()
        .manifest();
  }

  private String output() {
    return fs.getUri() + "/models/new";
  }

  private void assertMade() throws IOException {
    convert(temp.resolve("out"), Checks.DEFAULTS);
    Map<String, String> expected = Fixtures.digests(temp.resolve("out"));
    Map<String, String> made = HadoopFiles.digests(fs, output());
    assertTrue(made.remove(Manifest.FILE_NAME) != null, "no manifest");
    expected.remove(Manifest.FILE_NAME);
    assertEquals(expected, made);
    assertEquals(List.of(), S3Server.shared().pendingUploads(bucket));
  }

  @Test
  void whatTheStoreCheckedIsNotReadAgain() throws IOException {
    Manifest manifest = convert(output(), Checks.DEFAULTS);

    assertEquals(SHARDS, manifest.figures().filesCheckedByStore());
    assertEquals(0, manifest.figures().filesReadBack());
    assertEquals(0, proxy.count(StoreCheckedPartsTest::isReadBack));
    assertTrue(
        Summary.result(manifest, "out")
            .contains("       3 files of the result checked by the store as they came"),
        () -> Summary.result(manifest, "out").toString());
    assertMade();
  }

  @Test
  void itIsReadAgainIfSomebodyWantsIt() {
    Manifest manifest =
        convert(
            output(),
            new Checks(Checks.ReadBack.ALWAYS, FileDigest.Wanted.CRC32C, Checks.Nonfinite.WARN));

    assertEquals(SHARDS, manifest.figures().filesCheckedByStore());
    assertEquals(SHARDS, manifest.figures().filesReadBack());
    assertEquals(SHARDS, proxy.count(StoreCheckedPartsTest::isReadBack));
  }

  @Test
  void itIsReadAgainIfChecksumsAreSwitchedOff() {
    conf.set("fs.s3a.create.checksum.algorithm", "");

    Manifest manifest = convert(output(), Checks.DEFAULTS);

    assertEquals(0, manifest.figures().filesCheckedByStore());
    assertEquals(SHARDS, manifest.figures().filesReadBack());
    assertEquals(SHARDS, proxy.count(StoreCheckedPartsTest::isReadBack));
  }

  @Test
  void aPartThatIsDamagedOnItsWayIsSentAgain() throws IOException {
    proxy.inject(StoreCheckedPartsTest::isPart, 2, Fault.flip(IN_THE_WEIGHTS));

    Manifest manifest = convert(output(), Checks.DEFAULTS);

    assertEquals(SHARDS + 2, proxy.count(StoreCheckedPartsTest::isPart));
    assertEquals(SHARDS, manifest.figures().filesCheckedByStore());
    assertMade();
  }

  @Test
  void aLinkThatDamagesAllEndsTheRun() throws IOException {
    proxy.inject(StoreCheckedPartsTest::isPart, Integer.MAX_VALUE, Fault.flip(IN_THE_WEIGHTS));

    ReweaveException failure =
        assertThrows(ReweaveException.class, () -> convert(output(), Checks.DEFAULTS));

    proxy.clear();
    assertTrue(failure.problem().startsWith("cannot write ("), failure.getMessage());
    assertTrue(
        failure.getMessage().contains("--conf spark.hadoop.fs.s3a.create.checksum.algorithm= ("),
        failure.getMessage());
    assertEquals(Map.of(), HadoopFiles.digests(fs, "/"));
    assertEquals(List.of(), S3Server.shared().pendingUploads(bucket));
  }
}
