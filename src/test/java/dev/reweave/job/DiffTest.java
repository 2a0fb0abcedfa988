package dev.reweave.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.ReweaveException;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.CheckpointReader;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.ThreadScanner;
import dev.reweave.checkpoint.Weights;
import dev.reweave.plan.PlanOptions;
import dev.reweave.report.DiffCriterion;
import dev.reweave.report.DiffReport;
import dev.reweave.report.DiffReport.Likeness;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Deviation;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.SafetensorsFile;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Two sets of weights of all kinds, compared on Spark. */
class DiffTest {
  @TempDir Path temp;

  private static DiffRequest.Side side(Object address) {
    return DiffRequest.Side.of(address.toString());
  }

  private static DiffRequest.Side side(
      Object address, Optional<String> tag, Optional<Weights> weights, String mapping) {
    return new DiffRequest.Side(
        address.toString(),
        new ReadOptions(tag, weights, ReadOptions.Frozen.INCLUDE),
        MappingChoice.of(mapping));
  }

  private static DiffReport diff(DiffRequest.Side first, DiffRequest.Side second) {
    return diff(first, second, PlanOptions.DEFAULTS, DiffCriterion.STRICT);
  }

  private static DiffReport diff(
      DiffRequest.Side first,
      DiffRequest.Side second,
      PlanOptions planning,
      DiffCriterion criterion) {
    return new Diff(TestSpark.context(), TestSpark.stores())
        .run(new DiffRequest(first, second, planning, criterion));
  }

  private static Path fixture(String path) {
    return Fixtures.folder(path);
  }

  private static DiffReport.Row row(DiffReport report, String name) {
    return report.rows().stream().filter(r -> r.names().contains(name)).findFirst().orElseThrow();
  }

  /** What a plain loop over all numbers gives. */
  private static void assertStraight(float[] x, float[] y, Deviation found) {
    long differing = 0;
    double absolute = 0;
    double relative = 0;
    double xx = 0;
    double yy = 0;
    double xy = 0;
    double dd = 0;
    for (int i = 0; i < x.length; i++) {
      double apart = Math.abs((double) x[i] - (double) y[i]);
      differing += x[i] == y[i] ? 0 : 1;
      absolute = Math.max(absolute, apart);
      relative =
          apart == 0
              ? relative
              : Math.max(relative, apart / Math.max(Math.abs((double) x[i]), Math.abs(y[i])));
      xx += (double) x[i] * x[i];
      yy += (double) y[i] * y[i];
      xy += (double) x[i] * y[i];
      dd += apart * apart;
    }
    assertEquals(x.length, found.numbers());
    assertEquals(differing, found.differing());
    assertEquals(differing, found.unequal());
    assertEquals(absolute, found.absolute());
    assertEquals(relative, found.relative());
    assertEquals(xy / Math.sqrt(xx * yy), found.cosine(), 1e-12);
    assertEquals(Math.sqrt(dd / Math.max(xx, yy)), found.distance(), 1e-12);
  }

  @ParameterizedTest
  @CsvSource({
    "z2_bf16_w2/ckpt, z2_bf16_w2/expected.safetensors, 12",
    "z2_bf16_w2_empty/ckpt, z2_bf16_w2_empty/expected.safetensors, 8",
    "z3_fp16_w3/ckpt, z3_fp16_w3/expected.safetensors, 7",
    "uc_from_z2_bf16_w2/ckpt, z2_bf16_w2/ckpt, 12",
    "dcp_plain/ckpt, dcp_plain/expected.safetensors, 8",
  })
  void theSameWeightsInTwoForms(String first, String second, int tensors) {
    DiffReport report = diff(side(fixture(first)), side(fixture(second)));

    assertTrue(report.isEqual(), report::summary);
    assertEquals(tensors, report.rows().size());
    assertTrue(
        report.rows().stream().allMatch(r -> r.likeness() == Likeness.IDENTICAL), report::summary);
    assertEquals(List.of(), report.differing());
  }

