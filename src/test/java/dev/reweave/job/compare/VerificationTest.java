package dev.reweave.job.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.ReweaveException;
import dev.reweave.job.prepare.Checks;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.TargetType;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each kind of harm to a converted folder is found and named. */
class VerificationTest {
  private static final String INDEX = "model.safetensors.index.json";
  private static final String FIRST = "model-00001-of-00003.safetensors";
  private static final String SECOND = "model-00002-of-00003.safetensors";

  @TempDir Path folder;

  @BeforeEach
  void convert() {
    Converting.between(Fixtures.folder("z2_bf16_w2/ckpt"), folder)
        .planning(PlanOptions.DEFAULTS.withSizes(400, 64_000).withType(new TargetType.Keep()))
        .run();
    assertEquals(List.of(), problems());
  }

  private List<String> problems() {
    return new Verification(TestSpark.context(), TestSpark.stores())
        .run(folder.toString())
        .problems();
  }

  private void assertProblem(String... parts) {
    List<String> problems = problems();
    assertTrue(
        problems.stream().anyMatch(p -> Arrays.stream(parts).allMatch(p::contains)),
        () -> Arrays.toString(parts) + " is not in " + problems);
  }

  @Test
  void aFlippedBit() throws IOException {
    Path shard = folder.resolve(SECOND);
    byte[] content = Files.readAllBytes(shard);
    content[content.length - 3] ^= 0x10;
    Files.write(shard, content);

    assertEquals(1, problems().size());
    assertProblem(SECOND + " has CRC32C", "was written");
  }

  /** A digest that is not the file's, beside a CRC32C that is. */
  @Test
  void anotherDigest() throws IOException {
    Converting.between(Fixtures.folder("z2_bf16_w2/ckpt"), folder)
        .planning(PlanOptions.DEFAULTS.withSizes(400, 64_000).withType(new TargetType.Keep()))
        .checking(
            new Checks(Checks.ReadBack.OBJECT_STORES, Checks.Digest.SHA256, Checks.Nonfinite.WARN))
        .overwriting()
        .run();
    assertEquals(List.of(), problems());
    String digest = Fixtures.digests(folder).get(SECOND);
    String other = "0".repeat(digest.length());
    Path manifest = folder.resolve("reweave.json");
    Files.writeString(manifest, Files.readString(manifest).replace(digest, other));

    assertEquals(
        List.of(SECOND + " has SHA-256 " + digest + ": " + other + " was written"), problems());
  }

  @Test
  void aMissingShard() throws IOException {
    Files.delete(folder.resolve(SECOND));

    assertProblem(SECOND + " is missing");
    assertProblem(INDEX + " names " + SECOND + ", which is not there, for ");
  }

  @Test
  void aTruncatedShard() throws IOException {
    Path shard = folder.resolve(FIRST);
    byte[] content = Files.readAllBytes(shard);
    Files.write(shard, Arrays.copyOf(content, content.length - 4));

    assertProblem(FIRST + " has " + (content.length - 4) + " bytes: " + content.length);
  }

  @Test
  void aShardThatIsNoSafetensorsFile() throws IOException {
    Files.writeString(folder.resolve(FIRST), "not a shard");

    assertProblem(FIRST, "header");
  }

  @Test
  void anIndexThatLacksATensor() throws IOException {
    Path index = folder.resolve(INDEX);
    Files.writeString(
        index, Files.readString(index).replaceFirst("\"layers.0.weight\"", "\"layers.9.weight\""));

    assertProblem(INDEX + " says that layers.9.weight is in", "it is in no shard");
    assertProblem(INDEX + " does not name layers.0.weight");
  }

  @Test
  void anIndexWithAWrongSize() throws IOException {
    Path index = folder.resolve(INDEX);
    Files.writeString(
        index, Files.readString(index).replaceFirst("\"total_size\": \\d+", "\"total_size\": 7"));

    assertProblem(INDEX + " says total_size 7: tensors have 936 bytes");
  }

  @Test
  void noIndex() throws IOException {
    Files.delete(folder.resolve(INDEX));

    assertProblem("3 shards, but no index");
  }

  @Test
  void aShardOfAnotherConversion() throws IOException {
    Files.copy(folder.resolve(FIRST), folder.resolve("model.safetensors"));

    assertProblem("model.safetensors is not of this conversion");
    assertProblem("tensor layers.0.weight is in");
  }

  @Test
  void aDamagedManifest() throws IOException {
    Files.writeString(folder.resolve("reweave.json"), "{");

    assertProblem("this is no manifest of a conversion", "reweave.json");
  }

  @Test
  void nothingToVerify() {
    ReweaveException failure =
        assertThrows(
            ReweaveException.class,
            () ->
                new Verification(TestSpark.context(), TestSpark.stores())
                    .run(Fixtures.folder("z2_bf16_w2").resolve("ckpt").toString()));

    assertTrue(failure.getMessage().startsWith("there are no .safetensors files here"));
  }
}
