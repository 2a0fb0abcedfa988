package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.PlanOptions;
import dev.reweave.storage.Stores;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fault;
import dev.reweave.testing.FaultProxy;
import dev.reweave.testing.FaultProxy.Request;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.HadoopFiles;
import dev.reweave.testing.S3Server;
import dev.reweave.testing.SparkPages;
import dev.reweave.testing.SyntheticCheckpoint;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A store that stumbles does not change the result; one that fails for good ends in one message and
 * leaves nothing behind.
 */
class FaultTest {
  private static final int FOREVER = Integer.MAX_VALUE;
  private static final PlanOptions PLAN = PlanOptions.DEFAULTS.withSizes(7_000_000, 5 << 20);

  @TempDir static Path temp;
  private static FaultProxy proxy;
  private static Configuration conf;
  private static String input;
  private static Map<String, String> expected;

  private String bucket;
  private FileSystem fs;

  @BeforeAll
  static void start() throws IOException {
    proxy = FaultProxy.start(S3Server.shared());
    conf = new Configuration(TestSpark.context().hadoopConfiguration());
    proxy.configure(conf);
    Path local = temp.resolve("in");
    var unused = SyntheticCheckpoint.write(local, 2, 2, SyntheticCheckpoint.llama(15_000_000), 3);
    FileSystem inputs = open(S3Server.shared().newBucket());
    input = HadoopFiles.copy(local, inputs, "/runs/ckpt");
    expected = convert(local.toString(), temp.resolve("out").toString(), Fixtures::digests);
    assertEquals(
        List.of(
            "model-00001-of-00003.safetensors",
            "model-00002-of-00003.safetensors",
            "model-00003-of-00003.safetensors",
            "model.safetensors.index.json"),
        List.copyOf(expected.keySet()));
  }

  @AfterAll
  static void stop() throws IOException {
    open(URI.create(input).getHost()).close();
    proxy.close();
  }

  @BeforeEach
  void newOutput() throws IOException {
    bucket = S3Server.shared().newBucket();
    fs = open(bucket);
    proxy.clear();
  }

  @AfterEach
  void closeOutput() throws IOException {
    fs.close();
  }

  private static FileSystem open(String bucket) throws IOException {
    return FileSystem.get(URI.create("s3a://" + bucket), conf);
  }

  private interface Digests {
    Map<String, String> of(Path folder) throws IOException;
  }

  private static Map<String, String> convert(String from, String to, Digests digests)
      throws IOException {
    run(from, to);
    Map<String, String> made = digests.of(Path.of(to));
    assertTrue(made.remove(Manifest.FILE_NAME) != null, "no manifest");
    return made;
  }

  private static void run(String from, String to) {
    var unused = Converting.between(from, to).planning(PLAN).in(new Stores(conf)).run();
  }

  private String output() {
    return fs.getUri() + "/models/new";
  }

  private void assertConverts() throws IOException {
    run(input, output());
    proxyHeals();
    Map<String, String> made = HadoopFiles.digests(fs, output());
    assertTrue(made.remove(Manifest.FILE_NAME) != null, "no manifest");
    assertEquals(expected, made);
    assertEquals(List.of(), S3Server.shared().pendingUploads(bucket));
  }

  private static void proxyHeals() {
    proxy.clear();
  }

  private ReweaveException assertFails(String... parts) {
    ReweaveException failure = assertThrows(ReweaveException.class, () -> run(input, output()));
    proxyHeals();
    for (String part : parts) {
      assertTrue(
          failure.getMessage().contains(part),
          () -> "'" + part + "' is not in: " + failure.getMessage());
    }
    return failure;
  }

  private void assertNothingLeft() throws IOException {
    assertEquals(Map.of(), HadoopFiles.digests(fs, "/"));
    assertEquals(List.of(), S3Server.shared().pendingUploads(bucket));
  }

  /** Requests of a kind. */
  private record Kind(String name, Predicate<Request> requests) {
    static Kind of(String method, String queryStart) {
      return new Kind(
          method + " ?" + queryStart,
          r -> r.method().equals(method) && r.query().startsWith(queryStart));
    }

