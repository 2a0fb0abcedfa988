package dev.reweave.look.compare;

import static dev.reweave.look.compare.Diffs.assertStraight;
import static dev.reweave.look.compare.Diffs.diff;
import static dev.reweave.look.compare.Diffs.fixture;
import static dev.reweave.look.compare.Diffs.row;
import static dev.reweave.look.compare.Diffs.side;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.look.report.DiffCriterion;
import dev.reweave.look.report.DiffReport;
import dev.reweave.look.report.DiffReport.Likeness;
import dev.reweave.plan.PlanOptions;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Deviation;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Locations;
import dev.reweave.testing.SafetensorsFile;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The numbers that a comparison gives, for changes that were made to real weights and others. */
class DiffNumbersTest {
  @TempDir Path temp;

  @Test
  void oneElementThatHasChanged() throws IOException {
    SafetensorsFile file = SafetensorsFile.read(fixture("z2_bf16_w2/expected.safetensors"));
    float[] before = file.floats("layers.0.weight");
    int at = 5 * 7 + 3;
    file.content("layers.0.weight").putFloat(at * Float.BYTES, before[at] + 0.5f);
    Path changed = file.write(temp.resolve("changed.safetensors"));

    DiffReport report = diff(side(fixture("z2_bf16_w2/ckpt")), side(changed));

    assertEquals(1, report.differing().size());
    DiffReport.Row row = report.differing().get(0);
    assertEquals("layers.0.weight", row.name());
    assertEquals(1, row.deviation().unequal());
    assertEquals(at, row.deviation().at());
    assertEquals((double) (before[at] + 0.5f) - before[at], row.deviation().absolute());
    assertStraight(before, file.floats("layers.0.weight"), row.deviation());
    assertEquals(row, report.farthest().orElseThrow());
  }

  @Test
  void aNanIsNeverWithinATolerance() throws IOException {
    SafetensorsFile file = SafetensorsFile.read(fixture("z2_bf16_w2/expected.safetensors"));
    file.content("norms.1.bias").putFloat(0, Float.NaN);
    Path changed = file.write(temp.resolve("changed.safetensors"));

    DiffReport report =
        diff(
            side(changed),
            side(fixture("z2_bf16_w2/ckpt")),
            PlanOptions.DEFAULTS,
            new DiffCriterion(Optional.of(1e30), DiffCriterion.Types.IGNORED));

    assertEquals(List.of("norms.1.bias"), report.differing().stream().map(r -> r.name()).toList());
    assertEquals(1, report.differing().get(0).deviation().broken().nanInFirst());
    assertEquals(0, report.differing().get(0).deviation().broken().nanInSecond());
    assertEquals(0, report.differing().get(0).deviation().absolute());
  }

  @Test
  void anotherShapeIsNotRead() throws IOException {
    SafetensorsFile file = SafetensorsFile.read(fixture("z2_bf16_w2/expected.safetensors"));
    Path changed =
        file.reshaped("layers.0.weight", 7, 13).write(temp.resolve("changed.safetensors"));

    DiffReport report =
        diff(
            side(fixture("z2_bf16_w2/expected.safetensors")),
            side(changed),
            PlanOptions.DEFAULTS,
            new DiffCriterion(Optional.of(1e30), DiffCriterion.Types.IGNORED));

    assertEquals(Likeness.OTHER_SHAPE, report.differing().get(0).likeness());
    assertEquals(1, report.differing().size());
    assertEquals(Deviation.NONE, report.differing().get(0).deviation());
  }

  @Test
  void integersThatWereCastToFloats() {
    DiffReport report =
        diff(
            side(fixture("z2_fp32_w2_bn/ckpt")),
            side(fixture("z2_fp32_w2_bn/expected.safetensors")));

    DiffReport.Row batches = row(report, "bn.num_batches_tracked");
    assertEquals(DType.I64, batches.first().dtype());
    assertEquals(DType.F32, batches.second().dtype());
    assertEquals(Likeness.SAME_IN_OTHER_TYPE, batches.likeness());
    assertEquals(Likeness.IDENTICAL, row(report, "conv.weight").likeness());
    assertTrue(
        report.differing().stream().allMatch(r -> r.likeness() == Likeness.SAME_IN_OTHER_TYPE),
        report::summary);
  }

  @Test
  void integerBuffers() throws IOException {
    long large = 1L << 60;
    Path first = longs(large, 3).write(temp.resolve("first.safetensors"));
    Path second = longs(large + 1, 3).write(temp.resolve("second.safetensors"));

    DiffReport report = diff(side(first), side(second));

    assertEquals(1, report.differing().size());
    assertEquals(1, report.differing().get(0).deviation().unequal());
    assertEquals(1, report.differing().get(0).deviation().absolute());
  }

