package dev.reweave.storage;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.ReweaveException;
import java.io.EOFException;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every store must do, whatever it is; each store that is supported is a subclass. */
abstract class StorageContract {
  static final String NAME = "model-00001 of 2.safetensors";
  private static final int ROUNDS = 10;
  private static final int MOST_BYTES = 64 << 20;
  private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");

  /** All that is legal in a name everywhere; a colon is not, in Hadoop's paths. */
  private static final List<String> ODD_NAMES =
      List.of(
          "#1 & more",
          "%20",
          "100%",
          "a b",
          "a+b",
          "a%2Fb",
          "copy (1)",
          "größe 模型",
          "plain",
          "x=[y]&z;{w}~'q'@!$,");

  Stores stores;
  OutputFolder output;

  abstract Configuration configuration();

  /** Address of a folder for this class alone. */
  abstract String root();

  /** How files are put together here. */
  abstract Class<? extends StagedFile> kind();

  /** Keys of uploads that were begun and neither completed nor aborted. */
  List<String> pendingUploads() throws IOException {
    return List.of();
  }

  @BeforeEach
  void open() {
    stores = new Stores(configuration());
    output = stores.outputFolder(root() + "/" + UUID.randomUUID() + "/my model");
  }

  // Reading

  @Test
  void readsAnyRangeOfAFile() throws IOException {
    byte[] content = bytes(100_000);
    try (RandomAccess access = stores.open(put("in.pt", content))) {
      assertEquals(content.length, access.file().length());
      for (int[] range : new int[][] {{0, 10}, {99_990, 10}, {50_000, 777}, {3, 0}, {0, 100_000}}) {
        byte[] buffer = new byte[range[1] + 5];
        access.readFully(range[0], buffer, 3, range[1]);
        assertArrayEquals(
            Arrays.copyOfRange(content, range[0], range[0] + range[1]),
            Arrays.copyOfRange(buffer, 3, 3 + range[1]));
        assertEquals(0, buffer[2] + buffer[3 + range[1]], "bytes around it were touched");
      }
      access.readFully(100_000, new byte[0], 0, 0);
    }
  }

  @Test
  void readsManyRangesAtOnce() throws IOException {
    byte[] content = bytes(3_000_000);
    InputFile file = put("in.pt", content);
    int[][] apart = {{0, 10}, {10, 20}, {40_000, 5}, {900_000, 1_000_000}, {2_999_999, 1}};
    int[][] overlapping = {{5, 100_000}, {50_000, 100_000}, {7, 3}};
    try (RandomAccess access = stores.open(file)) {
      for (int[][] wanted : List.of(apart, overlapping)) {
        List<ReadRange> ranges = new ArrayList<>();
        for (int[] range : wanted) {
          ranges.add(new ReadRange(range[0], new byte[range[1] + 2], 1, range[1]));
        }
        access.readFully(ranges);
        for (ReadRange range : ranges) {
          int from = (int) range.position();
          assertArrayEquals(
              Arrays.copyOfRange(content, from, from + range.length()),
              Arrays.copyOfRange(range.buffer(), 1, 1 + range.length()));
        }
      }
      List<ReadRange> tooFar =
          List.of(new ReadRange(0, new byte[5], 0, 5), new ReadRange(2_999_999, new byte[2], 0, 2));
      assertThrows(EOFException.class, () -> access.readFully(tooFar));
    }
  }

  @Test
  void saysWhenAFileEndsTooSoon() throws IOException {
    InputFile file = put("in.pt", bytes(1000));
    try (RandomAccess access = stores.open(file)) {
      assertThrows(EOFException.class, () -> access.readFully(991, new byte[10], 0, 10));
      assertThrows(EOFException.class, () -> access.readFully(1000, new byte[1], 0, 1));
      assertThrows(EOFException.class, () -> access.readFully(1L << 40, new byte[1], 0, 1));
      assertThrows(EOFException.class, () -> access.readFully(-1, new byte[1], 0, 1));
      assertThrows(EOFException.class, () -> access.readFully(Long.MAX_VALUE, new byte[10], 0, 10));
    }
    // It was longer when it was listed.
    try (RandomAccess access = stores.open(new InputFile(file.uri(), 2000, 0))) {
      assertThrows(EOFException.class, () -> access.readFully(990, new byte[20], 0, 20));
      assertThrows(EOFException.class, () -> access.readFully(1500, new byte[20], 0, 20));
    }
  }