    static Kind to(String method, String pathEnd) {
      return new Kind(
          method + " " + pathEnd, r -> r.method().equals(method) && r.path().endsWith(pathEnd));
    }

    @Override
    public String toString() {
      return name;
    }
  }

  private static final Kind READ =
      new Kind(
          "GET of weights", r -> r.method().equals("GET") && r.path().endsWith("_optim_states.pt"));
  private static final Kind PART = Kind.of("PUT", "partNumber=");
  private static final Kind INITIATE = Kind.of("POST", "uploads");
  private static final Kind COMPLETE = Kind.of("POST", "uploadId=");
  private static final Kind ABORT = Kind.of("DELETE", "uploadId=");
  private static final Kind SMALL_FILE =
      new Kind("PUT of a small file", r -> r.method().equals("PUT") && !r.query().contains("part"));

  /** A fault that passes. */
  record Stumble(Kind kind, int times, Fault fault) {}

  static List<Stumble> stumbles() {
    return List.of(
        new Stumble(READ, 4, Fault.status(503)),
        new Stumble(READ, 3, Fault.status(500)),
        new Stumble(READ, 4, Fault.reset()),
        new Stumble(READ, 4, Fault.lostAnswer()),
        new Stumble(READ, 4, Fault.cut(0)),
        new Stumble(READ, 6, Fault.cut(100_000)),
        new Stumble(READ, 3, Fault.slow(50_000, Duration.ofMillis(1))),
        new Stumble(PART, 4, Fault.status(503)),
        new Stumble(PART, 3, Fault.status(500)),
        new Stumble(PART, 4, Fault.reset()),
        new Stumble(PART, 3, Fault.lostAnswer()),
        new Stumble(INITIATE, 3, Fault.status(503)),
        new Stumble(INITIATE, 2, Fault.reset()),
        new Stumble(INITIATE, 1, Fault.lostAnswer()),
        new Stumble(COMPLETE, 3, Fault.status(503)),
        new Stumble(COMPLETE, 3, Fault.reset()),
        new Stumble(COMPLETE, 3, Fault.lostAnswer()),
        new Stumble(SMALL_FILE, 3, Fault.status(503)),
        new Stumble(SMALL_FILE, 3, Fault.reset()),
        new Stumble(Kind.to("PUT", "/plan.json"), 1, Fault.lostAnswer()),
        new Stumble(Kind.to("PUT", "/.reweave.lock"), 1, Fault.lostAnswer()),
        new Stumble(Kind.to("PUT", "/reweave.json"), 2, Fault.lostAnswer()));
  }

  @ParameterizedTest
  @MethodSource("stumbles")
  void survives(Stumble stumble) throws IOException {
    proxy.inject(stumble.kind().requests(), stumble.times(), stumble.fault());
    run(input, output());
    assertTrue(proxy.count(stumble.kind().requests()) >= stumble.times(), "harm was not done");
    proxyHeals();
    Map<String, String> made = HadoopFiles.digests(fs, output());
    assertTrue(made.remove(Manifest.FILE_NAME) != null, "no manifest");
    assertEquals(expected, made);
    // A store that was asked twice to start an upload, since its answer was lost, has one too many.
    boolean askedTwice =
        stumble.kind().equals(INITIATE) && stumble.fault().equals(Fault.lostAnswer());
    assertEquals(askedTwice ? 1 : 0, S3Server.shared().pendingUploads(bucket).size());
  }

  @Test
  void readsMadeAgainAreCounted() {
    SparkPages pages = SparkPages.from(TestSpark.context());
    // Some are short, and come whole.
    proxy.inject(READ.requests(), 12, Fault.cut(100_000));

    run(input, output());

    long again = pages.accumulators().getOrDefault("reads made again", 0L);
    assertTrue(again >= 1 && again <= 12, "made again: " + again);
  }

  /** A fault that stays, with what the message must say. */
  record Failure(Kind kind, int after, Fault fault, String problem, String place, String remedy) {}

