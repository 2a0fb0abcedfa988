package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.convert.ConversionRequest.ExistingOutput;
import dev.reweave.convert.ConversionRequest.Proving;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.TargetType;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.SparkListenerTaskStart;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What becomes visible, when, and what is left alone. */
class ConversionTest {
  @TempDir Path temp;

  private static Manifest convert(Path input, Path output, PlanOptions plan, ExistingOutput mode) {
    // What is read beside the weights, to compare them, is another matter.
    return Converting.between(input, output)
        .planning(plan)
        .existing(mode)
        .proving(Proving.NONE)
        .run()
        .manifest();
  }

  private static PlanOptions shardsOf(long bytes) {
    return PlanOptions.DEFAULTS.with(PlanOptions.MAX_SHARD_SIZE, bytes);
  }

  private static Path good() {
    return Fixtures.folder("z2_bf16_w2/ckpt");
  }

  @Test
  void overwriteReplacesTheModelAndKeepsOtherFiles() throws IOException {
    Path output = temp.resolve("out");
    convert(good(), output, shardsOf(200), ExistingOutput.REFUSE);
    assertTrue(Files.exists(output.resolve("model.safetensors.index.json")));
    Files.writeString(output.resolve("config.json"), "{}");

    convert(good(), output, PlanOptions.DEFAULTS, ExistingOutput.REPLACE);

    assertEquals(
        List.of("config.json", "model.safetensors", "reweave.json"),
        List.copyOf(Fixtures.digests(output).keySet()));
  }

  @Test
  void aFailedOverwriteLeavesTheOldModel() throws IOException {
    Path output = temp.resolve("out");
    convert(good(), output, shardsOf(200), ExistingOutput.REFUSE);
    Map<String, String> before = Fixtures.digests(output);

    Path damaged = Fixtures.folder("corrupt/z2_flipped_byte/ckpt");
    assertThrows(
        ReweaveException.class,
        () -> convert(damaged, output, PlanOptions.DEFAULTS, ExistingOutput.REPLACE));

    assertEquals(before, Fixtures.digests(output));
  }

  @Test
  void whatAKilledRunLeftIsClearedAway() throws IOException {
    Path output = temp.resolve("out");
    Files.createDirectories(output.resolve(".reweave"));
    Files.writeString(output.resolve(".reweave/model.safetensors"), "half a shard");

    convert(good(), output, PlanOptions.DEFAULTS, ExistingOutput.REFUSE);

    assertFalse(Files.exists(output.resolve(".reweave")));
    assertTrue(Files.exists(output.resolve("model.safetensors")));
  }

  @Test
  void theManifestTellsWhatWasReadAndWritten() throws IOException {
    Path output = temp.resolve("out");
    Manifest written = convert(good(), output, shardsOf(400), ExistingOutput.REFUSE);

    Manifest read =
        Manifest.parse(Files.readAllBytes(output.resolve("reweave.json")), "reweave.json");

    assertEquals(written, read);
    assertEquals("DeepSpeed", read.input().framework());
    assertEquals("0.19.6", read.input().version());
    assertEquals(2, read.input().zeroStage());
    assertEquals(2, read.input().worldSize());
    assertEquals("global_step3", read.input().tag());
    assertEquals("master", read.input().weights());
    assertEquals(3, read.input().files().size());
    for (Manifest.SourceFile file : read.input().files()) {
      Path source = good().resolve("global_step3").resolve(file.name());
      assertEquals(Files.size(source), file.bytes());
      assertEquals(Files.getLastModifiedTime(source).toMillis(), file.modified());
    }
    assertEquals(12, read.result().tensors());
    assertEquals(
        read.result().shards().stream().mapToLong(Manifest.Shard::bytes).sum(),
        read.figures().bytesWritten());
    for (Manifest.Shard shard : read.result().shards()) {
      assertEquals(Files.size(output.resolve(shard.name())), shard.bytes());
    }
    long needed = read.result().elements() * Float.BYTES;
    long padding = read.figures().bytesRead() - needed;
    assertTrue(padding >= 0 && padding < 2 * 2 * Float.BYTES, "bytes of padding: " + padding);
    assertEquals(2, read.figures().storagesChecked());
    assertEquals(0, read.figures().storagesUnchecked());
  }

