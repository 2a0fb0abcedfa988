package dev.reweave.look.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.convert.Checks;
import dev.reweave.manifest.Manifest;
import dev.reweave.manifest.WrittenTensor;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.TargetType;
import dev.reweave.storage.FileDigest;
import dev.reweave.storage.MetadataLimit;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each kind of harm to a converted folder is found and named. */
class VerificationTest {
  private static final String INDEX = "model.safetensors.index.json";
  private static final String FIRST = "model-00001-of-00003.safetensors";
  private static final String SECOND = "model-00002-of-00003.safetensors";
  private static final String THIRD = "model-00003-of-00003.safetensors";

  @TempDir Path folder;

  @BeforeEach
  void convert() {
    Converting.between(Fixtures.folder("z2_bf16_w2/ckpt"), folder)
        .planning(PlanOptions.DEFAULTS.withSizes(400, 64_000).withType(new TargetType.Keep()))
        .run();
    assertEquals(List.of(), problems());
  }

  private List<String> problems() {
    return new Verification(TestSpark.cluster(), TestSpark.stores())
        .run(Locations.of(folder))
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
    assertProblem(SECOND + " has CRC32C", "was written; damaged is tensor " + last(SECOND));
  }

  @Test
  void moreStructureThanIsAllowed() {
    assertEquals(List.of(), problemsWithin(100_000));
    List<String> problems = problemsWithin(50);
    for (String file : List.of(FIRST, SECOND, THIRD, INDEX)) {
      assertTrue(
          problems.stream()
              .anyMatch(
                  p -> p.contains("--max-metadata-bytes allows 50: ") && p.contains("/" + file)),
          () -> file + " is not in " + problems);
    }
  }

  private List<String> problemsWithin(long limit) {
    return new Verification(
            TestSpark.cluster(), TestSpark.stores().limited(new MetadataLimit(limit)))
        .run(Locations.of(folder))
        .problems();
  }

  /** The tensor whose bytes are the last ones of a shard. */
  private String last(String shard) throws IOException {
    List<WrittenTensor> tensors =
        manifest().result().weights().stream().filter(t -> t.shard().equals(shard)).toList();
    return tensors.get(tensors.size() - 1).name();
  }

  private Manifest manifest() throws IOException {
    Path file = folder.resolve(Manifest.FILE_NAME);
    return Manifest.parse(Files.readAllBytes(file), file.toString());
  }

  @Test
  void aFlippedBitInEachTensorOfAShard() throws IOException {
    Path shard = folder.resolve(THIRD);
    byte[] content = Files.readAllBytes(shard);
    List<String> names = new ArrayList<>();
    for (WrittenTensor tensor : manifest().result().weights()) {
      if (tensor.shard().equals(THIRD)) {
        content[(int) tensor.offset()] ^= 1;
        names.add(tensor.name());
      }
    }
    Files.write(shard, content);

    assertEquals(1, problems().size());
    assertTrue(names.size() > 1, names::toString);
    assertProblem(
        THIRD + " has CRC32C",
        "; damaged are " + names.size() + " tensors: " + String.join(", ", names));
  }

  @Test
  void aFlippedBitInAHeader() throws IOException {
    Path shard = folder.resolve(SECOND);
    byte[] content = Files.readAllBytes(shard);
    int at = new String(content, StandardCharsets.ISO_8859_1).indexOf("\"pt\"");
    content[at + 1] ^= 1;
    Files.write(shard, content);

    assertProblem(
        SECOND + " has CRC32C",
        "was written; its tensors are what was written, and what is around them is not");
  }