  static List<Failure> failures() {
    String shard = "model-0000";
    String again = "run the same command again";
    return List.of(
        new Failure(PART, 0, Fault.status(500), "cannot write (", shard, again),
        new Failure(PART, 4, Fault.status(500), "cannot write (", shard, again),
        new Failure(PART, 2, Fault.status(403), "not allowed to write", shard, "write access"),
        new Failure(PART, 3, Fault.reset(), "cannot write (", shard, again),
        new Failure(INITIATE, 1, Fault.status(403), "not allowed to write", shard, "write access"),
        new Failure(COMPLETE, 0, Fault.status(403), "not allowed to write", "/new", "write access"),
        new Failure(COMPLETE, 2, Fault.status(403), "not allowed to write", "/new", "write access"),
        new Failure(
            Kind.to("PUT", ".index.json"),
            0,
            Fault.status(403),
            "not allowed to write",
            "/new",
            "write access"),
        new Failure(
            Kind.to("PUT", "/reweave.json"),
            0,
            Fault.status(500),
            "cannot write (",
            "reweave.json",
            again),
        new Failure(
            Kind.to("GET", "_rank_1_mp_rank_00_optim_states.pt"),
            0,
            Fault.status(403),
            "not allowed to read",
            "_rank_1_mp_rank_00_optim_states.pt",
            "read access"),
        new Failure(READ, 4, Fault.status(403), "not allowed to read", "optim_states.pt", "read"),
        new Failure(READ, 6, Fault.status(503), "cannot read (", "optim_states.pt", again));
  }

  @ParameterizedTest
  @MethodSource("failures")
  void failsWithoutTrace(Failure failure) throws IOException {
    proxy.inject(failure.kind().requests(), failure.after(), Fault.slow(1 << 20, Duration.ZERO));
    proxy.inject(failure.kind().requests(), FOREVER, failure.fault());

    assertFails(failure.problem(), failure.place(), failure.remedy());

    assertNothingLeft();
  }

  @Test
  void worksAgainAfterAFailure() throws IOException {
    proxy.inject(COMPLETE.requests(), FOREVER, Fault.status(403));
    assertFails("not allowed to write");

    assertConverts();
  }

  @Test
  void anOutputThatMayNotBeWritten() throws IOException {
    String denied = "/" + bucket;
    proxy.inject(
        r -> r.path().startsWith(denied) && !r.method().matches("GET|HEAD"),
        FOREVER,
        Fault.status(403));

    assertFails("not allowed to write", bucket, "ask for write access or name another output");

    assertNothingLeft();
  }

  /** Access that is taken away in the middle: nothing can be cleaned up, but the reason is told. */
  @Test
  void theReasonIsToldEvenIfNothingCanBeCleanedUp() throws IOException {
    proxy.inject(PART.requests(), FOREVER, Fault.status(500));
    String denied = "/" + bucket;
    proxy.inject(ABORT.requests(), FOREVER, Fault.status(403));
    proxy.inject(
        r ->
            r.path().startsWith(denied)
                && (r.method().equals("DELETE") || r.query().startsWith("delete")),
        FOREVER,
        Fault.status(403));

    ReweaveException failure = assertFails("cannot write (", "model-0000", "again");

    assertTrue(failure.getSuppressed().length > 0, "what was left is not told");
    // The next run clears up and gets through.
    assertConverts();
  }

  @Test
  void aFailedAbortDoesNotKeepTheRest() throws IOException {
    proxy.inject(PART.requests(), FOREVER, Fault.status(500));
    proxy.inject(ABORT.requests(), FOREVER, Fault.status(403));

    assertFails("cannot write (", "model-0000", "again");

    // Who may abort them needs their ids.
    assertEquals(Set.of("models/new/.reweave/plan.json"), HadoopFiles.digests(fs, "/").keySet());
    assertEquals(
        IntStream.rangeClosed(1, 3)
            .mapToObj(n -> "models/new/model-0000" + n + "-of-00003.safetensors")
            .toList(),
        S3Server.shared().pendingUploads(bucket).stream().sorted().toList());
  }
}