  @Test
  void slicesOfTensorParallelRanksAreJoinedAsAMappingSays() {
    String mapping = fixture("tp2_z2_bf16_w4/mapping.json").toString();
    Path checkpoint = fixture("tp2_z2_bf16_w4/ckpt");
    DiffRequest.Side masters = side(checkpoint, Optional.empty(), Optional.empty(), mapping);
    DiffRequest.Side module =
        side(checkpoint, Optional.empty(), Optional.of(Weights.MODEL), mapping);

    DiffReport ofMasters =
        diff(masters, side(fixture("tp2_z2_bf16_w4/expected_merged_fp32_master.safetensors")));
    DiffReport ofModule =
        diff(side(fixture("tp2_z2_bf16_w4/expected_merged_module.safetensors")), module);

    assertTrue(ofMasters.isEqual(), ofMasters::summary);
    assertTrue(ofModule.isEqual(), ofModule::summary);
    assertEquals(7, ofModule.rows().size());
  }

  @Test
  void namesAreMapped() {
    Path sat = fixture("sat_z2_bf16_w2");
    DiffRequest.Side result = side(sat.resolve("expected_diffusers_fp32.safetensors"));

    DiffReport mapped =
        diff(side(sat.resolve("ckpt"), Optional.empty(), Optional.empty(), "auto"), result);
    DiffReport plain = diff(side(sat.resolve("ckpt")), result);

    assertTrue(mapped.isEqual(), mapped::summary);
    assertEquals(64, mapped.rows().size());
    assertFalse(plain.isEqual());
    assertEquals(0, plain.rows().size());
    assertEquals(64, plain.onlyInSecond().size());
    assertTrue(
        plain.notes().get(plain.notes().size() - 1).startsWith("no name is on both sides"),
        plain.notes()::toString);
  }

  @Test
  void oneStepAndAnother() throws IOException {
    Path checkpoint = fixture("z2_bf16_w2_tags/ckpt");
    SafetensorsFile one =
        SafetensorsFile.read(fixture("z2_bf16_w2_tags/expected.global_step1.safetensors"));
    SafetensorsFile three =
        SafetensorsFile.read(fixture("z2_bf16_w2_tags/expected.global_step3.safetensors"));

    DiffReport report =
        diff(
            side(checkpoint, Optional.of("global_step1"), Optional.empty(), "none"),
            side(checkpoint, Optional.of("global_step3"), Optional.empty(), "none"));

    assertFalse(report.isEqual());
    assertEquals("global_step1", report.first().source().tag());
    assertEquals("global_step3", report.second().source().tag());
    assertEquals(8, report.rows().size());
    for (String name : one.names()) {
      assertStraight(one.floats(name), three.floats(name), row(report, name).deviation());
    }
    List<Double> distances =
        report.differing().stream().map(r -> r.deviation().distance()).toList();
    assertEquals(distances.stream().sorted(Comparator.reverseOrder()).toList(), distances);
  }

  @Test
  void mastersAndTheModulesOwn() throws IOException {
    Path checkpoint = fixture("z2_bf16_w2/ckpt");
    SafetensorsFile masters = SafetensorsFile.read(fixture("z2_bf16_w2/expected.safetensors"));
    DiffRequest.Side first = side(checkpoint);
    DiffRequest.Side second =
        side(checkpoint, Optional.empty(), Optional.of(Weights.MODEL), "none");

    DiffReport report = diff(first, second);

    assertFalse(report.isEqual(), "types are told apart");
    for (String name : masters.names()) {
      DiffReport.Row row = row(report, name);
      long rounded = 0;
      double largest = 0;
      for (float number : masters.floats(name)) {
        int bits = Float.floatToRawIntBits(number);
        int nearest = (bits + 0x7FFF + (bits >>> 16 & 1)) & 0xFFFF0000;
        rounded += nearest == bits ? 0 : 1;
        largest = Math.max(largest, Math.abs((double) number - Float.intBitsToFloat(nearest)));
      }
      assertEquals(0, row.deviation().unequal(), name);
      assertEquals(rounded, row.deviation().differing(), name);
      assertEquals(largest, row.deviation().absolute(), name);
      assertEquals(
          rounded == 0 ? Likeness.SAME_IN_OTHER_TYPE : Likeness.SAME_AFTER_CAST, row.likeness());
    }
    DiffCriterion ignoring = new DiffCriterion(Optional.empty(), DiffCriterion.Types.IGNORED);
    assertTrue(diff(first, second, PlanOptions.DEFAULTS, ignoring).isEqual());
    DiffCriterion wide = new DiffCriterion(Optional.of(0.01), DiffCriterion.Types.COUNT);
    assertTrue(diff(first, second, PlanOptions.DEFAULTS, wide).isEqual());
    DiffCriterion narrow = new DiffCriterion(Optional.of(1e-9), DiffCriterion.Types.IGNORED);
    assertFalse(diff(first, second, PlanOptions.DEFAULTS, narrow).isEqual());
  }

