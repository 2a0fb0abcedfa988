package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.manifest.Manifest;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.TargetType;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.StoredTensors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Universal checkpoints give the files that the checkpoints give that they were made from. */
class UniversalConversionTest {
  private static final String TAG = "global_step3_universal";

  @TempDir Path temp;

  private static PlanOptions keeping(long shardBytes) {
    return PlanOptions.DEFAULTS.withSizes(shardBytes, 64_000).withType(new TargetType.Keep());
  }

  private static Path checkpoint(String fixture) {
    return Fixtures.folder(fixture).resolve("ckpt");
  }

  private Manifest convert(Path input, String output, PlanOptions planning) {
    return Converting.between(input, temp.resolve(output)).planning(planning).run().manifest();
  }

  private Map<String, String> files(String output) throws IOException {
    Map<String, String> files = Fixtures.digests(temp.resolve(output));
    files.remove(Manifest.FILE_NAME);
    return files;
  }

  @Test
  void givesTheFilesOfItsSource() throws IOException {
    String fixture = "uc_from_z3_frozen";
    String source = "z3_bf16_w2_frozen";
    convert(checkpoint(fixture), "one", keeping(1 << 20));
    assertEquals(
        StoredTensors.of(Fixtures.folder(fixture).resolve("source_expected.safetensors")),
        StoredTensors.of(temp.resolve("one/model.safetensors")));

    // Shards are filled in the order of the tensors.
    Manifest manifest = convert(checkpoint(fixture), "shards", keeping(300));
    convert(checkpoint(source), "expected", keeping(300));
    assertTrue(manifest.result().shards().size() > 2);
    assertEquals(files("expected"), files("shards"));
    assertEquals("DeepSpeed", manifest.input().framework());
    assertEquals(TAG, manifest.input().tag());
    assertEquals("master", manifest.input().weights());
    assertEquals(0, manifest.figures().storagesUnchecked());
  }
}
