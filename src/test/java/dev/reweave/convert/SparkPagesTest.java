package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.codahale.metrics.Counter;
import dev.reweave.common.ReweaveException;
import dev.reweave.look.compare.Verification;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.PlanOptions;
import dev.reweave.spark.ReweaveMetricsPlugin;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.Converting;
import dev.reweave.testing.FaultyFileSystem;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import dev.reweave.testing.SparkPages;
import dev.reweave.testing.SyntheticCheckpoint;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkEnv;
import org.apache.spark.metrics.source.Source;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import scala.jdk.javaapi.CollectionConverters;

/** What Spark's own pages and metrics tell of a conversion. */
class SparkPagesTest {
  private static final long ELEMENTS = 500_000;
  private static final int SHARDS = 3;

  @TempDir Path temp;
  private SparkPages pages;
  private Map<String, Long> before;

  @BeforeEach
  void remember() {
    pages = SparkPages.from(TestSpark.context());
    before = metrics();
  }

  @AfterEach
  void heal() {
    FaultyFileSystem.heal();
  }

  /** The counters as Spark's metrics sinks see them. */
  private static Map<String, Long> metrics() {
    Map<String, Long> found = new TreeMap<>();
    String name = "plugin." + ReweaveMetricsPlugin.class.getName();
    for (Source source :
        CollectionConverters.asJava(SparkEnv.get().metricsSystem().getSourcesByName(name))) {
      for (Map.Entry<String, Counter> counter : source.metricRegistry().getCounters().entrySet()) {
        found.put(counter.getKey(), counter.getValue().getCount());
      }
    }
    return found;
  }

  private Map<String, Long> metricsSince() {
    Map<String, Long> since = metrics();
    before.forEach((name, count) -> since.merge(name, -count, Long::sum));
    return since;
  }

  private Path checkpoint() throws IOException {
    List<TensorSpec> parameters =
        IntStream.range(0, SHARDS)
            .mapToObj(i -> new TensorSpec("layer" + i, DType.F32, Shape.of(ELEMENTS / 100, 100)))
            .toList();
    var unused = SyntheticCheckpoint.write(temp.resolve("in"), 3, 2, parameters, 11);
    return temp.resolve("in");
  }

  private Manifest convert(Path input) {
    return Converting.between(input, temp.resolve("out"))
        .planning(PlanOptions.DEFAULTS.withSizes(1_000_000, 64_000))
        .type("bfloat16")
        .run()
        .manifest();
  }

  @Test
  void jobsAndStagesAreCalledWhatTheyDo() throws IOException {
    convert(checkpoint());
    var unused =
        new Verification(TestSpark.cluster(), TestSpark.stores()).run(Locations.of(temp + "/out"));

    List<String> jobs = pages.jobs();
    assertEquals(
        List.of(
            "convert: shard 1 of 3",
            "convert: shard 2 of 3",
            "convert: shard 3 of 3",
            "check: the checksums of 4 input files",
            "verify: the checksums of 4 files"),
        jobs.stream().filter(job -> !job.startsWith("read ")).toList());
    List<String> reading = jobs.stream().filter(job -> job.startsWith("read ")).toList();
    assertTrue(reading.size() > 0, jobs::toString);
    for (String job : reading) {
      assertTrue(job.matches("read the structure of \\d files"), job);
    }
    assertEquals(jobs.stream().map(job -> job + " | " + job).toList(), pages.stages());
  }

  @Test
  void oneJobForManySmallShards() {
    Converting.between(Fixtures.folder("z2_bf16_w2/ckpt"), temp.resolve("out"))
        .planning(PlanOptions.DEFAULTS.withSizes(400, 64_000))
        .run();

    assertTrue(pages.jobs().contains("convert: all 3 shards"), () -> pages.jobs().toString());
  }

  @Test
  void accumulatorsAreWhatTheManifestSays() throws IOException {
    Manifest.Figures figures = convert(checkpoint()).figures();

    assertEquals(
        Map.of(
            dev.reweave.spark.Counter.BYTES_READ,
            figures.bytesRead(),
            dev.reweave.spark.Counter.BYTES_WRITTEN,
            figures.bytesWritten(),
            RunCounters.ELEMENTS_CAST,
            SHARDS * ELEMENTS,
            RunCounters.READS,
            figures.readRequests(),
            RunCounters.REPEATED_READS,
            0L),
        pages.accumulators());
  }

  @Test
  void metricsCountWhatExecutorsDid() throws IOException {
    Manifest.Figures figures = convert(checkpoint()).figures();

    Map<String, Long> counted = metricsSince();
    assertEquals(figures.bytesWritten(), counted.get("bytesWritten"));
    assertEquals(SHARDS * ELEMENTS, counted.get("elementsCast"));
    assertEquals(0, counted.get("failedChunks"));
    assertEquals(figures.bytesNeeded(), counted.get("bytesRead"));
    assertTrue(counted.get("chunks") >= SHARDS * 1_000_000 / 64_000, counted::toString);
    assertTrue(counted.get("reads") >= counted.get("chunks"), counted::toString);
  }

  /** The message of a chunk that failed tells of the file, the shard, the attempt and the host. */
  @Test
  void aFailedChunkIsDescribed() throws IOException {
    Configuration conf = new Configuration(TestSpark.context().hadoopConfiguration());
    FaultyFileSystem.configure(conf);
    FaultyFileSystem.failAttempts("convert: ", 1);

    ReweaveException failure =
        assertThrows(
            ReweaveException.class,
            () ->
                Converting.between("faulty:" + checkpoint(), temp.resolve("out"))
                    .planning(PlanOptions.DEFAULTS.withSizes(2_000_000, 64_000))
                    .in(new Stores(conf))
                    .run());

    assertTrue(
        failure
            .getMessage()
            .matches(
                "cannot read \\(injected failure of READ\\): faulty:.*_optim_states\\.pt, while"
                    + " making bytes \\d+ to \\d+ of model-0000\\d-of-00003\\.safetensors"
                    + " \\(tensor layer\\d\\), attempt 1 on 127\\.0\\.0\\.1; check the store.*"),
        failure.getMessage());
    assertTrue(metricsSince().get("failedChunks") >= 1, "failure was not counted");
    assertEquals(0, metricsSince().get("chunks"));
  }
}