  @Test
  void legacyFilesAreToldAsUnchecked() {
    Manifest manifest =
        convert(
            Fixtures.folder("legacy_z3_bf16_w2_tied/ckpt"),
            temp.resolve("out"),
            PlanOptions.DEFAULTS,
            ExistingOutput.REFUSE);

    assertEquals(0, manifest.figures().storagesChecked());
    assertEquals(2, manifest.figures().storagesUnchecked());
  }

  @Test
  void chunksOfAnySizeGiveTheSameFiles() throws IOException {
    Path input = Fixtures.folder("cog_z3_bf16_w2/ckpt");
    convert(input, temp.resolve("whole"), PlanOptions.DEFAULTS, ExistingOutput.REFUSE);
    PlanOptions chunked =
        PlanOptions.DEFAULTS.withSizes(
            PlanOptions.DEFAULTS.maxShardBytes(), PlanOptions.LEAST_CHUNK_BYTES);
    convert(input, temp.resolve("chunks"), chunked, ExistingOutput.REFUSE);

    assertEquals(
        Fixtures.sha256(Files.readAllBytes(temp.resolve("whole/model.safetensors"))),
        Fixtures.sha256(Files.readAllBytes(temp.resolve("chunks/model.safetensors"))));
  }

  @Test
  void chunksRunOnAllCores() throws TimeoutException {
    AtomicInteger running = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    SparkListener listener =
        new SparkListener() {
          @Override
          public void onTaskStart(SparkListenerTaskStart start) {
            most.accumulateAndGet(running.incrementAndGet(), Math::max);
          }

          @Override
          public void onTaskEnd(SparkListenerTaskEnd end) {
            running.decrementAndGet();
          }
        };
    SparkContext spark = TestSpark.context().sc();
    spark.addSparkListener(listener);
    try {
      convert(
          Fixtures.folder("cog_z3_bf16_w2/ckpt"),
          temp.resolve("out"),
          PlanOptions.DEFAULTS
              .withSizes(50_000, PlanOptions.LEAST_CHUNK_BYTES)
              .withType(new TargetType.Keep()),
          ExistingOutput.REFUSE);
      spark.listenerBus().waitUntilEmpty();
    } finally {
      spark.removeSparkListener(listener);
    }

    assertTrue(most.get() >= spark.defaultParallelism(), "at once: " + most);
  }

  @Test
  void anEmptyOutputFolderSurvivesAFailure() throws IOException {
    Path output = Files.createDirectory(temp.resolve("out"));
    Path damaged = Fixtures.folder("corrupt/z3_flipped_byte/ckpt");

    assertThrows(
        ReweaveException.class,
        () -> convert(damaged, output, PlanOptions.DEFAULTS, ExistingOutput.REFUSE));

    assertTrue(Files.isDirectory(output));
    assertEquals(Map.of(), Fixtures.digests(output));
  }

  @Test
  void moduleWeightsNeedNoOptimizerStates() throws IOException {
    Path input = Fixtures.copy(good(), temp.resolve("in"));
    Files.delete(input.resolve("global_step3/bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt"));
    Files.delete(input.resolve("global_step3/bf16_zero_pp_rank_1_mp_rank_00_optim_states.pt"));
    PlanOptions keep =
        PlanOptions.DEFAULTS
            .withSizes(PlanOptions.DEFAULTS.maxShardBytes(), 64_000_000)
            .withType(new TargetType.Keep());

    Manifest manifest = convert(input, temp.resolve("out"), keep, ExistingOutput.REFUSE);

    assertEquals("model", manifest.input().weights());
    assertEquals(12, manifest.result().tensors());
  }
}
