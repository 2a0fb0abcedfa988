package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.look.compare.Verification;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.PlanOptions;
import dev.reweave.storage.Stores;
import dev.reweave.testing.Converting;
import dev.reweave.testing.FaultyFileSystem;
import dev.reweave.testing.FaultyFileSystem.Call;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A store that knows only whole files, and each of whose calls may fail. */
class FaultyFileSystemTest {
  private static final PlanOptions PLAN = PlanOptions.DEFAULTS.withSizes(400, 64_000);

  @TempDir static Path shared;
  private static Configuration conf;
  private static Map<String, String> expected;

  @TempDir Path temp;
  private Path output;

  @BeforeAll
  static void convertUndisturbed() throws IOException {
    conf = new Configuration(TestSpark.context().hadoopConfiguration());
    FaultyFileSystem.configure(conf);
    run(input().toString(), shared.resolve("out").toString());
    expected = Fixtures.digests(shared.resolve("out"));
    expected.remove(Manifest.FILE_NAME);
    assertEquals(4, expected.size(), "three shards and an index");
  }

  @BeforeEach
  @AfterEach
  void heal() {
    output = temp.resolve("models/out");
    FaultyFileSystem.heal();
  }

  private static Path input() {
    return Fixtures.folder("z2_bf16_w2/ckpt");
  }

  private static void run(String from, String to) {
    var unused = Converting.between(from, to).planning(PLAN).in(new Stores(conf)).run();
  }

  private void run() {
    run("faulty:" + input(), "faulty:" + output);
  }

  private void assertComplete() throws IOException {
    Map<String, String> made = Fixtures.digests(output);
    assertTrue(made.remove(Manifest.FILE_NAME) != null, "no manifest");
    assertEquals(expected, made);
    assertFalse(Files.exists(output.resolve(".reweave")), "staging folder left");
  }

  @Test
  void givesTheSameFiles() throws IOException {
    run();

    assertComplete();
    assertEquals(
        List.of(),
        new Verification(TestSpark.cluster(), new Stores(conf))
            .run(Locations.of("faulty:" + output))
            .problems());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 100})
  void shortReadsAreContinued(int bytesPerRead) throws IOException {
    FaultyFileSystem.shorten(bytesPerRead);

    run();

    assertComplete();
  }

  /** Whichever call fails: either all is there or nothing, and the next run gets through. */
  @ParameterizedTest
  @EnumSource
  void everyCallMayFail(Call call) throws IOException {
    failEveryCall(call, this::run, this::assertComplete);
  }

  /** The same for a result of many files in many folders. */
  @ParameterizedTest
  @EnumSource
  void everyCallMayFailForAPipeline(Call call) throws IOException {
    failEveryCall(call, this::runPipeline, this::assertPipeline);
  }

  private void runPipeline() {
    Path checkpoint = Fixtures.folder("cog_z2_bf16_w2/ckpt");
    Converting.between("faulty:" + checkpoint, "faulty:" + output)
        .base("faulty:" + Fixtures.folder("base_pipeline"))
        .in(new Stores(conf))
        .run();
  }

  private void assertPipeline() throws IOException {
    Map<String, String> made = Fixtures.digests(output);
    assertTrue(made.remove(Manifest.FILE_NAME) != null, "no manifest");
    Map<String, String> base = Fixtures.digests(Fixtures.folder("base_pipeline"));
    assertEquals(base.keySet(), made.keySet());
    assertEquals(
        1, made.entrySet().stream().filter(e -> !base.containsValue(e.getValue())).count());
  }

  /** What may throw. */
  private interface Step {
    void run() throws IOException;
  }

  private void failEveryCall(Call call, Runnable conversion, Step check) throws IOException {
    conversion.run();
    long calls = FaultyFileSystem.calls(call);
    assertTrue(calls > 5, call + ": " + calls);
    for (long number = 1; number <= calls; number++) {
      output = temp.resolve("models/" + call + number);
      FaultyFileSystem.heal();
      FaultyFileSystem.fail(call, number);

      ReweaveException failure = assertThrows(ReweaveException.class, conversion::run);

      String message = call + " " + number + ": " + failure.getMessage();
      assertTrue(message.contains("injected failure of " + call), message);
      assertTrue(message.contains("run the same command again"), message);
      assertEquals(Map.of(), Fixtures.digests(output), message);
      assertFalse(Files.exists(output), message);
      FaultyFileSystem.heal();
      conversion.run();
      check.run();
    }
  }
}
