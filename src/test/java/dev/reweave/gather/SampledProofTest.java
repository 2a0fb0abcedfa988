package dev.reweave.gather;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.convert.ConversionRequest.Proving;
import dev.reweave.manifest.Manifest;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.FlatGroup;
import dev.reweave.testing.Floats;
import dev.reweave.testing.Gathered;
import dev.reweave.testing.PlantedFault;
import dev.reweave.testing.StoredTensors;
import dev.reweave.testing.VersionedFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What every conversion compares without being asked, and what that stops. */
class SampledProofTest {
  @TempDir Path temp;

  private Converting converting() {
    return Converting.between(temp.resolve("in"), temp.resolve("out"));
  }

  private void assertStopped(int differing) {
    ReweaveException failure = assertThrows(ReweaveException.class, () -> converting().gather());

    assertTrue(
        failure.problem().startsWith("the weights are not proven: " + differing + " of "),
        failure.getMessage());
    assertTrue(failure.remedy().contains("--no-proof compares nothing"), failure.remedy());
  }

  private static void replace(Path file, String key, String other) throws IOException {
    String content = Files.readString(file, StandardCharsets.ISO_8859_1);
    assertTrue(content.contains(key), key);
    Files.writeString(file, content.replace(key, other), StandardCharsets.ISO_8859_1);
    FlatGroup.forgetChecksums(file);
  }

  /**
   * A reader that knows nothing of gaps: the keys that tell of them have other names. What it lays
   * end to end has the right number of elements, but for what could be padding.
   */
  @Test
  void gapsThatAreNotKnownOf() throws IOException {
    Path fixture = Fixtures.resource("deepspeed-0.19.8/align-z2-w4-silent");
    Path input = Fixtures.copy(fixture.resolve("ckpt"), temp.resolve("in"));
    for (Path file : FlatGroup.optimizerFiles(input.resolve("global_step2"))) {
      replace(file, "param_alignment_paddings", "param_alignment_unknown!");
      replace(file, "param_slice_mappings", "param_slice_unknown!");
    }

    assertStopped(8);

    // Without it the wrong weights would be published.
    assertNotEquals(
        StoredTensors.of(fixture.resolve("expected.safetensors")),
        converting().proving(Proving.NONE).gather().tensors());
  }

  /** Parameters of half a million elements, of which some dozens are compared. */
  private FlatGroup large() throws IOException {
    VersionedFiles files =
        new VersionedFiles(temp.resolve("in"), "0.19.8", 2, 4)
            .group(
                Floats.random("a", 1, 701, 700),
                Floats.random("b", 20, 701, 700),
                Floats.random("c", 300, 701, 700));
    files.write();
    return FlatGroup.of(files.folder()).get(0);
  }

  @Test
  void largeParametersOfWhichAFewElementsAreRead() throws IOException {
    large();

    Manifest.Proof proof = converting().gather().proof().orElseThrow();

    assertEquals("cast to the type of the module, they are bit for bit its own", proof.verdict());
    assertEquals(3, proof.tensors());
    // Eight at each of six ends, and on both sides of three places where ranks meet; two in
    // between.
    assertEquals(6 * 8 + 3 * 16 + 3 * 2 * 64, proof.elements());
  }

  @ParameterizedTest
  @EnumSource(PlantedFault.class)
  void faultsInLargeGroups(PlantedFault fault) throws IOException {
    fault.plant(large());

    assertStopped(fault == PlantedFault.SHIFTED_BY_ONE_ELEMENT ? 3 : 2);
  }

  /**
   * Made by {@code ds_to_universal} of DeepSpeed 0.19.8 from ZeRO-2 with round_robin_gradients: two
   * parameters of one shape have each other's masters, and nothing in the file says so.
   */
  @Test
  void aUniversalCheckpointThatItsConverterMixedUp() throws IOException {
    Fixtures.copy(Fixtures.resource("universal-round-robin"), temp.resolve("in"));

    assertStopped(2);

    Gathered gathered = converting().proving(Proving.NONE).gather();
    assertTrue(
        gathered.notes().stream()
            .anyMatch(n -> n.contains("gives parameters of such groups each other's masters")),
        gathered.notes()::toString);
  }