  private static SafetensorsFile longs(long... numbers) {
    byte[] content = new byte[numbers.length * Long.BYTES];
    ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().put(numbers);
    return new SafetensorsFile().with("ids", DType.I64, Shape.of(numbers.length), content);
  }

  @Test
  void manySmallChunksGiveTheNumbersOfOne() throws IOException {
    SafetensorsFile a = new SafetensorsFile();
    SafetensorsFile b = new SafetensorsFile();
    SplittableRandom random = new SplittableRandom(11);
    for (int t = 0; t < 5; t++) {
      float[] x = new float[70_001 * (t + 1)];
      float[] y = new float[x.length];
      for (int i = 0; i < x.length; i++) {
        x[i] = (float) (random.nextDouble(-1, 1) * Math.pow(10, random.nextInt(-9, 9)));
        y[i] = random.nextInt(10) == 0 ? x[i] * 1.01f : x[i];
      }
      a.with("t" + t, Shape.of(x.length), x);
      b.with("t" + t, Shape.of(x.length), y);
    }
    DiffRequest.Side first = side(a.write(temp.resolve("a.safetensors")));
    DiffRequest.Side second = side(b.write(temp.resolve("b.safetensors")));

    DiffReport one = diff(first, second);
    DiffReport many =
        diff(
            first,
            second,
            PlanOptions.DEFAULTS.withSizes(1 << 30, PlanOptions.LEAST_CHUNK_BYTES),
            DiffCriterion.STRICT);

    assertEquals(one.rows(), many.rows());
    assertEquals(5, one.differing().size());
    assertEquals(a.bytes() + b.bytes(), one.bytesRead());
    assertEquals(a.bytes() + b.bytes(), many.bytesRead());
    for (int t = 0; t < 5; t++) {
      Deviation found = row(many, "t" + t).deviation();
      assertStraight(a.floats("t" + t), b.floats("t" + t), found);
    }
  }

  @Test
  void whatDiffersInAPartIsReadOnceMoreForItsDistance() throws IOException {
    SafetensorsFile a = new SafetensorsFile();
    SafetensorsFile b = new SafetensorsFile();
    SplittableRandom random = new SplittableRandom(12);
    for (int t = 0; t < 3; t++) {
      float[] x = new float[70_001];
      for (int i = 0; i < x.length; i++) {
        x[i] = (float) random.nextDouble(-1, 1);
      }
      a.with("t" + t, Shape.of(x.length), x);
      if (t == 1) {
        x[40_000] += 1;
      }
      b.with("t" + t, Shape.of(x.length), x);
    }
    DiffRequest.Side first = side(a.write(temp.resolve("a.safetensors")));
    DiffRequest.Side second = side(b.write(temp.resolve("b.safetensors")));

    DiffReport one = diff(first, second);
    DiffReport many =
        diff(
            first,
            second,
            PlanOptions.DEFAULTS.withSizes(1 << 30, PlanOptions.LEAST_CHUNK_BYTES),
            DiffCriterion.STRICT);

    assertEquals(one.rows(), many.rows());
    assertEquals(List.of("t1"), one.differing().stream().map(DiffReport.Row::name).toList());
    assertStraight(a.floats("t1"), b.floats("t1"), row(one, "t1").deviation());
    assertEquals(0, row(one, "t0").deviation().distance());
    assertEquals(1, row(one, "t0").deviation().cosine());
    assertEquals(2 * 4 * 4L * 70_001, one.bytesRead());
    assertEquals(one.bytesRead(), many.bytesRead());
  }

  @Test
  void chunksCoverEachElementOnce() throws IOException {
    Path file =
        new SafetensorsFile()
            .with("a", Shape.of(50_000), new float[50_000])
            .with("b", Shape.of(0), new float[0])
            .with("c", Shape.of(3), 1, 2, 3)
            .write(temp.resolve("a.safetensors"));
    Checkpoint checkpoint =
        new CheckpointReader(TestSpark.stores(), new ThreadScanner(TestSpark.stores()))
            .read(Locations.of(file), ReadOptions.defaults());
    List<DiffPlan.Pair> pairs =
        checkpoint.tensors().stream().map(t -> new DiffPlan.Pair(List.of(t.name()), t, t)).toList();

    DiffPlan plan = DiffPlan.of(checkpoint.files(), checkpoint.files(), pairs, 64_000);

    long[] next = new long[3];
    for (DiffPlan.Chunk chunk : plan.chunks()) {
      long bytes = 0;
      for (DiffPlan.Range range : chunk.ranges()) {
        assertEquals(next[range.pair()], range.from());
        next[range.pair()] = range.to();
        bytes += 8 * (range.to() - range.from());
      }
      assertTrue(bytes > 0 && bytes <= 64_000, chunk::toString);
    }
    for (int p = 0; p < 3; p++) {
      assertEquals(pairs.get(p).first().spec().elements(), next[p]);
    }
    // Of one block each, but for the last one.
    assertEquals(12, plan.chunks().size());
  }
}
