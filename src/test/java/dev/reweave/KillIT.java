package dev.reweave;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.manifest.Manifest;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Launcher;
import dev.reweave.testing.Locations;
import dev.reweave.testing.S3Server;
import dev.reweave.testing.SyntheticCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The driver is killed with SIGKILL in the middle of its work. No reader finds a model then, and
 * the same command finishes it, without doing finished shards again.
 */
class KillIT {
  private static final int SHARDS = 12;
  private static final long SHARD_BYTES = 6_000_000;

  private static final List<TensorSpec> PARAMETERS =
      SyntheticCheckpoint.layers(SHARDS, SHARD_BYTES);

  /** How long a moment is waited for; the test fails if it does not come. */
  private static final int MOST_POLLS = 60_000;

  @TempDir static Path temp;
  private static Path input;
  private static Map<String, String> expected;
  private static Manifest undisturbed;

  private static List<String> arguments(String from, String to, String chunk) {
    return List.of(
        "convert", "-i", from, "-o", to, "--max-shard-size", "6MB", "--chunk-size", chunk);
  }

  @BeforeAll
  static void convertUndisturbed() throws Exception {
    input = temp.resolve("in");
    SyntheticCheckpoint.write(input, 3, 2, PARAMETERS, 11);
    Path whole = temp.resolve("whole");
    Launcher.Result result =
        Launcher.run(arguments(input.toString(), whole.toString(), "64MB").toArray(String[]::new));
    assertEquals(0, result.exitCode(), result::toString);
    expected = weights(Fixtures.digests(whole));
    assertEquals(SHARDS + 1, expected.size());
    undisturbed =
        Manifest.parse(bytes(new Stores(new Configuration()), whole + "/reweave.json"), "manifest");
    assertEquals(SHARDS, undisturbed.result().weights().size());
  }

  private static Map<String, String> weights(Map<String, String> digests) {
    Map<String, String> weights = new TreeMap<>(digests);
    weights.keySet().removeIf(name -> !name.contains(".safetensors"));
    return weights;
  }

