package dev.reweave.look.compare;

import static dev.reweave.look.compare.Diffs.assertStraight;
import static dev.reweave.look.compare.Diffs.diff;
import static dev.reweave.look.compare.Diffs.fixture;
import static dev.reweave.look.compare.Diffs.row;
import static dev.reweave.look.compare.Diffs.side;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Weights;
import dev.reweave.common.ReweaveException;
import dev.reweave.look.report.DiffCriterion;
import dev.reweave.look.report.DiffReport;
import dev.reweave.look.report.DiffReport.Likeness;
import dev.reweave.plan.PlanOptions;
import dev.reweave.tensor.DType;
import dev.reweave.testing.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Two sets of weights of all kinds, compared on Spark. */
class DiffTest {
  @TempDir Path temp;

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
    return PlanOptions.DEFAULTS.with(PlanOptions.ONLY, Optional.of(regex));
  }
}