  @Test
  void readsAnEmptyFile() throws IOException {
    InputFile file = put("empty", new byte[0]);

    assertEquals(0, file.length());
    assertEquals(0, stores.readAll(file, 10).length);
    try (RandomAccess access = stores.open(file)) {
      assertThrows(EOFException.class, () -> access.readFully(0, new byte[1], 0, 1));
    }
  }

  @Test
  void listsFilesOfAnyNameAndFoldersApart() throws IOException {
    for (String name : ODD_NAMES) {
      put("files/" + name, name.getBytes(UTF_8));
      put("folders/" + name + "/in.pt", name.getBytes(UTF_8));
    }
    put("files/folder (é)/in.pt", bytes(1));

    Stores.Listing files = stores.list(in("files"));
    assertEquals(ODD_NAMES.stream().sorted().toList(), names(files));
    for (InputFile file : files.files()) {
      assertEquals(file.name(), new String(stores.readAll(file, 100), UTF_8));
      // Times may differ: some stores round them in the one answer and not in the other.
      InputFile alone = stores.file(file.uri()).orElseThrow();
      assertEquals(file.uri(), alone.uri());
      assertEquals(file.length(), alone.length());
      assertEquals(file.uri(), stores.resolve(file.uri()));
    }
    assertEquals(List.of(stores.resolve(in("files/folder (é)"))), files.folders());
    assertEquals("in.pt", stores.list(files.folders().get(0)).files().get(0).name());

    Stores.Listing folders = stores.list(in("folders"));
    assertEquals(List.of(), folders.files());
    assertEquals(ODD_NAMES.size(), folders.folders().size());
    for (String folder : folders.folders()) {
      assertTrue(stores.isFolder(folder), folder);
      InputFile inside = stores.list(folder).files().get(0);
      assertTrue(folder.endsWith("/" + new String(stores.readAll(inside, 100), UTF_8)), folder);
    }
  }

  @Test
  void tellsFilesFromFolders() throws IOException {
    InputFile file = put("folder/in.pt", bytes(10));

    assertTrue(stores.isFolder(in("folder")));
    assertEquals(Optional.empty(), stores.file(in("folder")));
    assertFalse(stores.isFolder(file.uri()));
    assertEquals(Optional.empty(), stores.file(in("folder/other.pt")));
    assertFalse(stores.isFolder(in("other")));
  }

  @Test
  void saysWhatIsMissing() {
    String missing = stores.resolve(in("missing"));
    String message = "no such file or folder: " + missing + "; check the address and its spelling";

    assertEquals(
        message, assertThrows(ReweaveException.class, () -> stores.list(missing)).getMessage());
    // Some stores notice it when the file is opened, others with the first byte.
    InputFile gone = new InputFile(missing, 10, 0);
    assertEquals(
        message, assertThrows(ReweaveException.class, () -> stores.readAll(gone, 10)).getMessage());
  }

  // Staging and publishing

  @Test
  void putsAFileTogetherOutOfSightAndPublishesItWhole() throws Exception {
    byte[] content = content();
    output.prepare(content.length);
    StagedFile file = output.stage(NAME, content.length);
    assertInstanceOf(kind(), file);

    List<Part> order = new ArrayList<>(parts(content));
    Collections.shuffle(order, new Random(1));
    PartWriter writer = new PartWriter(stores, file, content);
    List<PartReceipt> receipts = new ArrayList<>(writer.write(order));
    // Tasks that Spark runs again: the last receipt of a part is the one that is shown.
    for (PartReceipt again : writer.write(order.subList(0, (order.size() + 1) / 2))) {
      receipts.removeIf(receipt -> receipt.number() == again.number());
      receipts.add(again);
    }
    assertEquals(List.of(), output.names());
    output.assemble(file, receipts);
    assertEquals(List.of(), output.names());
    assertEquals(Optional.empty(), output.file(NAME));
    output.publish(file, receipts);

    assertPublished(content);
    output.clear();
    assertEquals(List.of(NAME), leftovers());
    assertPublished(content);
  }

