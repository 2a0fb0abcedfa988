package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reweave.common.ReweaveException;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.PlanOptions;
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
import dev.reweave.testing.Locations;
import dev.reweave.testing.S3Server;
import dev.reweave.testing.SyntheticCheckpoint;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A process that replaces a model in an object store dies at each request that changes something:
 * whatever was the last that came through, loaders find one whole model.
 */
class OverwriteKillTest {
  private static final int FOREVER = Integer.MAX_VALUE;
  private static final int MOST_REQUESTS = 60;
  private static final PlanOptions SHARDED = PlanOptions.DEFAULTS.withSizes(4_000, 64_000);
  private static final PlanOptions SINGLE = PlanOptions.DEFAULTS.withSizes(1 << 20, 64_000);
  private static final String INDEX = "model.safetensors.index.json";
  private static final String SINGLE_FILE = "model.safetensors";
  private static final String CONFIG = "config.json";
  private static final String OLD_CONFIG = "{\"model_type\": \"old\"}";
  private static final String NEW_CONFIG = "{\"model_type\": \"new\"}";
  private static final ObjectMapper JSON = new ObjectMapper();

  /** From what to what. */
  enum Transition {
    SHARDS_TO_SHARDS,
    SHARDS_AND_CONFIGS,
    SINGLE_TO_SINGLE,
    SHARDS_TO_SINGLE,
    SINGLE_TO_SHARDS;

    PlanOptions old() {
      return name().startsWith("SINGLE") ? SINGLE : SHARDED;
    }

    PlanOptions made() {
      return name().endsWith("SINGLE") ? SINGLE : SHARDED;
    }

    /** Whether both have a config that the other has not. */
    boolean configs() {
      return this == SHARDS_AND_CONFIGS;
    }
  }

  /** Which of two kinds of weights a loader takes. */
  private enum Loader {
    TRANSFORMERS,
    DIFFUSERS;

    List<String> order() {
      return this == TRANSFORMERS ? List.of(SINGLE_FILE, INDEX) : List.of(INDEX, SINGLE_FILE);
    }
  }

  @TempDir static Path temp;
  private static FaultProxy proxy;
  private static Configuration conf;
  private static Path earlier;
  private static Path later;

  private String bucket;
  private FileSystem fs;
  private int folders;

  @BeforeAll
  static void start() throws IOException {
    proxy = FaultProxy.start(S3Server.shared());
    conf = new Configuration(TestSpark.context().hadoopConfiguration());
    proxy.configure(conf);
    earlier = checkpoint("earlier", 3);
    later = checkpoint("later", 4);
  }

  private static Path checkpoint(String name, int seed) throws IOException {
    Path folder = temp.resolve(name);
    List<TensorSpec> tensors =
        IntStream.range(0, 3)
            .mapToObj(i -> new TensorSpec("layer" + i, DType.F32, Shape.of(90, 10)))
            .toList();
    var unused = SyntheticCheckpoint.write(folder, 2, 2, tensors, seed);
    return folder;
  }

  @AfterAll
  static void stop() {
    proxy.close();
  }

  @BeforeEach
  void newBucket() throws IOException {
    bucket = S3Server.shared().newBucket();
    fs = FileSystem.get(URI.create("s3a://" + bucket), conf);
    proxy.clear();
  }

  @AfterEach
  void closeBucket() throws IOException {
    fs.close();
  }

  /** A folder with the old model, as if it had been made there. */
  private String folderWith(Path model) throws IOException {
    return HadoopFiles.copy(model, fs, "/models/m" + folders++);
  }

  private static Path local(Path input, PlanOptions options, String name) throws IOException {
    Path output = temp.resolve(name);
    if (Files.notExists(output)) {
      var unused = Converting.between(input, output).planning(options).run();
    }
    return output;
  }

  private static Converting conversion(String output, Transition transition) throws IOException {
    Converting conversion =
        Converting.between(later, output).planning(transition.made()).in(new Stores(conf));
    return transition.configs() ? conversion.base(base()) : conversion;
  }

  /** A model folder with a config, and weights of the same names. */
  private static Path base() throws IOException {
    Path base = temp.resolve("base");
    if (Files.notExists(base)) {
      Fixtures.copy(local(earlier, SINGLE, "weights"), base);
      Files.delete(base.resolve(Manifest.FILE_NAME));
      Files.writeString(base.resolve(CONFIG), NEW_CONFIG);
    }
    return base;
  }