  @Test
  void weightsThatWereSavedBesideAStep() {
    Path checkpoint = fixture("z3_bf16_w2_save16/ckpt");

    DiffReport report =
        diff(side(checkpoint), side(checkpoint.resolve("model16/pytorch_model.bin")));

    assertEquals(List.of(), report.onlyInFirst());
    assertEquals(List.of(), report.onlyInSecond());
    assertTrue(report.rows().stream().allMatch(r -> r.deviation().unequal() == 0), report::summary);
    assertEquals(DType.BF16, row(report, "lm_head.weight").second().dtype());
  }

  @Test
  void tiedNamesTakePart() throws IOException {
    Path tied = fixture("z2_bf16_w2_tied/ckpt");
    SafetensorsFile loose = SafetensorsFile.read(fixture("z2_bf16_w2_tied/expected.safetensors"));
    Path whole = loose.write(temp.resolve("whole.safetensors"));
    Path half = loose.without("lm_head.weight").write(temp.resolve("half.safetensors"));

    DiffReport both = diff(side(tied), side(whole));
    DiffReport same = diff(side(tied), side(tied));
    DiffReport less = diff(side(tied), side(half));

    assertTrue(same.isEqual(), same::summary);
    assertEquals(8, same.rows().size());
    assertEquals(List.of("wte.weight", "lm_head.weight"), row(same, "wte.weight").names());
    // A module that is used twice has two names, of which the reference keeps one.
    assertEquals(9, both.rows().size());
    assertEquals(List.of(), both.differing());
    assertEquals(5, both.onlyInFirst().size());
    for (DiffReport.Absent absent : both.onlyInFirst()) {
      assertEquals(Optional.of(absent.name().replace("block_b", "block_a")), absent.tiedTo());
    }
    assertEquals(6, less.onlyInFirst().size());
    assertEquals(
        new DiffReport.Absent("lm_head.weight", Optional.of("wte.weight")),
        less.onlyInFirst().get(5));
    assertFalse(less.isEqual());
    assertEquals(List.of(), less.differing());
  }

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
    assertEquals(1, report.differing().get(0).deviation().nanInFirst());
    assertEquals(0, report.differing().get(0).deviation().nanInSecond());
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
  void chunksCoverEachElementOnce() throws IOException {
    Path file =
        new SafetensorsFile()
            .with("a", Shape.of(50_000), new float[50_000])
            .with("b", Shape.of(0), new float[0])
            .with("c", Shape.of(3), 1, 2, 3)
            .write(temp.resolve("a.safetensors"));
    Checkpoint checkpoint =
        new CheckpointReader(TestSpark.stores(), new ThreadScanner(TestSpark.stores()))
            .read(file.toString(), ReadOptions.defaults());
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

  @Test
  void onlySomeNames() {
    PlanOptions defaults = PlanOptions.DEFAULTS;
    DiffRequest.Side both = side(fixture("z2_bf16_w2/ckpt"));

    DiffReport report = diff(both, both, only("^norms"), DiffCriterion.STRICT);

    assertEquals(6, report.rows().size());
    assertEquals(6, report.first().tensors());
    ReweaveException nothing =
        assertThrows(
            ReweaveException.class, () -> diff(both, both, only("xyz"), DiffCriterion.STRICT));
    assertTrue(nothing.getMessage().startsWith("there is nothing to compare"));
    assertTrue(nothing.getMessage().endsWith("or leave --only out"));
    assertEquals(12, diff(both, both, defaults, DiffCriterion.STRICT).rows().size());
  }

  private static PlanOptions only(String regex) {
    PlanOptions defaults = PlanOptions.DEFAULTS;
    return new PlanOptions(
        defaults.dtype(),
        defaults.maxShardBytes(),
        defaults.weightsName(),
        defaults.chunkBytes(),
        defaults.format(),
        defaults.sharding(),
        Optional.of(regex));
  }
}