  @Test
  void aManifestThatNamesTensorsOutsideOfTheirShard() throws IOException {
    Path shard = folder.resolve(SECOND);
    byte[] content = Files.readAllBytes(shard);
    content[content.length - 3] ^= 0x10;
    Files.write(shard, content);
    Path file = folder.resolve(Manifest.FILE_NAME);
    Files.writeString(
        file, Files.readString(file).replaceAll("\"offset\" : \\d", "\"offset\" : 99999"));

    List<String> problems = problems();
    assertEquals(3, problems.size(), problems::toString);
    assertTrue(problems.get(0).endsWith(" was written"), problems::toString);
    assertTrue(problems.get(1).startsWith("reweave.json tells otherwise of "), problems::toString);
    assertTrue(problems.get(2).startsWith("reweave.json tells otherwise of "), problems::toString);
  }

  @Test
  void checksumsOfTensorsThatAreNotTheirs() throws IOException {
    List<WrittenTensor> tensors =
        manifest().result().weights().stream().filter(t -> t.shard().equals(SECOND)).toList();
    Path file = folder.resolve(Manifest.FILE_NAME);
    String whole = Files.readString(file);
    String first = tensors.get(0).crc32c();
    Files.writeString(file, whole.replace(first, "0badc0de"));
    assertEquals(
        List.of(
            "reweave.json has the wrong CRC32C for 1 tensor of "
                + SECOND
                + ": "
                + tensors.get(0).name()),
        problems());

    Files.writeString(
        file, whole.replace(first, "0badc0de").replace(tensors.get(1).crc32c(), first));
    assertEquals(
        List.of(
            "reweave.json has the wrong CRC32C for 2 tensors of "
                + SECOND
                + ": "
                + tensors.get(0).name()
                + ", "
                + tensors.get(1).name()),
        problems());
  }

  @Test
  void tensorsThatTheManifestTellsOfOtherwise() throws IOException {
    WrittenTensor tensor = manifest().result().weights().get(0);
    Path file = folder.resolve(Manifest.FILE_NAME);
    String whole = Files.readString(file);
    int at = whole.indexOf("\"" + tensor.name() + "\"");
    String told = "reweave.json tells otherwise of ";

    for (String[] change :
        new String[][] {
          {"\"dtype\" : \"" + tensor.dtype(), "\"dtype\" : \"int32"},
          {"\"offset\" : " + tensor.offset(), "\"offset\" : " + (tensor.offset() + 1)},
          {"\"shape\" : [ ", "\"shape\" : [ 1, "},
          {"\"crc32c\" : \"" + tensor.crc32c(), "\"crc32c\" : \"x"},
        }) {
      String changed =
          whole.substring(0, at)
              + whole.substring(at).replaceFirst(Pattern.quote(change[0]), change[1]);
      assertNotEquals(whole, changed, change[0]);
      Files.writeString(file, changed);
      assertEquals(
          List.of(told + "1 tensor of " + tensor.shard() + ": " + tensor.name()), problems());
    }
    Files.writeString(
        file, whole.replaceFirst("\"name\" : \"" + tensor.name(), "\"name\" : \"another"));
    assertEquals(
        List.of(told + "2 tensors of " + tensor.shard() + ": " + tensor.name() + ", another"),
        problems());
  }

  /** A digest that is not the file's, beside a CRC32C that is. */
  @Test
  void anotherDigest() throws IOException {
    Converting.between(Fixtures.folder("z2_bf16_w2/ckpt"), folder)
        .planning(PlanOptions.DEFAULTS.withSizes(400, 64_000).withType(new TargetType.Keep()))
        .checking(
            new Checks(
                Checks.ReadBack.UNCHECKED_BY_STORE,
                FileDigest.Wanted.SHA256,
                Checks.Nonfinite.WARN))
        .overwriting()
        .run();
    assertEquals(List.of(), problems());
    String digest = Fixtures.digests(folder, Fixtures::sha256).get(SECOND);
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
                new Verification(TestSpark.cluster(), TestSpark.stores())
                    .run(Locations.of(Fixtures.folder("z2_bf16_w2").resolve("ckpt"))));

    assertTrue(failure.getMessage().startsWith("there are no files of weights here"));
  }
}
