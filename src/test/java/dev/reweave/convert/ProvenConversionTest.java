package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.convert.ConversionRequest.Proving;
import dev.reweave.look.report.Summary;
import dev.reweave.manifest.Manifest;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.FlatGroup;
import dev.reweave.testing.PlantedFault;
import dev.reweave.testing.ProvableFixtures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a conversion does with what comparing the masters with the module came to. */
class ProvenConversionTest {
  @TempDir Path temp;

  private Manifest prove(String fixture) {
    return ProvableFixtures.converting(
            fixture, Fixtures.folder(fixture).resolve("ckpt"), temp.resolve("out"))
        .proving()
        .run()
        .manifest();
  }

  @ParameterizedTest
  @ValueSource(strings = {"z2_bf16_w2", "tp2_z2_bf16_w4", "uc_from_z1_fp16_w2"})
  void thatTheyAreProvenIsTold(String fixture) {
    Manifest manifest = prove(fixture);

    Manifest.Proof proof = manifest.proven().orElseThrow();
    assertEquals(
        "cast to the type of the module, they are bit for bit its own", proof.verdict());
    assertTrue(proof.tensors() > 1 && proof.elements() > proof.tensors(), proof::toString);
    assertTrue(
        Summary.result(manifest, "out").stream().anyMatch(l -> l.startsWith("proof  ")),
        () -> Summary.result(manifest, "out").toString());
  }

  @ParameterizedTest
  @EnumSource(PlantedFault.class)
  void whatIsNotProvenIsNotPublished(PlantedFault fault) throws IOException {
    String fixture = "z2_bf16_w2";
    Path input = Fixtures.copy(Fixtures.folder(fixture).resolve("ckpt"), temp.resolve("in"));
    FlatGroup group = FlatGroup.of(ProvableFixtures.step(input)).get(0);
    assertTrue(fault.changes(group));
    fault.plant(group);

    for (Proving proving : List.of(Proving.SAMPLE, Proving.SECOND_COPY)) {
      ReweaveException failure =
          assertThrows(
              ReweaveException.class,
              () ->
                  ProvableFixtures.converting(fixture, input, temp.resolve("out"))
                      .proving(proving)
                      .run());

      assertTrue(
          failure.getMessage().startsWith("the weights are not proven: "), failure.getMessage());
      assertFalse(Files.exists(temp.resolve("out")));
    }
  }

  @Test
  void noSecondCopyIsSaid() {
    Manifest manifest = prove("z3_bf16_w2");

    assertEquals(Optional.empty(), manifest.proven());
    assertTrue(
        manifest.notes().stream()
            .anyMatch(
                n ->
                    n.startsWith("--prove: there is no second copy")
                        && n.contains("a ZeRO-3 checkpoint keeps")),
        manifest.notes()::toString);
  }
}
