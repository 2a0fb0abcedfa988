package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.common.ReweaveException.Kind;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.PlanOptions;
import dev.reweave.storage.Stores;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fault;
import dev.reweave.testing.FaultProxy;
import dev.reweave.testing.FaultProxy.Request;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.HadoopFiles;
import dev.reweave.testing.KeptState;
import dev.reweave.testing.S3Server;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.MultipartUploader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Uploads are found by their ids, whatever a store lists and whoever may list. */
class OpenUploadsTest {
  private static final int FOREVER = Integer.MAX_VALUE;
  private static final int SHARDS = 3;

  /** As MinIO answers for any prefix that is no key. */
  private static final Fault NONE =
      Fault.answer(
          200,
          "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>");

  @TempDir Path temp;
  private KeptState kept;
  private FaultProxy proxy;
  private Configuration conf;
  private String bucket;
  private FileSystem fs;

  @BeforeEach
  void start() throws IOException {
    proxy = FaultProxy.start(S3Server.shared());
    conf = new Configuration(TestSpark.context().hadoopConfiguration());
    proxy.configure(conf);
    bucket = S3Server.shared().newBucket();
    Configuration direct = new Configuration(conf);
    S3Server.shared().configure(direct);
    fs = FileSystem.newInstance(URI.create("s3a://" + bucket), direct);
    kept = new KeptState(fs, output());
  }

  @AfterEach
  void stop() throws IOException {
    fs.close();
    FileSystem.get(fs.getUri(), conf).close();
    proxy.close();
  }

  private static boolean isList(Request r) {
    return r.method().equals("GET") && r.query().startsWith("uploads");
  }

  private static boolean isListOfParts(Request r) {
    return r.method().equals("GET") && r.query().contains("uploadId=");
  }

  private static boolean isPart(Request r) {
    return r.method().equals("PUT") && r.query().startsWith("partNumber=");
  }

  private static boolean isCompletion(Request r) {
    return r.method().equals("POST") && r.query().startsWith("uploadId=");
  }

  private static boolean isAbort(Request r) {
    return r.method().equals("DELETE") && r.query().startsWith("uploadId=");
  }

  private String output() {
    return fs.getUri() + "/models/new";
  }

  private Manifest convert(Object output) {
    return Converting.between(Fixtures.folder("z2_bf16_w2/ckpt"), output)
        .planning(PlanOptions.DEFAULTS.withSizes(400, 64_000))
        .in(new Stores(conf))
        .run()
        .manifest();
  }

  private ReweaveException failure() {
    ReweaveException failure = assertThrows(ReweaveException.class, () -> convert(output()));
    proxy.clear();
    return failure;
  }

  private void clean() {
    Stores stores = new Stores(conf);
    assertEquals(List.of(), new Cleanup(stores).run(stores.locate(output())));
  }

  private List<String> pending() throws IOException {
    return S3Server.shared().pendingUploads(bucket);
  }

  private void assertMade() throws IOException {
    convert(temp.resolve("out"));
    Map<String, String> expected = Fixtures.digests(temp.resolve("out"));
    Map<String, String> made = HadoopFiles.digests(fs, output());
    assertTrue(made.remove(Manifest.FILE_NAME) != null, "no manifest");
    expected.remove(Manifest.FILE_NAME);
    assertEquals(expected, made);
    assertEquals(List.of(), pending());
  }

  /** Leaves what a killed run leaves, as far as a store keeps it. */
  private void failWithOpenUploads() throws IOException {
    proxy.inject(OpenUploadsTest::isList, FOREVER, NONE);
    proxy.inject(OpenUploadsTest::isPart, FOREVER, Fault.status(500));
    proxy.inject(OpenUploadsTest::isAbort, FOREVER, Fault.status(403));
    ReweaveException failure = failure();
    assertEquals(SHARDS, pending().size());
    List<String> besides =
        List.of(failure.getSuppressed()).stream().map(Throwable::getMessage).toList();
    assertEquals(1, besides.size(), besides::toString);
    assertTrue(
        besides.get(0).startsWith("parts of 3 uploads stay in the store, which did not abort them"),
        besides::toString);
    assertTrue(besides.get(0).contains("s3:AbortMultipartUpload"), besides::toString);
  }

