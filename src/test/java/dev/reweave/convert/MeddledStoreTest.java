package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
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
import dev.reweave.testing.StoredFiles;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Somebody else changes objects of an S3 store, of the input or of the result, in a conversion. */
class MeddledStoreTest {
  private static final int FOREVER = Integer.MAX_VALUE;
  private static final String SECOND = "model-00002-of-00003.safetensors";
  private static final String RANK_1 = "bf16_zero_pp_rank_1_mp_rank_00_optim_states.pt";
  private static final Checks NO_VERIFY =
      new Checks(Checks.ReadBack.NEVER, FileDigest.Wanted.CRC32C, Checks.Nonfinite.WARN);
  private static final Checks DIGESTS =
      new Checks(Checks.ReadBack.NEVER, FileDigest.Wanted.SHA256, Checks.Nonfinite.WARN);

  private FaultProxy proxy;
  private Configuration conf;
  private String bucket;
  private FileSystem fs;
  private FileSystem other;
  private String input;

  @BeforeEach
  void start() throws IOException {
    proxy = FaultProxy.start(S3Server.shared());
    conf = new Configuration(TestSpark.context().hadoopConfiguration());
    proxy.configure(conf);
    bucket = S3Server.shared().newBucket();
    URI address = URI.create("s3a://" + bucket);
    fs = FileSystem.get(address, conf);
    Configuration direct = new Configuration(conf);
    S3Server.shared().configure(direct);
    other = FileSystem.newInstance(address, direct);
    input = HadoopFiles.copy(Fixtures.folder("z2_bf16_w2/ckpt"), other, "/runs/ckpt");
    proxy.clear();
  }

  @AfterEach
  void stop() throws IOException {
    fs.close();
    other.close();
    proxy.close();
  }

  private Manifest convert(Checks checks) {
    return Converting.between(input, output())
        .planning(PlanOptions.DEFAULTS.withSizes(400, 64_000))
        .checking(checks)
        .in(new Stores(conf))
        .run()
        .manifest();
  }

  private String output() {
    return "s3a://" + bucket + "/models/new";
  }

  private Path shard() {
    return new Path(output() + "/" + SECOND);
  }

  private Path rank() {
    return new Path(input + "/global_step3/" + RANK_1);
  }

  private ReweaveException failure(Checks checks) {
    ReweaveException failure = assertThrows(ReweaveException.class, () -> convert(checks));
    proxy.clear();
    return failure;
  }

  private void assertNothingLeft() throws IOException {
    assertEquals(Map.of(), HadoopFiles.digests(other, "/models"));
    assertEquals(List.of(), S3Server.shared().pendingUploads(bucket));
  }

  private static Predicate<Request> is(String method, String pathEnd) {
    return r -> r.method().equals(method) && r.path().endsWith(pathEnd);
  }

  private static final Predicate<Request> COMPLETE_SECOND =
      is("POST", SECOND).and(r -> r.query().startsWith("uploadId="));

  private void assertTold(ReweaveException failure) {
    assertTrue(
        failure
            .problem()
            .matches(
                "the store does not hold what was written: "
                    + SECOND
                    + " has CRC32C [0-9a-f]{8}, and [0-9a-f]{8} was written"),
        failure.getMessage());
    assertEquals(output(), failure.place());
  }

  @Test
  void aShardThatTheStoreDamages() throws IOException {
    proxy.inject(COMPLETE_SECOND, 1, Fault.meanwhile(() -> StoredFiles.flipBit(other, shard())));

    assertTold(failure(Checks.DEFAULTS));

    assertNothingLeft();
    assertEquals(3, convert(Checks.DEFAULTS).figures().filesReadBack());
  }

  /**
   * A single file takes the old one's place before it can be read: better none than a wrong one.
   */
  @Test
  void aFileThatTheStoreDamagesInTheOldOnesPlace() throws IOException {
    var unused = single("z1_bf16_w2", Checks.DEFAULTS);
    Path file = new Path(output() + "/model.safetensors");
    proxy.inject(
        is("POST", "model.safetensors").and(r -> r.query().startsWith("uploadId=")),
        1,
        Fault.meanwhile(() -> StoredFiles.flipBit(other, file)));

    ReweaveException failure =
        assertThrows(ReweaveException.class, () -> single("z2_bf16_w2", Checks.DEFAULTS));

    assertTrue(failure.problem().contains("model.safetensors has CRC32C"), failure::getMessage);
    assertEquals(Map.of(), HadoopFiles.digests(other, "/models"));
    assertEquals(List.of(), S3Server.shared().pendingUploads(bucket));
    assertEquals(1, single("z2_bf16_w2", Checks.DEFAULTS).figures().filesReadBack());
  }

  private Manifest single(String fixture, Checks checks) {
    return Converting.between(Fixtures.folder(fixture + "/ckpt"), output())
        .checking(checks)
        .overwriting()
        .in(new Stores(conf))
        .run()
        .manifest();
  }

  @Test
  void aShardThatTheStoreLoses() throws IOException {
    proxy.inject(
        COMPLETE_SECOND, 1, Fault.meanwhile(() -> assertTrue(other.delete(shard(), false))));

    assertEquals(
        "the store does not hold what was written: " + SECOND + " is not there",
        failure(Checks.DEFAULTS).problem());

    assertNothingLeft();
  }

  @Test
  void aDamagedShardWhoseDigestIsMade() throws IOException {
    proxy.inject(COMPLETE_SECOND, 1, Fault.meanwhile(() -> StoredFiles.flipBit(other, shard())));

    assertTold(failure(DIGESTS));

    assertNothingLeft();
  }