  /** Kills the process as soon as the moment has come; it must not end before. */
  private static void killWhen(BooleanSupplier moment, List<String> arguments) throws Exception {
    Process process = Launcher.start(arguments.toArray(String[]::new));
    try {
      int polls = 0;
      while (!moment.getAsBoolean()) {
        assertTrue(polls++ < MOST_POLLS, "the moment did not come");
        assertFalse(
            process.waitFor(2, TimeUnit.MILLISECONDS), "the process ended before the moment");
      }
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  private static long count(Stores stores, String folder) {
    return stores.isFolder(Locations.of(folder))
        ? stores.list(Locations.of(folder)).files().size()
        : 0;
  }

  private static void assertNoModel(Stores stores, String output) {
    for (InputFile file : stores.list(Locations.of(output)).files()) {
      assertFalse(file.name().endsWith(".index.json"), file::uri);
      assertFalse(file.name().equals(Manifest.FILE_NAME), file::uri);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 2, 9})
  void aLocalRunGoesOn(int finishedShards) throws Exception {
    Stores stores = new Stores(new Configuration());
    Path output = temp.resolve("out" + finishedShards);
    String state = output + "/.reweave/";
    List<String> arguments = arguments(input.toString(), output.toString(), "64KB");
    killWhen(
        () ->
            finishedShards == 0
                ? stores.file(Locations.of(state + "plan.json")).isPresent()
                : count(stores, state + "finished") >= finishedShards,
        arguments);
    assertNoModel(stores, output.toString());

    Launcher.Result again = Launcher.run(arguments.toArray(String[]::new));

    assertEquals(0, again.exitCode(), again::toString);
    assertEquals(expected, weights(Fixtures.digests(output)));
    Manifest manifest = Manifest.parse(bytes(stores, output + "/reweave.json"), "manifest");
    assertOnlyUnfinishedShardsWereDone(manifest, finishedShards, 1);
    assertEquals(undisturbed.result().weights(), manifest.result().weights());
    Launcher.Result third = Launcher.run(arguments.toArray(String[]::new));
    assertEquals(0, third.exitCode(), third::toString);
    assertTrue(third.out().startsWith("up to date"), third::toString);
  }

  @Test
  void aMeanOfStepsGoesOn() throws Exception {
    Stores stores = new Stores(new Configuration());
    Path steps = temp.resolve("steps");
    SyntheticCheckpoint.write(steps, 3, 2, PARAMETERS, 12);
    Files.move(steps.resolve(SyntheticCheckpoint.TAG), steps.resolve("global_step2"));
    Fixtures.copy(input.resolve(SyntheticCheckpoint.TAG), steps.resolve(SyntheticCheckpoint.TAG));
    Path whole = temp.resolve("mean");
    Path output = temp.resolve("killed-mean");
    List<String> arguments =
        new ArrayList<>(arguments(steps.toString(), output.toString(), "64KB"));
    arguments.addAll(List.of("--average-tags", "last:2"));
    List<String> once = new ArrayList<>(arguments);
    once.set(arguments.indexOf(output.toString()), whole.toString());
    Launcher.Result undisturbedMean = Launcher.run(once.toArray(String[]::new));
    assertEquals(0, undisturbedMean.exitCode(), undisturbedMean::toString);
    killWhen(() -> count(stores, output + "/.reweave/finished") >= 3, arguments);
    assertNoModel(stores, output.toString());

    Launcher.Result again = Launcher.run(arguments.toArray(String[]::new));

    assertEquals(0, again.exitCode(), again::toString);
    Map<String, String> mean = weights(Fixtures.digests(whole));
    assertEquals(mean, weights(Fixtures.digests(output)));
    assertFalse(mean.equals(expected), "the mean is none of its steps");
    assertOnlyUnfinishedShardsWereDone(
        Manifest.parse(bytes(stores, output + "/reweave.json"), "manifest"), 3, 2);
    Launcher.Result third = Launcher.run(arguments.toArray(String[]::new));
    assertTrue(third.out().startsWith("up to date"), third::toString);
  }

  private static byte[] bytes(Stores stores, String file) {
    return stores.readAll(stores.file(Locations.of(file)).orElseThrow(), 1 << 20);
  }

  private static void assertOnlyUnfinishedShardsWereDone(
      Manifest manifest, int atLeast, int steps) {
    int resumed = manifest.figures().resumedFiles();
    assertTrue(resumed >= atLeast, "finished by the killed run: " + resumed);
    long needed = steps * SHARD_BYTES * (SHARDS - resumed);
    assertEquals(needed, manifest.figures().bytesNeeded());
    assertTrue(
        manifest.figures().bytesRead() <= needed * 1.02, "read: " + manifest.figures().bytesRead());
  }

  @Test
  void anObjectStoreRunGoesOn() throws Exception {
    S3Server server = S3Server.shared();
    server.createBucket("kill");
    Configuration conf = new Configuration();
    server.configure(conf);
    Stores stores = new Stores(conf);
    List<String> launcher = new ArrayList<>();
    server
        .settings()
        .forEach((k, v) -> launcher.addAll(List.of("--conf", "spark.hadoop." + k + "=" + v)));
    int run = 0;
    for (int finishedShards : new int[] {3, SHARDS}) {
      String output = "s3a://kill/model" + run++;
      List<String> arguments = new ArrayList<>(launcher);
      arguments.addAll(arguments(input.toString(), output, "5MB"));
      killWhen(
          () ->
              finishedShards == SHARDS
                  ? stores.file(Locations.of(output + "/.reweave/publishing")).isPresent()
                  : count(stores, output + "/.reweave/finished") >= finishedShards,
          arguments);
      assertNoModel(stores, output);

      Launcher.Result again = Launcher.run(arguments.toArray(String[]::new));

      assertEquals(0, again.exitCode(), again::toString);
      assertEquals(expected, digests(stores, output));
      assertEquals(List.of(), server.pendingUploads("kill"));
      assertFalse(stores.isFolder(Locations.of(output + "/.reweave")));
      assertOnlyUnfinishedShardsWereDone(
          Manifest.parse(bytes(stores, output + "/reweave.json"), "manifest"), finishedShards, 1);
    }
  }

  /** A pipeline whose transformer has the checkpoint's tensors, and more to copy beside them. */
  private static Path base() throws IOException {
    Path base = temp.resolve("base");
    Path transformer = Fixtures.copy(temp.resolve("whole"), makeParent(base, "transformer"));
    Files.delete(transformer.resolve(Manifest.FILE_NAME));
    Files.writeString(transformer.resolve("config.json"), "{\"_class_name\": \"Net\"}");
    Files.writeString(
        base.resolve("model_index.json"),
        "{\"_class_name\": \"Pipeline\", \"transformer\": [\"diffusers\", \"Net\"]}");
    Files.createDirectories(base.resolve("vae/more"));
    Files.write(base.resolve("vae/more/table.bin"), new byte[3_000_000]);
    return base;
  }

  private static Path makeParent(Path parent, String name) throws IOException {
    Files.createDirectories(parent);
    return parent.resolve(name);
  }

  @Test
  void aPipelineGoesOnAndIsCleaned() throws Exception {
    Stores stores = new Stores(new Configuration());
    Path base = base();
    Path output = temp.resolve("pipeline");
    String state = output + "/.reweave/";
    List<String> arguments =
        new ArrayList<>(arguments(input.toString(), output.toString(), "64KB"));
    arguments.addAll(List.of("--base", base.toString(), "--shards", "like-base"));
    killWhen(() -> count(stores, state + "finished/transformer") >= 2, arguments);
    assertEquals(List.of(), visible(output));
    assertEquals(0, Launcher.run("clean", output.toString()).exitCode());
    assertFalse(Files.exists(output));
    killWhen(() -> count(stores, state + "finished/transformer") >= 9, arguments);

    Launcher.Result again = Launcher.run(arguments.toArray(String[]::new));

    assertEquals(0, again.exitCode(), again::toString);
    Map<String, String> made = Fixtures.digests(output);
    assertTrue(made.remove(Manifest.FILE_NAME) != null, "no manifest");
    assertEquals(Fixtures.digests(base), made);
    Manifest manifest = Manifest.parse(bytes(stores, output + "/reweave.json"), "manifest");
    assertTrue(manifest.figures().resumedFiles() >= 9, manifest::toString);
  }

  private static List<String> visible(Path output) throws IOException {
    List<String> names = new ArrayList<>(Fixtures.digests(output).keySet());
    names.removeIf(name -> name.startsWith(".reweave"));
    return names;
  }

  private static Map<String, String> digests(Stores stores, String folder) throws IOException {
    Map<String, String> digests = new TreeMap<>();
    for (InputFile file : stores.list(Locations.of(folder)).files()) {
      digests.put(file.name(), Fixtures.digest(stores.readAll(file, 1 << 25)));
    }
    return weights(digests);
  }

  @Test
  void cleanRemovesWhatAKilledRunLeft() throws Exception {
    Stores stores = new Stores(new Configuration());
    Path output = temp.resolve("cleaned");
    String state = output + "/.reweave/";
    killWhen(
        () -> count(stores, state + "finished") >= 2,
        arguments(input.toString(), output.toString(), "64KB"));

    Launcher.Result clean = Launcher.run("clean", output.toString());

    assertEquals(0, clean.exitCode(), clean::toString);
    assertFalse(Files.exists(output));
  }
}