  @Test
  void twinsOfATaskDoNotMeet() throws Exception {
    byte[] content = bytes(1000);
    Part part = new Part(1, 0, content.length);
    output.prepare(content.length);
    for (int round = 0; round < ROUNDS; round++) {
      StagedFile file = output.stage(NAME, content.length);
      List<PartReceipt> twins = twins(new PartWriter(stores, file, content), part);
      List<PartReceipt> receipts = List.of(twins.get(round % 2));
      output.assemble(file, receipts);
      output.publish(file, receipts);
      assertPublished(content);
    }
  }

  List<PartReceipt> twins(PartWriter writer, Part part) throws Exception {
    return writer.writeTwins(part);
  }

  @Test
  void aPartThatIsNotCommittedDoesNotCount() throws Exception {
    byte[] content = content();
    output.prepare(content.length);
    StagedFile file = output.stage(NAME, content.length);
    PartWriter writer = new PartWriter(stores, file, content);
    List<Part> parts = parts(content);

    writer.writeInVain(parts.get(0));
    List<PartReceipt> receipts = writer.write(parts);
    // In place, an attempt that fails after another one did its work would spoil it. Only a task
    // that Spark gave up could do so, and tasks of one part all write the same bytes.
    if (kind() != InPlaceFile.class) {
      writer.writeInVain(parts.get(0));
    }
    output.assemble(file, receipts);
    output.publish(file, receipts);

    assertPublished(content);
  }

  @Test
  void publicationReplacesAnOlderFile() throws Exception {
    output.publish(NAME, bytes(77));
    byte[] content = content();

    Complete file = complete(output, content);
    assertArrayEquals(bytes(77), read());
    output.publish(file.file(), file.receipts());

    assertPublished(content);
  }

  @Test
  void publicationMayBeRepeatedByALaterProcess() throws Exception {
    byte[] content = content();
    Complete file = complete(output, content);
    output.publish(file.file(), file.receipts());

    OutputFolder later = new Stores(configuration()).outputFolder(output.address());
    later.publish(later.stagedBefore(NAME, content.length, file.file().token()), file.receipts());

    assertPublished(content);
  }

  @Test
  void aLaterProcessPublishesWhatAnEarlierOneAssembled() throws Exception {
    byte[] content = content();
    Complete file = complete(output, content);

    OutputFolder later = new Stores(configuration()).outputFolder(output.address());
    later.publish(later.stagedBefore(NAME, content.length, file.file().token()), file.receipts());

    assertPublished(content);
  }

  @Test
  void publicationOfWhatIsNotThereFails() {
    byte[] content = bytes(100);
    output.prepare(content.length);
    StagedFile never = output.stage(NAME, content.length);
    output.clear();

    assertThrows(
        ReweaveException.class, () -> output.publish(never, List.of(new PartReceipt(1, ""))));
    assertEquals(List.of(), output.names());
  }

  @Test
  void anAbortLeavesNothing() throws Exception {
    byte[] content = content();
    output.prepare(content.length);
    StagedFile half = output.stage(NAME, content.length);
    PartWriter writer = new PartWriter(stores, half, content);
    List<Part> parts = parts(content);
    assertEquals(
        (parts.size() + 1) / 2, writer.write(parts.subList(0, (parts.size() + 1) / 2)).size());
    writer.writeInVain(parts.get(parts.size() - 1));
    half.abort(stores);
    assertEquals(List.of(), leftovers());

    complete(output, content).file().abort(stores);
    assertEquals(List.of(), output.names());
    assertEquals(List.of(), leftovers());
  }

  @Test
  void anAbortSparesWhatWasPublished() throws Exception {
    byte[] content = content();
    Complete file = complete(output, content);
    output.publish(file.file(), file.receipts());

    file.file().abort(stores);

    assertPublished(content);
  }

  @Test
  void clearingRemovesAllThatIsStaged() throws Exception {
    byte[] content = content();
    output.publish("config.json", bytes(5));
    Complete assembled = complete(output, content);
    StagedFile begun = output.stage("other", content.length);
    assertEquals(
        1, new PartWriter(stores, begun, content).write(parts(content).subList(0, 1)).size());
    output.writeState("finished/one.json", bytes(5));

    output.clear();

    assertEquals(List.of("config.json"), leftovers());
    assertEquals(Optional.empty(), output.readState("finished/one.json"));
    output.clear();
    assertThrows(
        ReweaveException.class, () -> output.publish(assembled.file(), assembled.receipts()));
    assertEquals(List.of("config.json"), output.names());
  }