  @Test
  void aFailedRunAbortsWhatNobodyLists() throws IOException {
    proxy.inject(OpenUploadsTest::isList, FOREVER, NONE);
    proxy.inject(OpenUploadsTest::isPart, FOREVER, Fault.status(500));

    assertEquals(Kind.STORE_FAILED, failure().kind());

    assertEquals(List.of(), pending());
    assertEquals(Map.of(), HadoopFiles.digests(fs, "/"));
  }

  /** The store fails at the second of the uploads: no plan tells of the first one yet. */
  @Test
  void aRunThatFailsWhileItBeginsAbortsWhatItBegan() throws IOException {
    proxy.inject(OpenUploadsTest::isList, FOREVER, NONE);
    proxy.inject(
        r ->
            r.method().equals("POST")
                && r.query().startsWith("uploads")
                && r.path().endsWith("2-of-00003.safetensors"),
        FOREVER,
        Fault.status(403));

    assertEquals(Kind.ACCESS_DENIED, failure().kind());

    assertEquals(List.of(), pending());
    assertEquals(Map.of(), HadoopFiles.digests(fs, "/"));
  }

  /** Such a process has left its lock, and uploads that only a question for their keys finds. */
  @Test
  void whatAProcessBeganThatDiedBeforeItNotedTheIdsIsAborted() throws Exception {
    String name = "/model-00002-of-00003.safetensors";
    org.apache.hadoop.fs.Path folder = new org.apache.hadoop.fs.Path(output());
    try (MultipartUploader uploader = fs.createMultipartUploader(folder).build()) {
      var unused = uploader.startUpload(new org.apache.hadoop.fs.Path(output() + name)).get();
    }
    Process dead = new ProcessBuilder("true").start();
    dead.waitFor();
    String now = Instant.now().toString();
    try (var out = fs.create(new org.apache.hadoop.fs.Path(output() + "/.reweave.lock"))) {
      out.writeBytes(
          "{\"id\":\"x\",\"job\":\"a\",\"host\":\"%s\",\"pid\":%d,\"started\":\"%s\",\"renewed\":\"%s\"}"
              .formatted(InetAddress.getLocalHost().getHostName(), dead.pid(), now, now));
    }
    proxy.inject(r -> isList(r) && !r.query().contains("safetensors"), FOREVER, NONE);
    assertEquals(1, pending().size());

    var unused = convert(output());

    proxy.clear();
    assertMade();
  }

  @Test
  void cleanAbortsWhatNobodyLists() throws IOException {
    failWithOpenUploads();
    proxy.inject(OpenUploadsTest::isList, FOREVER, NONE);

    clean();

    assertEquals(List.of(), pending());
    assertEquals(Map.of(), HadoopFiles.digests(fs, "/"));
  }

  @Test
  void cleanTellsOfWhatItCannotAbortAndCanBeRepeated() throws IOException {
    failWithOpenUploads();
    proxy.inject(OpenUploadsTest::isList, FOREVER, NONE);
    proxy.inject(OpenUploadsTest::isAbort, FOREVER, Fault.status(403));

    ReweaveException told = assertThrows(ReweaveException.class, this::clean);
    proxy.clear();

    assertEquals(Kind.ACCESS_DENIED, told.kind());
    assertEquals(output(), told.place());
    assertTrue(told.problem().startsWith("parts of 3 uploads stay"), told::getMessage);
    assertEquals(
        Set.of(output().substring(fs.getUri().toString().length() + 1) + "/.reweave/plan.json"),
        HadoopFiles.digests(fs, "/").keySet());
    proxy.inject(OpenUploadsTest::isList, FOREVER, NONE);
    clean();
    assertEquals(List.of(), pending());
    assertEquals(Map.of(), HadoopFiles.digests(fs, "/"));
  }

  @Test
  void theNextRunAbortsWhatNobodyLists() throws IOException {
    failWithOpenUploads();
    proxy.inject(OpenUploadsTest::isList, FOREVER, NONE);

    assertEquals(0, convert(output()).figures().resumedFiles());

    assertMade();
  }

  /** Who may write need not be allowed to list uploads. */
  @Test
  void uploadsNeedNotBeListed() throws IOException {
    proxy.inject(OpenUploadsTest::isList, FOREVER, Fault.status(403));

    convert(output());

    assertMade();
  }

