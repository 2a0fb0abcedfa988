package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reweave.convert.Conversion;
import dev.reweave.manifest.Manifest;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.RecordedDigests;
import dev.reweave.testing.StoredTensors;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/**
 * Checkpoints that DeepSpeed 0.19.8, torch 2.15 and transformers 5.24 wrote, with what the training
 * processes held: names, types, shapes and all bits.
 */
class ExpectedTensorsTest {
  @TempDir Path temp;

  static List<String> cases() throws IOException {
    try (Stream<Path> folders = Files.list(Fixtures.resource("deepspeed-0.19.8"))) {
      return folders.map(f -> f.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void thereAreCases() throws IOException {
    assertTrue(cases().size() >= 14, cases().toString());
  }

  @ParameterizedTest
  @MethodSource("cases")
  void givesWhatTrainingHeld(String name) throws IOException {
    Path folder = Fixtures.resource("deepspeed-0.19.8").resolve(name);
    JsonNode described = new ObjectMapper().readTree(folder.resolve("case.json").toFile());
    List<String> args = new ArrayList<>();
    described.get("args").forEach(arg -> args.add(arg.asText()));
    args.addAll(List.of("--input", folder.resolve(described.get("input").asText()).toString()));
    args.addAll(List.of("--output", temp.resolve("out").toString()));
    if (Files.isDirectory(folder.resolve("hf"))) {
      args.addAll(List.of("--base", folder.resolve("hf").toString()));
    }
    ConvertCommand command = new ConvertCommand();
    new CommandLine(command)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .parseArgs(args.toArray(String[]::new));

    Manifest manifest =
        new Conversion(TestSpark.cluster(), TestSpark.stores()).run(Asked.of(command)).manifest();

    assertEquals(
        StoredTensors.of(folder.resolve("expected.safetensors")),
        StoredTensors.inFolder(temp.resolve("out")));
    RecordedDigests.ofTheFixtures()
        .assertSame("deepspeed-0.19.8/" + name + " as in case.json", temp.resolve("out"));
    Map<String, String> tied = new TreeMap<>();
    described.get("tied").properties().forEach(e -> tied.put(e.getKey(), e.getValue().asText()));
    tied.forEach((alias, kept) -> assertEquals(kept, manifest.result().dropped().get(alias)));
  }
}
