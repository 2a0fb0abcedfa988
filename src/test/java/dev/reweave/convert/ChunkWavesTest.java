package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.PlanOptions;
import dev.reweave.spark.SparkTasks;
import dev.reweave.storage.PartRule;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.SyntheticCheckpoint;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The jobs that a conversion is made of. */
class ChunkWavesTest {
  @TempDir Path temp;

  private static ConversionPlan plan(Converting converting) {
    return new Preparation(TestSpark.stores(), new ThreadScanner(TestSpark.stores()))
        .prepare(converting.request())
        .plan();
  }

  private static List<String> jobs(ConversionPlan plan, int cores) {
    return new ChunkWaves(plan, plan.chunks(PartRule.FREE), file -> false)
        .bodies(cores).stream().map(SparkTasks.Batch::description).toList();
  }

  /** Twelve shards of three chunks, of which each of three ranks has four. */
  private ConversionPlan twelveShards() throws IOException {
    List<TensorSpec> parameters =
        IntStream.range(0, 12)
            .mapToObj(i -> new TensorSpec("layer" + (10 + i), DType.F32, Shape.of(40_000)))
            .toList();
    var unused = SyntheticCheckpoint.write(temp, 2, 3, parameters, 8);
    return plan(
        Converting.between(temp, temp.resolve("out"))
            .planning(PlanOptions.DEFAULTS.withSizes(160_000, 64_000)));
  }

  @Test
  void shardsOfDifferentRanksAreMadeAtOnce() throws IOException {
    ConversionPlan plan = twelveShards();

    assertEquals(
        List.of(
            "convert: shards 1, 5 and 9 of 12",
            "convert: shards 2, 6 and 10 of 12",
            "convert: shards 3, 7 and 11 of 12",
            "convert: shards 4, 8 and 12 of 12"),
        jobs(plan, 2));
    assertEquals("convert: shards 1 and 5 of 12", jobs(plan, 1).get(0));
    assertEquals(List.of("convert: 11 of 12 shards", "convert: shard 12 of 12"), jobs(plan, 8));
    assertEquals(List.of("convert: all 12 shards"), jobs(plan, 100));
  }

  @Test
  void shardsThatAreDoneAreLeftOut() throws IOException {
    ConversionPlan plan = twelveShards();
    String first = plan.files().get(0).path();

    ChunkWaves steps =
        new ChunkWaves(plan, plan.chunks(PartRule.FREE), file -> !file.path().equals(first));

    assertEquals("convert: shard 1 of 12", steps.bodies(2).get(0).description());
    assertEquals(1, steps.bodies(2).size());
  }

  @Test
  void copiesAreToldApart() {
    ConversionPlan plan =
        plan(
            Converting.between(Fixtures.folder("cog_z2_bf16_w2/ckpt"), temp.resolve("out"))
                .base(Fixtures.folder("base_pipeline")));
    int copies = plan.copied().size();
    assertTrue(copies > 1, "copies: " + copies);

    assertEquals(List.of("convert: shard 1 of 1, copy " + copies + " files"), jobs(plan, 100));
  }
}