  @Test
  void clearingSparesOtherFolders() throws Exception {
    byte[] content = content();
    OutputFolder longer = stores.outputFolder(output.address() + "-2");
    OutputFolder inside = stores.outputFolder(in("deep"));
    Complete neighbour = complete(longer, content);
    complete(output, content);

    output.clear();
    inside.clear();

    longer.publish(neighbour.file(), neighbour.receipts());
    assertEquals(List.of(NAME), longer.names());
    assertEquals(List.of(), leftovers());
  }

  @Test
  void keepsState() {
    assertEquals(Optional.empty(), output.readState("plan.json"));
    for (int length : new int[] {100, 20, 0, 3000}) {
      output.writeState("plan.json", bytes(length));
      output.writeState("finished/a b.json", bytes(length + 1));
      OutputFolder later = new Stores(configuration()).outputFolder(output.address());
      assertArrayEquals(bytes(length), later.readState("plan.json").orElseThrow());
      assertArrayEquals(bytes(length + 1), later.readState("finished/a b.json").orElseThrow());
    }
    assertEquals(List.of(), output.names());
  }

  @Test
  void publishesAndRemovesSmallFiles() throws IOException {
    output.publish("index.json", bytes(1000));
    output.publish("index.json", bytes(30));
    output.publish("config.json", bytes(40));
    assertEquals(List.of("config.json", "index.json"), output.names());
    assertEquals(List.of("config.json", "index.json"), leftovers());
    assertArrayEquals(bytes(30), stores.readAll(output.file("index.json").orElseThrow(), 100));

    output.remove("index.json");
    output.remove("index.json");
    assertEquals(List.of("config.json"), output.names());
  }

  @Test
  void removesAFolderOnlyIfItIsEmpty() {
    output.removeIfEmpty();
    assertFalse(output.exists());
    assertEquals(List.of(), output.names());

    output.publish("config.json", bytes(4));
    output.clear();
    output.removeIfEmpty();
    assertEquals(List.of("config.json"), output.names());

    output.remove("config.json");
    output.removeIfEmpty();
    assertFalse(output.exists());
  }

  @Test
  void aFileIsNoOutputFolder() throws IOException {
    InputFile file = put("file", bytes(3));

    ReweaveException refused =
        assertThrows(ReweaveException.class, () -> stores.outputFolder(file.uri()).prepare(1));

    assertTrue(refused.getMessage().contains("the output is a file"), refused.getMessage());
    assertArrayEquals(bytes(3), stores.readAll(file, 10));
  }

  // Locking

  @Test
  void aLockIsRefusedUntilItIsGivenBack() {
    try (OutputLock.Held held = output.lock().take("convert s3a://a/b")) {
      ReweaveException refused =
          assertThrows(ReweaveException.class, () -> output.lock().take("other"));
      assertTrue(
          refused
              .getMessage()
              .startsWith("another job is at work on this output: 'convert s3a://a/b', since "),
          refused.getMessage());
      assertTrue(refused.getMessage().contains(output.address()), refused.getMessage());
      held.check();
      assertEquals(List.of(), output.names());
    }
    output.lock().take("other").close();
    output.removeIfEmpty();
    assertFalse(output.exists());
  }

  @Test
  void oneOfTwoGetsALock() throws Exception {
    for (int round = 0; round < ROUNDS; round++) {
      List<OutputLock.Held> holders = race(Clock.systemUTC());
      assertEquals(1, holders.size(), "holders in round " + round);
      holders.get(0).check();
      holders.get(0).close();
    }
  }

  @Test
  void aStaleLockIsTakenOver() {
    OutputLock.Held silent = output.lock().take("silent", at(NOON));
    Clock later = at(NOON.plus(OutputLock.STALE).plus(Duration.ofSeconds(1)));
    try (OutputLock.Held held = output.lock().take("awake", later)) {
      held.check();
      ReweaveException lost = assertThrows(ReweaveException.class, silent::check);
      assertTrue(lost.getMessage().contains("'awake'"), lost.getMessage());
      silent.close();
      assertDoesNotThrow(held::check);
      assertThrows(ReweaveException.class, () -> output.lock().take("third", later));
    }
  }

