package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.look.compare.Verification;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.prepare.MappingChoice;
import dev.reweave.storage.Stores;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.HadoopFiles;
import dev.reweave.testing.Locations;
import dev.reweave.testing.S3Server;
import dev.reweave.testing.TestHdfs;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Every checkpoint gives the same files, wherever it lies and wherever the result goes. */
class StoreToStoreTest {
  /** A saved step of a fixture; the one that {@code latest} names if the tag is empty. */
  record Step(String fixture, Optional<String> tag) {
    @Override
    public String toString() {
      return fixture + tag.map(t -> "/" + t).orElse("");
    }
  }

  private enum Store {
    FILE,
    S3A,
    HDFS
  }

  @TempDir static Path temp;
  private static Configuration conf;
  private static String bucket;
  private static final Map<Store, FileSystem> SYSTEMS = new HashMap<>();
  private static final Map<String, Map<String, String>> LOCAL_RESULTS = new HashMap<>();
  private static final Set<String> UPLOADED = new HashSet<>();

  @BeforeAll
  static void start() throws IOException {
    conf = new Configuration(TestSpark.context().hadoopConfiguration());
    S3Server.shared().configure(conf);
    bucket = S3Server.shared().newBucket();
    SYSTEMS.put(Store.HDFS, TestHdfs.fileSystem());
    SYSTEMS.put(Store.S3A, FileSystem.get(java.net.URI.create("s3a://" + bucket), conf));
    SYSTEMS.put(Store.FILE, FileSystem.getLocal(conf).getRawFileSystem());
  }

  @AfterAll
  static void stop() throws IOException {
    SYSTEMS.get(Store.S3A).close();
  }

  static List<Step> steps() throws IOException {
    List<Step> steps = new ArrayList<>();
    try (Stream<Path> fixtures = Files.list(Fixtures.resource("fixtures"))) {
      for (Path fixture : fixtures.filter(f -> Files.exists(f.resolve("ckpt"))).sorted().toList()) {
        String name = fixture.getFileName().toString();
        List<String> tags = tags(fixture.resolve("ckpt"));
        steps.add(new Step(name, Optional.empty()));
        if (tags.size() > 1) {
          tags.forEach(tag -> steps.add(new Step(name, Optional.of(tag))));
        }
      }
    }
    assertTrue(steps.size() > 35, "fixtures: " + steps.size());
    return steps;
  }

  private static List<String> tags(Path checkpoint) throws IOException {
    List<String> tags = new ArrayList<>();
    try (Stream<Path> folders = Files.list(checkpoint)) {
      for (Path folder : folders.filter(Files::isDirectory).sorted().toList()) {
        try (Stream<Path> files = Files.list(folder)) {
          if (files.anyMatch(f -> f.toString().endsWith("_states.pt"))) {
            tags.add(folder.getFileName().toString());
          }
        }
      }
    }
    return tags;
  }

  /** The rules that lie beside a fixture, if there are any. */
  private static MappingChoice mapping(Step step) {
    Path file = Fixtures.folder(step.fixture()).resolve("mapping.json");
    return Files.exists(file) ? MappingChoice.of(file.toString()) : MappingChoice.AUTO;
  }

  private static Manifest convert(Step step, String input, String output) throws IOException {
    long size = 0;
    Path source = Fixtures.folder(step.fixture()).resolve("ckpt");
    for (String name : Fixtures.digests(source).keySet()) {
      size += Files.size(source.resolve(name));
    }
    PlanOptions plan = PlanOptions.DEFAULTS.withSizes(Math.max(400, size / 6), 64_000);
    return Converting.between(input, output)
        .reading(new ReadOptions(step.tag(), Optional.empty(), ReadOptions.Frozen.INCLUDE))
        .planning(plan)
        .mapping(mapping(step).name())
        .in(new Stores(conf))
        .run()
        .manifest();
  }

  /** What the same conversion gives without any store, by name; without the manifest. */
  private static Map<String, String> local(Step step) throws IOException {
    Map<String, String> known = LOCAL_RESULTS.get(step.toString());
    if (known == null) {
      Path output = temp.resolve("local/" + step);
      convert(step, Fixtures.folder(step.fixture()).resolve("ckpt").toString(), output.toString());
      known = Fixtures.digests(output);
      known.remove(Manifest.FILE_NAME);
      LOCAL_RESULTS.put(step.toString(), known);
    }
    return known;
  }

  private static String root(Store store) {
    return store == Store.FILE ? temp.toString() : "/store-to-store";
  }

  private static String put(Store store, String fixture) throws IOException {
    String place = root(store) + "/in/" + fixture;
    FileSystem fs = SYSTEMS.get(store);
    return UPLOADED.add(store + place)
        ? HadoopFiles.copy(Fixtures.folder(fixture).resolve("ckpt"), fs, place)
        : fs.getUri() + place;
  }

  private static void convertBetween(Store from, Store to, Step step) throws IOException {
    String folder = root(to) + "/out/" + from + "/" + step;
    FileSystem fs = SYSTEMS.get(to);
    String output = fs.makeQualified(new org.apache.hadoop.fs.Path(folder)).toString();

    convert(step, put(from, step.fixture()), output);

    Map<String, String> made = HadoopFiles.digests(fs, output);
    assertTrue(made.remove(Manifest.FILE_NAME) != null, "no manifest");
    assertEquals(local(step), made);
    Verification.Result verified =
        new Verification(TestSpark.cluster(), new Stores(conf)).run(Locations.of(output));
    assertEquals(List.of(), verified.problems());
    assertTrue(verified.checksums());
    assertEquals(List.of(), S3Server.shared().pendingUploads(bucket));
  }

  @ParameterizedTest
  @MethodSource("steps")
  void withinS3(Step step) throws IOException {
    convertBetween(Store.S3A, Store.S3A, step);
  }

  @ParameterizedTest
  @MethodSource("steps")
  void withinHdfs(Step step) throws IOException {
    convertBetween(Store.HDFS, Store.HDFS, step);
  }

  @ParameterizedTest
  @CsvSource({
    "FILE, S3A, z2_bf16_w2",
    "FILE, S3A, z3_bf16_w2_llama_tied",
    "S3A, HDFS, z3_fp16_w3",
    "S3A, HDFS, z1_fp16_w2_frozen",
    "HDFS, FILE, z2_fp16_w3_groups",
    "HDFS, FILE, legacy_z3_bf16_w2_tied",
    "S3A, FILE, cog_z3_bf16_w2",
    "HDFS, S3A, z3_hpz_bf16_w4",
  })
  void between(String from, String to, String fixture) throws IOException {
    convertBetween(Store.valueOf(from), Store.valueOf(to), new Step(fixture, Optional.empty()));
  }
}
