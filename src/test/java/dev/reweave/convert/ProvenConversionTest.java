package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.convert.ConversionRequest.Proving;
import dev.reweave.look.report.Summary;
import dev.reweave.manifest.Manifest;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.FlatGroup;
import dev.reweave.testing.Locations;
import dev.reweave.testing.PlantedFault;
import dev.reweave.testing.ProvableFixtures;
import dev.reweave.testing.SafetensorsFile;
import dev.reweave.testing.TestSpark;
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
    assertEquals("cast to the type of the module, they are bit for bit its own", proof.verdict());
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

  @Test
  void thatNothingIsComparedIsTold() {
    Manifest manifest =
        ProvableFixtures.converting(
                "z2_bf16_w2", Fixtures.folder("z2_bf16_w2").resolve("ckpt"), temp.resolve("out"))
            .proving(Proving.NONE)
            .run()
            .manifest();

    assertTrue(manifest.proven().isEmpty());
    assertTrue(manifest.notes().contains("--no-proof: the weights were compared with nothing"));
    assertEquals("none", manifest.options().text(Proving.RECORDED));
  }

  private Converting zeroThree() {
    return Converting.between(
        Fixtures.folder("z3_bf16_w2_llama").resolve("ckpt"), temp.resolve("out"));
  }

  @Test
  void zeroThreeHasNothingToCompareWith() {
    Manifest manifest = zeroThree().run().manifest();

    assertTrue(manifest.proven().isEmpty());
    assertTrue(
        manifest.notes().stream()
            .anyMatch(
                n ->
                    n.startsWith("proof: there is no second copy of the weights to compare with:")
                        && n.contains("--base")),
        manifest.notes()::toString);
  }

  private Path base() throws IOException {
    zeroThree().run();
    Path base = Fixtures.copy(temp.resolve("out"), temp.resolve("base"));
    Files.writeString(base.resolve("config.json"), "{\"architectures\": [\"Model\"]}");
    return base;
  }

  private String againstBase() throws IOException {
    Fixtures.remove(temp.resolve("out"));
    return zeroThree().base(temp.resolve("base")).run().manifest().proven().orElseThrow().verdict();
  }

  @Test
  void aBaseShowsHowFarTheWeightsWent() throws IOException {
    Path weights = base().resolve("model.safetensors");
    SafetensorsFile file = SafetensorsFile.read(weights);
    int tensors = file.names().size();

    assertTrue(
        againstBase()
            .startsWith(
                "no second copy of the weights in the files; against the base, "
                    + tensors
                    + " are unchanged, half changed by at most 0.00 % of their magnitude, "),
        "unchanged");

    String query = "model.layers.0.self_attn.q_proj.weight";
    String output = "model.layers.0.self_attn.o_proj.weight";
    byte[] one = file.content(query).array().clone();
    byte[] other = file.content(output).array().clone();
    System.arraycopy(other, 0, file.content(query).array(), 0, other.length);
    System.arraycopy(one, 0, file.content(output).array(), 0, one.length);
    file.write(weights);

    String verdict = againstBase();
    assertTrue(
        verdict.contains((tensors - 2) + " are unchanged")
            && verdict.contains("as far from the base as another tensor")
            && verdict.contains(query)
            && verdict.contains(output),
        verdict);
    assertTrue(TestSpark.stores().isFolder(Locations.of(temp.resolve("out"))));
  }
}
