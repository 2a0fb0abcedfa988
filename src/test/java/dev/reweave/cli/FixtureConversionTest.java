package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reweave.convert.Conversion;
import dev.reweave.format.safetensors.SafetensorsHeader;
import dev.reweave.look.compare.Verification;
import dev.reweave.manifest.Manifest;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.Stores;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import dev.reweave.testing.RecordedDigests;
import dev.reweave.testing.TestSpark;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/**
 * Converts every fixture, with every dtype, to one shard and to several, and compares all files
 * with those that {@code safetensors.torch.save_file}, {@code
 * huggingface_hub.split_torch_state_dict_into_shards} and Python's {@code json} wrote from the
 * expected tensors.
 */
class FixtureConversionTest {
  /** One conversion and the SHA-256 of each file that the reference wrote for it. */
  record Run(
      String fixture,
      String input,
      List<String> args,
      Map<String, String> dropped,
      Map<String, String> files) {
    @Override
    public String toString() {
      return fixture + "/" + input + " " + String.join(" ", args);
    }
  }

  @TempDir Path temp;

  static List<Run> runs() throws IOException {
    return new ObjectMapper()
        .readValue(Fixtures.resource("reference-digests.json").toFile(), new TypeReference<>() {});
  }

  @ParameterizedTest
  @MethodSource("runs")
  void givesTheReferenceFiles(Run run) throws IOException {
    Path output = temp.resolve("out");
    List<String> args = new ArrayList<>(run.args());
    args.addAll(
        List.of(
            "--input",
            Fixtures.folder(run.fixture()).resolve(run.input()).toString(),
            "--output",
            output.toString()));
    ConvertCommand command = new ConvertCommand();
    new CommandLine(command)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .parseArgs(args.toArray(String[]::new));

    Manifest manifest =
        new Conversion(TestSpark.cluster(), TestSpark.stores()).run(Asked.of(command)).manifest();

    Map<String, String> actual = new TreeMap<>();
    for (String name : Fixtures.digests(output).keySet()) {
      if (!name.equals(Manifest.FILE_NAME)) {
        byte[] content = Files.readAllBytes(output.resolve(name));
        actual.put(
            name,
            Fixtures.sha256(
                name.endsWith(".safetensors")
                    ? withoutDroppedNames(output.resolve(name), content, run.dropped())
                    : content));
      }
    }
    assertEquals(new TreeMap<>(run.files()), actual);
    if (!run.dropped().isEmpty()) {
      // The reference's own digests say nothing of these names.
      RecordedDigests.ofTheFixtures().assertSame(run.toString(), output);
    }
    Verification.Result verified =
        new Verification(TestSpark.cluster(), TestSpark.stores()).run(Locations.of(output));
    assertEquals(List.of(), verified.problems());
    assertTrue(verified.checksums());
    assertEquals(verified.tensors(), manifest.result().tensors());
  }

  /**
   * The reference writes the entries of a header's metadata in the order of a random hash map, so
   * its files have one defined form only where the metadata has one entry.
   */
  private static byte[] withoutDroppedNames(Path file, byte[] content, Map<String, String> dropped)
      throws IOException {
    Stores stores = TestSpark.stores();
    try (RandomAccess access = stores.open(stores.file(Locations.of(file)).orElseThrow())) {
      SafetensorsHeader header = SafetensorsHeader.read(access);
      Map<String, String> metadata = new TreeMap<>(dropped);
      metadata.put("format", "pt");
      assertEquals(metadata, new TreeMap<>(header.metadata()));
      ByteArrayOutputStream plain = new ByteArrayOutputStream();
      plain.write(
          SafetensorsHeader.layOut(
                  header.entries().stream().map(SafetensorsHeader.Entry::spec).toList(),
                  Map.of("format", "pt"))
              .bytes());
      int start = (int) header.dataStart();
      plain.write(content, start, content.length - start);
      return plain.toByteArray();
    }
  }
}
