package dev.reweave.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.common.ReweaveException.Kind;
import dev.reweave.testing.Locations;
import dev.reweave.testing.S3Server;
import dev.reweave.testing.TestHdfs;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.ipc.RemoteException;
import org.apache.hadoop.security.AccessControlException;
import org.junit.jupiter.api.Test;

/** What is said of failures of real stores, and of some that only their clients can make. */
class StoreFailuresTest {
  private static Stores s3() {
    Configuration conf = new Configuration();
    S3Server.shared().configure(conf);
    return new Stores(conf);
  }

  @Test
  void aBucketThatIsNotThere() throws IOException {
    String bucket = "none-" + UUID.randomUUID();
    String address = "s3a://" + bucket + "/models/a";
    Stores stores = s3();
    OutputFolder output = stores.outputFolder(Locations.of(address));

    for (ReweaveException e :
        List.of(
            assertThrows(ReweaveException.class, () -> stores.file(Locations.of(address))),
            assertThrows(ReweaveException.class, () -> stores.list(Locations.of(address))),
            assertThrows(ReweaveException.class, output::names),
            assertThrows(ReweaveException.class, () -> output.publish("a.json", new byte[] {1})))) {
      assertEquals(Kind.NOT_FOUND, e.kind(), e::getMessage);
      assertEquals("no such bucket", e.problem());
      assertTrue(e.place().startsWith(address), e::getMessage);
      assertTrue(e.remedy().endsWith("or make the bucket"), e::getMessage);
    }

    S3Server.shared().createBucket(bucket);
    output.publish("a.json", "{}".getBytes(StandardCharsets.UTF_8));
    assertEquals(List.of("a.json"), output.names());
  }

  @Test
  void whatANameNodeThrowsIsToldInItsFirstLine() throws IOException {
    Stores stores = new Stores(TestHdfs.configuration());
    OutputFolder output =
        stores.outputFolder(
            Locations.of(TestHdfs.fileSystem().getUri() + "/failures/" + UUID.randomUUID()));

    ReweaveException e =
        assertThrows(ReweaveException.class, () -> output.publish("n".repeat(300), new byte[] {1}));

    assertEquals(Kind.STORE_FAILED, e.kind());
    assertTrue(
        e.problem().matches("cannot write \\(The maximum path component name limit of n+ in .*\\)"),
        e::getMessage);
    assertFalse(e.getMessage().contains("\\n"), e::getMessage);
    assertFalse(e.getMessage().contains("org.apache.hadoop"), e::getMessage);
  }

  @Test
  void aNameThatIsNotKnown() {
    ReweaveException e =
        assertThrows(
            ReweaveException.class, () -> s3().file(Locations.of("hdfs://no-such.invalid/a")));

    assertEquals(Kind.STORE_FAILED, e.kind(), e::getMessage);
    assertEquals("no machine and no service of this name is known", e.problem());
    assertTrue(e.remedy().contains("set HADOOP_CONF_DIR"), e::getMessage);
  }

  private static ReweaveException remote(Class<?> thrown, String line) {
    return StoreFailures.unreadable(
        "hdfs://a/b",
        new RemoteException(thrown.getName(), line + "\n\tat org.apache.hadoop.A.b(A.java:1)"));
  }

  @Test
  void whatANameNodeThrowsKeepsItsKind() {
    assertEquals(Kind.NOT_FOUND, remote(FileNotFoundException.class, "/b").kind());
    assertEquals(Kind.ACCESS_DENIED, remote(AccessControlException.class, "no").kind());
    ReweaveException unknown = remote(StoreFailuresTest.class, "Name node is in safe mode.");
    assertEquals(Kind.STORE_FAILED, unknown.kind());
    assertEquals("cannot read (Name node is in safe mode.)", unknown.problem());
  }

  @Test
  void nothingIsSaidTwice() {
    IOException twice =
        new IOException(
            "open s3a://b/k: SdkException: The service is on fire (Status Code: 500):InternalError:"
                + " The service is on fire (Status Code: 500)\n\nmore");

    assertEquals(
        "cannot read (open s3a://b/k: SdkException: The service is on fire (Status Code:"
            + " 500):InternalError)",
        StoreFailures.unreadable("s3a://b/k", twice).problem());
    assertEquals(
        "cannot write (IOException)",
        StoreFailures.unwritable("s3a://b/k", new IOException()).problem());
  }
}
