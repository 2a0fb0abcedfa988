package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.convert.ConversionRequest.Proving;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.Chunk;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.PlanOptions;
import dev.reweave.storage.PartRule;
import dev.reweave.storage.Stores;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fault;
import dev.reweave.testing.FaultProxy;
import dev.reweave.testing.FaultProxy.Request;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.HadoopFiles;
import dev.reweave.testing.S3Server;
import dev.reweave.testing.SyntheticCheckpoint;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Predicate;
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
 * Chunks of several windows, and of several pieces: each window is read while another is cast, and
 * pieces are sent meanwhile.
 */
class PiecedPartsTest {
  private static final int FOREVER = Integer.MAX_VALUE;
  private static final int PIECES = 4;
  private static final PlanOptions PLAN = PlanOptions.DEFAULTS.withSizes(40_000_000, 64_000_000);

  private static final Predicate<Request> PIECE =
      r -> r.method().equals("PUT") && r.query().startsWith("partNumber=");

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
    var unused = SyntheticCheckpoint.write(local, 3, 2, SyntheticCheckpoint.llama(30_000_000), 3);
    FileSystem inputs = open(S3Server.shared().newBucket());
    input = HadoopFiles.copy(local, inputs, "/runs/ckpt");
    run(local.toString(), temp.resolve("out").toString());
    expected = Fixtures.digests(temp.resolve("out"));
    expected.remove(Manifest.FILE_NAME);
    assertEquals(List.of("model.safetensors"), List.copyOf(expected.keySet()));
  }

  private static boolean isRead(Request request) {
    return request.method().equals("GET") && request.path().endsWith("_optim_states.pt");
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
  void leavesNoThread() throws IOException {
    fs.close();
    assertEquals(
        List.of(),
        Thread.getAllStackTraces().keySet().stream()
            .filter(thread -> thread.getName().startsWith("reweave-read"))
            .filter(Thread::isAlive)
            .toList());
  }

  private static FileSystem open(String bucket) throws IOException {
    return FileSystem.get(URI.create("s3a://" + bucket), conf);
  }

  private static Manifest run(String from, String to) {
    return Converting.between(from, to)
        .planning(PLAN)
        .proving(Proving.NONE)
        .in(new Stores(conf))
        .run()
        .manifest();
  }

  private String output() {
    return fs.getUri() + "/models/new";
  }

  private void assertMade() throws IOException {
    proxy.clear();
    Map<String, String> made = HadoopFiles.digests(fs, output());
    assertTrue(made.remove(Manifest.FILE_NAME) != null, "no manifest");
    assertEquals(expected, made);
    assertEquals(List.of(), S3Server.shared().pendingUploads(bucket));
  }

  @Test
  void aChunkIsReadAndSentInPieces() throws IOException {
    Manifest manifest = run(input, output());

    List<Request> pieces =
        proxy.requests().stream().map(FaultProxy.Recorded::request).filter(PIECE).toList();
    assertEquals(PIECES, pieces.size(), pieces::toString);
    assertEquals(
        List.of("1", "2", "3", "4"),
        List.copyOf(
            new TreeSet<>(
                pieces.stream().map(r -> r.query().replaceAll("\\D*(\\d+).*", "$1")).toList())));
    Manifest.Figures figures = manifest.figures();
    assertTrue(figures.bytesRead() <= 1.02 * figures.bytesNeeded(), "read: " + figures.bytesRead());
    // Many enough to be under way at once, few enough for what each costs.
    assertTrue(
        figures.readRequests() >= 15 && figures.readRequests() <= 60,
        "reads: " + figures.readRequests());
    assertMade();
  }

  /** A fault that passes. */
  record Stumble(String name, Predicate<Request> requests, int times, Fault fault) {
    @Override
    public String toString() {
      return name;
    }
  }

  static List<Stumble> stumbles() {
    return List.of(
        new Stumble("reads that are too many", PiecedPartsTest::isRead, 5, Fault.status(503)),
        new Stumble("reads that are cut", PiecedPartsTest::isRead, 6, Fault.cut(100_000)),
        new Stumble("reads that are reset", PiecedPartsTest::isRead, 4, Fault.reset()),
        new Stumble("pieces that are too many", PIECE, 4, Fault.status(503)),
        new Stumble("pieces that are reset", PIECE, 4, Fault.reset()),
        new Stumble("pieces whose answers are lost", PIECE, 3, Fault.lostAnswer()));
  }

  @ParameterizedTest
  @MethodSource("stumbles")
  void survives(Stumble stumble) throws IOException {
    proxy.inject(stumble.requests(), stumble.times(), stumble.fault());

    run(input, output());

    assertTrue(proxy.count(stumble.requests()) >= stumble.times(), "harm was not done");
    assertMade();
  }

  private void assertFails(String start, String... parts) throws IOException {
    ReweaveException failure = assertThrows(ReweaveException.class, () -> run(input, output()));
    proxy.clear();
    assertTrue(failure.getMessage().startsWith(start), failure.getMessage());
    for (String part : parts) {
      assertTrue(failure.getMessage().contains(part), failure.getMessage());
    }
    assertEquals(Map.of(), HadoopFiles.digests(fs, "/"));
    assertEquals(List.of(), S3Server.shared().pendingUploads(bucket));
    assertEquals(0, proxy.count(PIECE), "a piece came behind the clean-up");
  }

  @Test
  void memoryOfATask() {
    Stores stores = new Stores(conf);
    ConversionPlan plan =
        Converting.between(input, output()).planning(PLAN).in(stores).prepare().plan();
    PartRule rule = stores.outputFolder(stores.locate(output())).partRule();
    long chunk = plan.chunks(rule).stream().mapToLong(Chunk::length).max().orElseThrow();
    long windows = 72 << 20;

    assertEquals(windows + chunk, Conversion.taskBytes(stores, rule, plan));
    assertEquals(windows, Conversion.taskBytes(stores, PartRule.FREE, plan));
    // Of a longer chunk no more is held than the pieces that are under way.
    assertEquals(60 << 20, rule.heldBytes(480 << 20, 1L << 30));
  }

  @Test
  void aPieceThatMayNotBeWritten() throws IOException {
    proxy.inject(PIECE, 1, Fault.lostAnswer());
    proxy.inject(PIECE, FOREVER, Fault.status(403));

    assertFails(
        "not allowed to write",
        "model.safetensors",
        "while making bytes ",
        "ask for write access or name another output");
  }

  @Test
  void aPieceThatTheStoreNeverTakes() throws IOException {
    proxy.inject(PIECE.and(r -> r.query().startsWith("partNumber=3&")), FOREVER, Fault.status(500));

    assertFails("cannot write (", "model.safetensors", "run the same command again");
  }

  @Test
  void aReadThatIsRefusedWhilePiecesAreSent() throws IOException {
    proxy.inject(PiecedPartsTest::isRead, 20, Fault.slow(1 << 20, Duration.ZERO));
    proxy.inject(PiecedPartsTest::isRead, FOREVER, Fault.status(403));

    assertFails("not allowed to read", "optim_states.pt", "ask for read access");
  }
}
