package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.Format;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.UniversalFiles;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fault;
import dev.reweave.testing.FaultProxy;
import dev.reweave.testing.FaultProxy.Request;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.HadoopFiles;
import dev.reweave.testing.S3Server;
import dev.reweave.testing.SyntheticCheckpoint;
import dev.reweave.testing.SyntheticOptions;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A process that makes a universal checkpoint in an object store dies at each request that changes
 * something: DeepSpeed finds all of it or nothing, and where another one was before, never a part
 * of each.
 */
class UniversalKillTest {
  private static final int FOREVER = Integer.MAX_VALUE;
  private static final int MOST_REQUESTS = 150;
  private static final PlanOptions PLAN =
      PlanOptions.DEFAULTS
          .with(PlanOptions.FORMAT, Format.UNIVERSAL)
          .with(PlanOptions.CHUNK_SIZE, Optional.of(64_000L));
  private static final String STEP = SyntheticCheckpoint.TAG + "_universal/";

  @TempDir static Path temp;
  private static FaultProxy proxy;
  private static Configuration conf;
  private static FileSystem fs;
  private static String bucket;
  private static Map<String, String> first;
  private static Map<String, String> second;

  @BeforeAll
  static void start() throws IOException {
    proxy = FaultProxy.start(S3Server.shared());
    conf = new Configuration(TestSpark.context().hadoopConfiguration());
    proxy.configure(conf);
    bucket = S3Server.shared().newBucket();
    fs = FileSystem.get(URI.create("s3a://" + bucket), conf);
    first = made("first", 3);
    second = made("second", 4);
    assertTrue(first.keySet().equals(second.keySet()) && !first.equals(second));
  }

  private static Map<String, String> made(String name, int seed) throws IOException {
    SyntheticCheckpoint input =
        SyntheticCheckpoint.write(
            temp.resolve(name),
            new SyntheticOptions(2, 2).with(SyntheticOptions.Moments.ADAM),
            List.of(
                new TensorSpec("layer0", DType.F32, Shape.of(9, 10)),
                new TensorSpec("layer1", DType.F32, Shape.of(7))),
            seed);
    assertEquals(2, input.params().size());
    var unused =
        Converting.between(temp.resolve(name), temp.resolve(name + "-made")).planning(PLAN).run();
    Map<String, String> files = new TreeMap<>(Fixtures.digests(temp.resolve(name + "-made")));
    files.remove(Manifest.FILE_NAME);
    return files;
  }

  @AfterAll
  static void stop() throws IOException {
    proxy.clear();
    fs.close();
    proxy.close();
  }

  /** Every request that changes the bucket, behind the first so many. */
  private static Predicate<Request> deadAfter(int requests, AtomicInteger refused) {
    AtomicInteger seen = new AtomicInteger();
    return r -> {
      boolean refuses =
          !r.method().matches("GET|HEAD")
              && r.path().startsWith("/" + bucket)
              && seen.getAndIncrement() >= requests;
      refused.addAndGet(refuses ? 1 : 0);
      return refuses;
    };
  }

  /** Converts to a folder until so many requests have come through; gives whether that did harm. */
  private static boolean dies(String name, String folder, int requests) throws IOException {
    AtomicInteger refused = new AtomicInteger();
    proxy.inject(deadAfter(requests, refused), FOREVER, Fault.status(403));
    try {
      var unused = convert(name, folder);
    } catch (ReweaveException e) {
      assertTrue(refused.get() > 0, e::getMessage);
    }
    proxy.clear();
    return refused.get() > 0;
  }

  private static Conversion.Outcome convert(String name, String folder) throws IOException {
    return Converting.between(temp.resolve(name), folder)
        .planning(PLAN)
        .in(new Stores(conf))
        .overwriting()
        .run();
  }

  /** What DeepSpeed would load, by the name of the step: nothing without what it opens first. */
  private static Map<String, String> loaded(Map<String, String> files) {
    files.keySet().removeIf(f -> f.startsWith(".reweave") || f.equals(Manifest.FILE_NAME));
    return files.containsKey(STEP + "zero/optimizer_state.pt") ? files : Map.of();
  }

  @Test
  void allOfItIsThereOrNothing() throws IOException {
    int nothing = 0;
    int requests = 0;
    boolean died = true;
    while (died) {
      assertTrue(requests < MOST_REQUESTS, "it does not come to its end");
      String folder = fs.getUri() + "/new/" + requests;
      died = dies("first", folder, requests);
      Map<String, String> found = loaded(new TreeMap<>(HadoopFiles.digests(fs, folder)));
      if (found.isEmpty()) {
        nothing++;
      } else {
        found.putIfAbsent(UniversalFiles.LATEST, first.get(UniversalFiles.LATEST));
        assertEquals(first, found, "behind " + requests + " requests");
      }
      var unused = convert("first", folder);
      assertEquals(
          first,
          loaded(new TreeMap<>(HadoopFiles.digests(fs, folder))),
          "run again behind " + requests + " requests");
      requests += 3;
    }
    assertTrue(nothing > 3, nothing + " times nothing was there");
  }

  @Test
  void aStepIsReplacedWhole() throws IOException {
    Path old = temp.resolve("first-made");
    conf.setClass("fs.dying.impl", RemovedModelKillTest.Dying.class, FileSystem.class);
    int before = 0;
    int changes = 1;
    boolean died = true;
    while (died) {
      assertTrue(changes < MOST_REQUESTS, "it does not come to its end");
      Path folder = Fixtures.copy(old, temp.resolve("old" + changes));
      RemovedModelKillTest.Dying.LEFT.set(changes);
      died = false;
      try {
        var unused = convert("second", "dying:" + folder);
      } catch (ReweaveException e) {
        died = true;
      }
      RemovedModelKillTest.Dying.LEFT.set(RemovedModelKillTest.Dying.NEVER);
      Map<String, String> found = loaded(new TreeMap<>(Fixtures.digests(folder)));
      // Both steps are called the same.
      if (!found.isEmpty()) {
        found.putIfAbsent(UniversalFiles.LATEST, second.get(UniversalFiles.LATEST));
      }
      before += found.equals(first) ? 1 : 0;
      if (!found.isEmpty() && !found.equals(first)) {
        assertEquals(second, found, "behind " + changes + " changes");
      }
      var unused = convert("second", "dying:" + folder);
      assertEquals(
          second,
          loaded(new TreeMap<>(Fixtures.digests(folder))),
          "run again behind " + changes + " changes");
      changes++;
    }
    assertTrue(before > 0 && changes > 20, before + " times the old one, " + changes + " changes");
  }
}