  /** As small language models are: matrices of small numbers, and norms near one. */
  private void unlike(Consumer<List<byte[]>> change) throws IOException {
    VersionedFiles files = new VersionedFiles(temp.resolve("in"), "0.19.8", 2, 2);
    List<Floats> params = new ArrayList<>();
    for (int layer = 0; layer < 4; layer++) {
      for (int matrix = 0; matrix < 5; matrix++) {
        String name = layer + "." + matrix + ".weight";
        params.add(Floats.random(name, 1000L * layer + 100L * matrix, 40, 30).scaled(0.03f, 0));
      }
      params.add(Floats.random(layer + ".norm.weight", 10_000L + 7L * layer, 40).scaled(0.01f, 1));
    }
    files.group(params.toArray(Floats[]::new)).write();
    FlatGroup group = FlatGroup.of(files.folder()).get(0);
    List<byte[]> contents = new ArrayList<>(group.read());
    change.accept(contents);
    group.write(contents);
  }

  private static void each(byte[] content, IntUnaryOperator change) {
    ByteBuffer numbers = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
    for (int at = 0; at < content.length; at += Float.BYTES) {
      numbers.putInt(at, change.applyAsInt(numbers.getInt(at)));
    }
  }

  private static int plus(int bits, float more) {
    return Float.floatToRawIntBits(Float.intBitsToFloat(bits) + more);
  }

  @Test
  void layersInAnotherOrder() throws IOException {
    unlike(
        contents -> {
          for (int i = 0; i < 6; i++) {
            Collections.swap(contents, i, 18 + i);
            Collections.swap(contents, 6 + i, 12 + i);
          }
        });

    assertStopped(24);
  }

  @Test
  void weightsOfAnotherRun() throws IOException {
    Random random = new Random(3);
    unlike(
        contents -> {
          for (int i = 0; i < contents.size(); i++) {
            if (i % 6 < 5) {
              each(
                  contents.get(i),
                  bits -> Float.floatToRawIntBits(0.03f * (2 * random.nextFloat() - 1)));
            }
          }
        });

    assertStopped(20);
  }

  /** So small a step that most of the numbers are rounded to the same. */
  @ParameterizedTest
  @ValueSource(floats = {2e-6f, 1e-4f})
  void aModuleThatWasNotUpdatedAfterTheLastStep(float step) throws IOException {
    unlike(contents -> contents.forEach(c -> each(c, bits -> plus(bits, step))));

    String verdict = converting().gather().proof().orElseThrow().verdict();

    assertTrue(
        verdict.contains("neighbouring numbers") || verdict.contains("of another step"), verdict);
  }

  /** What wrote this module makes NaNs of other bits than torch's cast. */
  @Test
  void nansOfOtherBits() throws IOException {
    VersionedFiles files = new VersionedFiles(temp.resolve("in"), "0.19.8", 2, 1);
    files.group(Floats.random("a", 1, 40), Floats.random("b", 1, 1).scaled(Float.NaN, 0)).write();

    assertTrue(converting().gather().proof().isPresent());
  }

  /** Numbers too small for 16 bits keep their sign here, and lose it where they are flushed. */
  @Test
  void zerosOfOtherSigns() throws IOException {
    VersionedFiles files = new VersionedFiles(temp.resolve("in"), "0.19.8", 2, 1);
    files.group(Floats.random("a", 1, 40), Floats.random("z", 1, 40).scaled(0, 0)).write();
    FlatGroup group = FlatGroup.of(files.folder()).get(0);
    List<byte[]> contents = new ArrayList<>(group.read());
    each(contents.get(1), bits -> 0x80000001);
    group.write(contents);

    assertEquals(2, converting().gather().proof().orElseThrow().tensors());
  }
}
