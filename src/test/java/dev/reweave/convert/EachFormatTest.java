package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.look.compare.Verification;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import dev.reweave.testing.StoredTensors;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * One whole conversion of each kind of checkpoint whose tensors are put together of pieces in two
 * dimensions, of layers or of experts. How they are read is tested beside what reads them.
 */
class EachFormatTest {
  @TempDir Path temp;

  @ParameterizedTest
  @CsvSource({
    "dcp_mesh_w4, expected.safetensors",
    "moe_z2_bf16_w2, expected_merged_fp32_master.safetensors",
    "pipe_z1_bf16_pp2, expected_merged_fp32_master.safetensors"
  })
  void givesTheWholeTensors(String fixture, String expected) throws IOException {
    Path output = temp.resolve("out");

    Converting.between(Fixtures.folder(fixture).resolve("ckpt"), output).type("keep").run();

    assertEquals(
        StoredTensors.of(Fixtures.folder(fixture).resolve(expected)),
        StoredTensors.of(output.resolve("model.safetensors")));
    assertEquals(
        List.of(),
        new Verification(TestSpark.cluster(), TestSpark.stores())
            .run(Locations.of(output))
            .problems());
  }
}