  @Test
  void someStoresListNoUploadsAtAll() throws IOException {
    proxy.inject(OpenUploadsTest::isList, FOREVER, Fault.error(501, "NotImplemented"));
    proxy.inject(OpenUploadsTest::isPart, FOREVER, Fault.status(403));

    assertEquals(Kind.ACCESS_DENIED, failure().kind());

    assertEquals(List.of(), pending());
  }

  /**
   * Runs until all is written, and keeps what a run that is killed there leaves beside uploads.
   * These are aborted, as a rule of a bucket does it one day.
   *
   * @return their ids
   */
  private Set<String> failBeforeItIsPublished() throws IOException {
    proxy.inject(r -> isCompletion(r) && kept.take(), FOREVER, Fault.status(403));
    assertThrows(ReweaveException.class, () -> convert(output()));
    Set<String> ids = ids(OpenUploadsTest::isPart);
    assertEquals(SHARDS, ids.size());
    assertEquals(SHARDS + 2, kept.files().size(), kept.files()::toString);
    assertEquals(List.of(), pending());
    proxy.clear();
    return ids;
  }

  private Set<String> ids(Predicate<Request> kind) {
    return proxy.requests().stream()
        .map(FaultProxy.Recorded::request)
        .filter(kind)
        .map(r -> r.query().replaceFirst(".*uploadId=([^&]*).*", "$1"))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  @Test
  void finishedShardsWhoseUploadsAreGoneAreMadeAnew() throws IOException {
    Set<String> gone = failBeforeItIsPublished();
    kept.restore(name -> true);

    assertEquals(0, convert(output()).figures().resumedFiles());

    assertEquals(gone, ids(OpenUploadsTest::isListOfParts), "what was asked for");
    assertTrue(
        Collections.disjoint(gone, ids(OpenUploadsTest::isPart)),
        "parts were sent to what is gone");
    assertMade();
  }

  @Test
  void begunShardsWhoseUploadsAreGoneAreBegunAnew() throws IOException {
    Set<String> gone = failBeforeItIsPublished();
    kept.restore("plan.json"::equals);

    assertEquals(0, convert(output()).figures().resumedFiles());

    assertEquals(gone, ids(OpenUploadsTest::isListOfParts), "what was asked for");
    assertTrue(
        Collections.disjoint(gone, ids(OpenUploadsTest::isPart)),
        "parts were sent to what is gone");
    assertMade();
  }

  /** A run that finds them gone is killed too: the plan tells of what it began. */
  @Test
  void whatIsBegunAnewIsKnownToTheNextProcess() throws IOException {
    failBeforeItIsPublished();
    kept.restore(name -> true);
    failWithOpenUploads();
    proxy.inject(OpenUploadsTest::isList, FOREVER, NONE);

    clean();

    assertEquals(List.of(), pending());
  }

  /** Who may not ask is told by the store, at the first use; and the next run is as ever. */
  @Test
  void anUploadThatNobodyCouldAskFor() throws IOException {
    failBeforeItIsPublished();
    kept.restore(name -> true);
    proxy.inject(OpenUploadsTest::isListOfParts, FOREVER, Fault.status(403));

    assertEquals(Kind.STORE_FAILED, failure().kind());

    convert(output());
    assertMade();
  }

  /** Its upload is gone, since it was completed. */
  @Test
  void aShardThatIsPublishedIsNotMadeAgain() throws IOException {
    proxy.inject(
        r -> isCompletion(r) && r.path().endsWith("1-of-00003.safetensors"),
        1,
        Fault.meanwhile(() -> {}));
    proxy.inject(r -> isCompletion(r) && kept.take(), FOREVER, Fault.status(403));
    // Nothing is taken away again: as of a process that is killed.
    proxy.inject(r -> r.method().equals("DELETE"), FOREVER, Fault.status(403));
    proxy.inject(r -> r.query().startsWith("delete"), FOREVER, Fault.status(403));
    failure();
    kept.restore(name -> true);

    assertEquals(SHARDS, convert(output()).figures().resumedFiles());

    assertEquals(0, proxy.count(OpenUploadsTest::isPart));
    assertMade();
  }
}