  @Test
  void theIndexComesBehindTheCheck() {
    convert(Checks.DEFAULTS);

    List<Request> requests = proxy.requests().stream().map(FaultProxy.Recorded::request).toList();
    int read = 0;
    int index = requests.size();
    for (int i = 0; i < requests.size(); i++) {
      Request request = requests.get(i);
      read = is("GET", ".safetensors").test(request) ? i : read;
      index = is("PUT", ".index.json").test(request) ? Math.min(i, index) : index;
    }
    assertEquals(3, requests.stream().filter(is("GET", ".safetensors")).count());
    assertTrue(read > 0 && read < index && index < requests.size(), read + " and " + index);
  }

  @Test
  void nothingIsReadIfNobodyWantsIt() {
    Manifest manifest = convert(NO_VERIFY);

    assertEquals(0, manifest.figures().filesReadBack());
    assertEquals(0, proxy.count(is("GET", ".safetensors")));
  }

  @Test
  void aDigestTakesNoSecondRead() throws IOException {
    Manifest manifest = convert(DIGESTS);

    assertEquals(3, proxy.count(is("GET", ".safetensors")));
    Map<String, String> files = HadoopFiles.digests(other, output(), Fixtures::sha256);
    files.remove(Manifest.FILE_NAME);
    manifest.result().shards().forEach(s -> assertEquals(files.remove(s.name()), s.sha256()));
    manifest.result().files().forEach(s -> assertEquals(files.remove(s.name()), s.sha256()));
    assertEquals(Map.of(), files);
  }

  /** A run that is stopped between its shards and its index, and cannot clean up. */
  @Test
  void aShardOfAnEarlierRunThatWasDamagedSince() throws IOException {
    String denied = "/" + bucket;
    proxy.inject(is("PUT", ".index.json"), FOREVER, Fault.status(403));
    proxy.inject(
        r ->
            r.path().startsWith(denied)
                && (r.method().equals("DELETE") || r.query().startsWith("delete")),
        FOREVER,
        Fault.status(403));
    assertTrue(failure(Checks.DEFAULTS).getMessage().startsWith("not allowed to write"));
    StoredFiles.flipBit(other, shard());

    assertTold(failure(Checks.DEFAULTS));

    assertNothingLeft();
    assertEquals(0, convert(Checks.DEFAULTS).figures().resumedFiles());
  }

  private void assertChanged(String what, ReweaveException failure) throws IOException {
    assertTrue(
        failure.problem().matches("the input was changed while it was converted: " + what),
        failure.getMessage());
    assertEquals(rank().toString(), failure.place());
    assertEquals(
        "wait until nobody writes to it, then run the same command again", failure.remedy());
    assertNothingLeft();
  }

  private void meddle(int read, Fault.Meddling meddling) {
    proxy.inject(is("GET", RANK_1), read - 1, Fault.slow(1 << 20, java.time.Duration.ZERO));
    proxy.inject(is("GET", RANK_1), 1, Fault.meanwhile(meddling));
  }

  @Test
  void anInputOfOtherContent() throws IOException {
    meddle(1, () -> StoredFiles.flipBit(other, rank()));

    assertChanged("a file has ETag [0-9a-f]+ and had [0-9a-f]+", failure(Checks.DEFAULTS));
  }

  @Test
  void anInputOfOtherContentAfterItsLastRead() throws IOException {
    convert(Checks.DEFAULTS);
    long reads = proxy.count(is("GET", RANK_1));
    assertTrue(other.delete(new Path(output()), true));
    proxy.clear();
    meddle((int) reads, () -> StoredFiles.flipBit(other, rank()));

    assertChanged("a file has ETag [0-9a-f]+ and had [0-9a-f]+", failure(Checks.DEFAULTS));
  }

  @Test
  void anInputThatGrows() throws IOException {
    long length = other.getFileStatus(rank()).getLen();
    meddle(1, () -> StoredFiles.append(other, rank()));

    assertChanged(
        "a file has " + (length + 4) + " bytes and had " + length, failure(Checks.DEFAULTS));
  }

  @Test
  void anInputThatIsDeleted() throws IOException {
    meddle(1, () -> assertTrue(other.delete(rank(), false)));

    assertChanged("a file is gone", failure(Checks.DEFAULTS));
  }

  @Test
  void everyReadIsForTheListedContentAndNoneAsksFirst() {
    convert(Checks.DEFAULTS);

    Predicate<Request> reads = is("GET", "_states.pt");
    assertTrue(proxy.count(reads) > 4, "reads: " + proxy.count(reads));
    assertEquals(0, proxy.count(reads.and(r -> !r.headers().containsKey("if-match"))));
    assertEquals(0, proxy.count(is("HEAD", "_states.pt")));
    List<Request> requests = proxy.requests().stream().map(FaultProxy.Recorded::request).toList();
    int last = 0;
    for (int i = 0; i < requests.size(); i++) {
      last = reads.test(requests.get(i)) ? i : last;
    }
    List<String> lists =
        requests.subList(last + 1, requests.size()).stream()
            .map(Request::query)
            .filter(q -> q.contains("list-type=2") && q.contains("prefix=runs"))
            .toList();
    assertEquals(1, lists.size(), lists::toString);
  }

  @Test
  void theSameInputIsTheSameConversion() {
    Manifest made = convert(Checks.DEFAULTS);

    assertEquals(made, convert(Checks.DEFAULTS));
  }
}
