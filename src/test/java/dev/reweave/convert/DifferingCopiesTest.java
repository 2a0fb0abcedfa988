package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.look.report.Summary;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.PlanOptions;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.StoredTensors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Copies in several ranks that should be the same and are not: converted, and told. */
class DifferingCopiesTest {
  @TempDir Path temp;

  @Test
  void warnsOfCopiesThatDiffer() throws IOException {
    Path folder = Fixtures.folder("tp2_z1_fp16_w2");

    Manifest manifest =
        Converting.between(folder.resolve("ckpt"), temp.resolve("out"))
            .mapping(folder.resolve("mapping.json").toString())
            .planning(PlanOptions.DEFAULTS.withSizes(1 << 20, 64_000))
            .type("keep")
            .run()
            .manifest();

    assertEquals(
        StoredTensors.of(folder.resolve("expected_merged_fp32_master.safetensors")),
        StoredTensors.of(temp.resolve("out/model.safetensors")));
    assertEquals(
        Map.of("norm.bias", 6L, "norm.weight", 6L, "out.bias", 1L, "out.weight", 6L),
        manifest.result().differences());
    List<String> summary = Summary.result(manifest, "out");
    assertTrue(
        summary.contains(
            "warning 19 values of 4 tensors are not the same in all tensor-parallel ranks, which"
                + " should have copies: norm.bias (6), norm.weight (6), out.bias (1), out.weight"
                + " (6); the first rank's were taken, a rule of kind \"averaged\" takes their"
                + " mean"),
        summary::toString);
    assertTrue(
        manifest.notes().contains("put together from 2 tensor-parallel ranks"),
        () -> manifest.notes().toString());
  }
}