  @Test
  void oneOfTwoTakesAStaleLockOver() throws Exception {
    for (int round = 0; round < ROUNDS; round++) {
      try (OutputLock.Held silent = output.lock().take("silent", at(NOON))) {
        List<OutputLock.Held> holders =
            race(at(NOON.plus(OutputLock.STALE).plus(Duration.ofSeconds(1))));
        assertEquals(1, holders.size(), "holders in round " + round);
        holders.get(0).check();
        holders.get(0).close();
        assertDoesNotThrow(silent::check, "nobody else holds it now");
      }
    }
  }

  private List<OutputLock.Held> race(Clock clock) throws Exception {
    CyclicBarrier barrier = new CyclicBarrier(2);
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try {
      List<Future<Optional<OutputLock.Held>>> runners = new ArrayList<>();
      for (String name : List.of("one", "two")) {
        OutputLock lock = new Stores(configuration()).outputFolder(output.address()).lock();
        runners.add(
            threads.submit(
                () -> {
                  barrier.await();
                  try {
                    return Optional.of(lock.take(name, clock));
                  } catch (ReweaveException e) {
                    assertTrue(e.getMessage().startsWith("another job is at work"), e.getMessage());
                    return Optional.empty();
                  }
                }));
      }
      List<OutputLock.Held> holders = new ArrayList<>();
      for (Future<Optional<OutputLock.Held>> runner : runners) {
        runner.get().ifPresent(holders::add);
      }
      return holders;
    } finally {
      threads.shutdownNow();
    }
  }

  // What the cases are made of

  private record Complete(StagedFile file, List<PartReceipt> receipts) {}

  private Complete complete(OutputFolder folder, byte[] content) throws Exception {
    folder.prepare(content.length);
    StagedFile file = folder.stage(NAME, content.length);
    List<PartReceipt> receipts = new PartWriter(stores, file, content).write(parts(content));
    folder.assemble(file, receipts);
    return new Complete(file, receipts);
  }

  /** Long enough for three parts, where a store knows parts. */
  private byte[] content() {
    PartRule rule = output.partRule();
    return bytes((int) (2 * Math.max(rule.leastBytes(), 4096)) + 1234);
  }

  private List<Part> parts(byte[] content) {
    return PartWriter.parts(output.partRule(), content);
  }

  private static byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }

  private static Clock at(Instant time) {
    return Clock.fixed(time, ZoneOffset.UTC);
  }

  /** An address beside the output folder. */
  private String in(String name) {
    return output.address().substring(0, output.address().lastIndexOf('/') + 1) + name;
  }

  private InputFile put(String name, byte[] content) throws IOException {
    Path path = new Path(in(name));
    try (FSDataOutputStream out = stores.fileSystem(path).create(path, false)) {
      out.write(content);
    }
    return stores.file(in(name)).orElseThrow();
  }

  private static List<String> names(Stores.Listing listing) {
    return listing.files().stream().map(InputFile::name).toList();
  }

  private byte[] read() {
    return stores.readAll(output.file(NAME).orElseThrow(), MOST_BYTES);
  }

  private void assertPublished(byte[] content) {
    assertEquals(List.of(NAME), output.names());
    assertArrayEquals(content, read());
  }

  /** All files below the folder, hidden ones too, and all uploads to it. */
  List<String> leftovers() throws IOException {
    String key = output.address().replaceFirst("^\\w+://[^/]*/", "");
    List<String> left = new ArrayList<>(pendingUploads());
    left.removeIf(upload -> !upload.startsWith(key + "/"));
    Path folder = new Path(output.address());
    FileSystem fs = stores.fileSystem(folder);
    if (fs.exists(folder)) {
      addFiles(fs, folder, left);
    }
    left.sort(null);
    return left;
  }

  private void addFiles(FileSystem fs, Path folder, List<String> found) throws IOException {
    for (FileStatus status : fs.listStatus(folder)) {
      if (status.isDirectory()) {
        addFiles(fs, status.getPath(), found);
      } else {
        found.add(status.getPath().toString().substring(output.address().length() + 1));
      }
    }
  }
}