  private static Manifest overwrite(String output, Transition transition) throws IOException {
    return conversion(output, transition).overwriting().run().manifest();
  }

  /** Every request that changes the bucket, once publishing has begun, behind the first so many. */
  private Predicate<Request> deadAfter(int requests) {
    AtomicInteger seen = new AtomicInteger(-1);
    return r -> {
      if (r.method().matches("GET|HEAD") || !r.path().startsWith("/" + bucket)) {
        return false;
      }
      if (seen.get() < 0 && !r.path().endsWith("/.reweave/publishing")) {
        return false;
      }
      return seen.incrementAndGet() >= requests;
    };
  }

  private Map<String, byte[]> files(String folder) throws IOException {
    Map<String, byte[]> files = new TreeMap<>();
    for (String name : HadoopFiles.digests(fs, folder).keySet()) {
      try (var in = fs.open(new org.apache.hadoop.fs.Path(folder, name))) {
        files.put(name, in.readAllBytes());
      }
    }
    // That of a dead process falls when the next one writes.
    files.remove(".reweave.lock");
    return files;
  }

  private static Map<String, byte[]> localFiles(Path folder) throws IOException {
    Map<String, byte[]> files = new TreeMap<>();
    for (String name : Fixtures.digests(folder).keySet()) {
      files.put(name, Files.readAllBytes(folder.resolve(name)));
    }
    return files;
  }

  /** By tensor, a digest of what the loader gets; fails where it finds no whole model. */
  private static Map<String, String> load(Map<String, byte[]> files, Loader loader)
      throws IOException {
    for (String name : loader.order()) {
      if (!files.containsKey(name)) {
        continue;
      }
      if (name.equals(SINGLE_FILE)) {
        return tensors(files.get(name));
      }
      Map<String, String> loaded = new TreeMap<>();
      JsonNode map = JSON.readTree(files.get(name)).get("weight_map");
      for (Map.Entry<String, JsonNode> entry : map.properties()) {
        byte[] shard = files.get(entry.getValue().asText());
        assertTrue(shard != null, "not there: " + entry.getValue() + " beside " + files.keySet());
        String tensor = tensors(shard).get(entry.getKey());
        assertTrue(tensor != null, "no " + entry.getKey() + " in " + entry.getValue());
        loaded.put(entry.getKey(), tensor);
      }
      return loaded;
    }
    throw new AssertionError("no model in " + files.keySet());
  }

  private static Map<String, String> tensors(byte[] file) throws IOException {
    int header = (int) ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong();
    int data = Long.BYTES + header;
    JsonNode entries = JSON.readTree(new String(file, Long.BYTES, header, StandardCharsets.UTF_8));
    Map<String, String> tensors = new TreeMap<>();
    for (Map.Entry<String, JsonNode> entry : entries.properties()) {
      JsonNode offsets = entry.getValue().get("data_offsets");
      if (offsets != null) {
        byte[] bytes =
            Arrays.copyOfRange(file, data + offsets.get(0).asInt(), data + offsets.get(1).asInt());
        tensors.put(entry.getKey(), Fixtures.digest(bytes));
      }
    }
    return tensors;
  }

  /**
   * S3Mock 4.11 removes with an upload that is aborted the object that has its key; no store does
   * that.
   */
  private static void heal() {
    proxy.clear();
    proxy.inject(
        r ->
            r.method().equals("DELETE")
                && r.query().contains("uploadId=")
                && r.path().endsWith("/" + SINGLE_FILE),
        FOREVER,
        Fault.answer(204, ""));
  }

  /** Cuts the process off behind so many requests; gives whether that did harm. */
  private boolean dies(String folder, Transition transition, int requests) throws IOException {
    proxy.clear();
    Predicate<Request> dead = deadAfter(requests);
    AtomicInteger refused = new AtomicInteger();
    proxy.inject(
        r -> {
          boolean refuses = dead.test(r);
          refused.addAndGet(refuses ? 1 : 0);
          return refuses;
        },
        FOREVER,
        Fault.status(403));
    try {
      var unused = overwrite(folder, transition);
    } catch (ReweaveException e) {
      assertTrue(refused.get() > 0, e::getMessage);
    }
    heal();
    return refused.get() > 0;
  }

