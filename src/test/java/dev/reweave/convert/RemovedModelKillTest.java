package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.PlanOptions;
import dev.reweave.storage.Stores;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Where an old model is removed before the new one comes, a process dies at each step of that:
 * whatever was the last, the next one removes all that the old model had.
 */
class RemovedModelKillTest {
  private static final PlanOptions SINGLE = PlanOptions.DEFAULTS;
  private static final PlanOptions SHARDED = PlanOptions.DEFAULTS.withSizes(400, 64_000);
  private static final int MOST_STEPS = 60;

  /** Manifest, configs and weights go, weights and manifest come. */
  private static final int LEAST_DEATHS = 4;

  @TempDir static Path temp;
  private static Configuration conf;
  private static Path old;

  /** Local files, which nothing changes any more once so many visible ones were changed. */
  static final class Dying extends RawLocalFileSystem {
    static final int NEVER = Integer.MAX_VALUE;
    static final AtomicInteger LEFT = new AtomicInteger(NEVER);

    @Override
    public URI getUri() {
      return URI.create("dying:///");
    }

    @Override
    public String getScheme() {
      return "dying";
    }

    private static void change(org.apache.hadoop.fs.Path path) throws IOException {
      boolean isVisible = !path.toString().contains("/.reweave");
      if (LEFT.get() == 0 || (isVisible && LEFT.getAndUpdate(n -> n == NEVER ? n : n - 1) == 1)) {
        throw new IOException("the process is dead");
      }
    }

    @Override
    public boolean delete(org.apache.hadoop.fs.Path path, boolean recursive) throws IOException {
      change(path);
      return super.delete(path, recursive);
    }

    @Override
    public boolean rename(org.apache.hadoop.fs.Path from, org.apache.hadoop.fs.Path to)
        throws IOException {
      change(to);
      return super.rename(from, to);
    }
  }

  @BeforeAll
  static void convertOld() throws IOException {
    conf = new Configuration(TestSpark.context().hadoopConfiguration());
    conf.setClass("fs.dying.impl", Dying.class, FileSystem.class);
    Path base = Fixtures.copy(Fixtures.folder("z3_bf16_w2_llama/hf"), temp.resolve("base"));
    old = temp.resolve("old");
    var unused =
        Converting.between(Fixtures.folder("z3_bf16_w2_llama/ckpt"), old)
            .base(base)
            .mapping("none")
            .run();
    assertTrue(Files.exists(old.resolve("config.json")));
  }

  @AfterEach
  void live() {
    Dying.LEFT.set(Dying.NEVER);
  }

  private static void convert(String output, PlanOptions options) {
    var unused =
        Converting.between(Fixtures.folder("z2_bf16_w2/ckpt"), output)
            .planning(options)
            .in(new Stores(conf))
            .overwriting()
            .run();
  }

  private static Map<String, String> weights(Path folder) throws IOException {
    Map<String, String> digests = Fixtures.digests(folder);
    assertTrue(digests.remove(Manifest.FILE_NAME) != null, "no manifest");
    return digests;
  }

  /** Dies behind each number of changes, and goes on with a conversion of these options. */
  private static void dieEverywhere(String name, PlanOptions next) throws IOException {
    Path made = temp.resolve(name);
    convert(made.toString(), next);
    int deaths = 0;
    for (int step = 1; deaths == step - 1; step++) {
      assertTrue(step < MOST_STEPS, "it does not come to its end");
      Path folder = Fixtures.copy(old, temp.resolve(name + step));
      Dying.LEFT.set(step);
      try {
        convert("dying:" + folder, SINGLE);
      } catch (ReweaveException e) {
        deaths++;
        assertTrue(e.getMessage().contains("the process is dead"), e::getMessage);
      }
      Dying.LEFT.set(Dying.NEVER);

      convert("dying:" + folder, next);

      assertEquals(weights(made), weights(folder), "dead at change " + step);
    }
    assertTrue(deaths > LEAST_DEATHS, "deaths: " + deaths);
  }

  private static void touch(Path folder, int second) throws IOException {
    for (String name : Fixtures.digests(folder).keySet()) {
      Files.setLastModifiedTime(
          folder.resolve(name), FileTime.from(Instant.EPOCH.plusSeconds(second)));
    }
  }

  /** The result of an input that has changed since is replaced without being asked. */
  @Test
  void aResultThatIsMadeAnewNeedNotBeOverwritten() throws IOException {
    Path input = Fixtures.copy(Fixtures.folder("z3_bf16_w2_llama/ckpt"), temp.resolve("input"));
    int deaths = 0;
    for (int step = 1; deaths == step - 1; step++) {
      assertTrue(step < MOST_STEPS, "it does not come to its end");
      Path folder = temp.resolve("anew" + step);
      Converting conversion =
          Converting.between(input, "dying:" + folder)
              .base(temp.resolve("base"))
              .mapping("none")
              .in(new Stores(conf));
      var unused = conversion.run();
      touch(input.resolve("global_step3"), step);
      Dying.LEFT.set(step);
      try {
        unused = conversion.run();
      } catch (ReweaveException e) {
        deaths++;
        assertTrue(e.getMessage().contains("the process is dead"), e::getMessage);
      }
      Dying.LEFT.set(Dying.NEVER);

      unused = conversion.run();

      assertEquals(weights(old), weights(folder), "dead at change " + step);
    }
    assertTrue(deaths > LEAST_DEATHS, "deaths: " + deaths);
  }

  @Test
  void theSameCommandRemovesTheRest() throws IOException {
    dieEverywhere("same", SINGLE);
  }

  @Test
  void anotherConversionRemovesTheRest() throws IOException {
    dieEverywhere("another", SHARDED);
  }
}