  @ParameterizedTest
  @EnumSource
  void aWholeModelIsThereWhereverAProcessDies(Transition transition) throws IOException {
    Path old = local(earlier, transition.old(), "old-" + transition);
    if (transition.configs()) {
      Files.writeString(old.resolve(CONFIG), OLD_CONFIG);
    }
    Path made = local(later, transition.made(), "made-" + transition);
    Map<String, String> oldWeights = load(localFiles(old), Loader.TRANSFORMERS);
    Map<String, String> newWeights = load(localFiles(made), Loader.TRANSFORMERS);
    assertFalse(oldWeights.equals(newWeights));
    int requests = 0;
    int before = 0;
    int behind = 0;
    boolean died = true;
    while (died) {
      assertTrue(requests < MOST_REQUESTS, "it does not come to its end");
      String folder = folderWith(old);
      String cleaned = folderWith(old);
      died = dies(folder, transition, requests);
      var unused = dies(cleaned, transition, requests);
      String when = "behind " + requests + " requests: ";
      for (Loader loader : Loader.values()) {
        Map<String, String> loaded = load(files(folder), loader);
        assertTrue(
            loaded.equals(oldWeights) || loaded.equals(newWeights),
            when + loader + " finds a mixture in " + files(folder).keySet());
        before += loaded.equals(oldWeights) ? 1 : 0;
        behind += loaded.equals(newWeights) ? 1 : 0;
      }

      assertRunsAgain(folder, transition, newWeights, when);
      if (!died) {
        assertUpToDate(folder, transition);
      }
      assertIsCleaned(cleaned, localFiles(old), newWeights, when);
      requests++;
    }
    assertTrue(before > 0 && behind > 0, before + " times the old model, " + behind + " the new");
  }

  private void assertRunsAgain(
      String folder, Transition transition, Map<String, String> newWeights, String when)
      throws IOException {
    Manifest manifest = overwrite(folder, transition);
    Map<String, byte[]> files = files(folder);
    for (Loader loader : Loader.values()) {
      assertEquals(newWeights, load(files, loader), when);
    }
    assertEquals(new TreeSet<>(manifest.fileNames()), files.keySet(), when);
    if (transition.configs()) {
      assertEquals(NEW_CONFIG, new String(files.get(CONFIG), StandardCharsets.UTF_8), when);
    }
    assertEquals(
        List.of(),
        S3Server.shared().pendingUploads(bucket).stream()
            .filter(u -> !u.endsWith("/" + SINGLE_FILE))
            .filter(u -> ("s3a://" + bucket + "/" + u).startsWith(folder + "/"))
            .toList(),
        when);
  }

  private static void assertUpToDate(String folder, Transition transition) throws IOException {
    assertEquals(Conversion.Outcome.Kind.UP_TO_DATE, conversion(folder, transition).run().kind());
  }

  private void assertIsCleaned(
      String folder, Map<String, byte[]> old, Map<String, String> newWeights, String when)
      throws IOException {
    List<String> removed = new Cleanup(new Stores(conf)).run(Locations.of(folder));
    Map<String, byte[]> files = files(folder);
    Map<String, String> loaded = load(files, Loader.TRANSFORMERS);
    assertEquals(loaded, load(files, Loader.DIFFUSERS), when);
    if (loaded.equals(newWeights)) {
      List<String> weights = new ArrayList<>(files.keySet());
      weights.removeIf(n -> !n.endsWith(".safetensors"));
      JsonNode index = files.containsKey(INDEX) ? JSON.readTree(files.get(INDEX)) : null;
      TreeSet<String> named = new TreeSet<>(List.of(SINGLE_FILE));
      if (index != null) {
        named.clear();
        index.get("weight_map").forEach(shard -> named.add(shard.asText()));
      }
      assertEquals(named, new TreeSet<>(weights), when + removed);
    } else {
      assertEquals(old.keySet(), files.keySet(), when + removed);
      old.forEach((name, content) -> assertTrue(Arrays.equals(content, files.get(name)), name));
    }
  }
}
