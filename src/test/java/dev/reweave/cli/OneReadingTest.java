package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.Weights;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.RecordedDigests;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * All commands say the same of what lies at an address, of all fixtures, good and bad; and what is
 * converted is what it was before, byte for byte.
 */
class OneReadingTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path temp;

  /** Every folder and file of the test resources that a command could be pointed at. */
  static List<Path> addresses() throws IOException {
    List<Path> addresses = new ArrayList<>();
    for (String root :
        List.of(
            "fixtures",
            "deepspeed-0.19.8",
            "universal-round-robin",
            "reports",
            "slices",
            "quantized",
            "metadata",
            "wrapped",
            "torch")) {
      Path folder = Fixtures.resource("fixtures").resolveSibling(root);
      if (Files.isDirectory(folder)) {
        try (Stream<Path> paths = Files.walk(folder)) {
          paths.filter(OneReadingTest::isInput).sorted().forEach(addresses::add);
        }
      }
    }
    // The folder of a step is read as the folder with 'latest' above it is.
    Set<Path> all = new HashSet<>(addresses);
    addresses.removeIf(a -> Files.isDirectory(a) && all.contains(a.getParent()));
    return addresses;
  }

  private static boolean isInput(Path path) {
    String name = path.getFileName().toString();
    if (Files.isRegularFile(path)) {
      boolean ofRank = name.endsWith("_states.pt") || path.toString().contains("/zero/");
      return !ofRank && name.matches(".*\\.(pt|bin|safetensors)");
    }
    try (Stream<Path> content = Files.list(path)) {
      return content.anyMatch(
          p ->
              p.getFileName()
                  .toString()
                  .matches("latest.*|\\.metadata|.*_states\\.pt|.*\\.(bin|safetensors)|zero"));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void thereAreMany() throws IOException {
    assertTrue(addresses().size() > 100, () -> "few addresses");
  }

  /** What a command says of an address; empty if it refuses it. */
  private record Said(Optional<String> source, int tensors, String all) {}

  /** What the doctor says, and whether all is well. */
  private record Diagnosis(Said said, boolean isGood) {}

  @ParameterizedTest
  @MethodSource("addresses")
  void allCommandsSayTheSame(Path address) throws IOException {
    Said inspect = inspect(address);
    Said plan = plan(address);
    Diagnosis diagnosis = doctor(address);
    Said doctor = diagnosis.said();
    ConvertRun converted =
        ConvertRun.of("-i", address, "-o", temp.resolve("out"), "--mapping", "none");

    String all =
        "inspect:\n"
            + inspect.all()
            + "\nconvert --dry-run:\n"
            + plan.all()
            + "\ndoctor:\n"
            + doctor.all()
            + "\nconvert:\n"
            + converted;
    assertEquals(inspect.source(), plan.source(), all);
    assertEquals(inspect.tensors(), plan.tensors(), all);
    assertEquals(inspect.source(), doctor.source(), all);
    assertEquals(inspect.tensors(), doctor.tensors(), all);
    if (address.toString().contains("_malicious_")) {
      // A conversion runs nothing of a pickle; the doctor warns those who would load it.
      assertTrue(doctor.all().contains("PROBLEM  the pickle calls "), all);
      assertEquals(0, converted.exitCode(), all);
    } else if (converted.err().stream().anyMatch(l -> l.contains("the weights are not proven"))) {
      // Values alone tell, which the doctor does not compare.
      assertTrue(address.toString().contains("round-robin"), all);
    } else {
      assertEquals(converted.exitCode() == 0, diagnosis.isGood(), all);
    }
    if (converted.exitCode() == 0) {
      Path root = Fixtures.resource("fixtures").getParent();
      RecordedDigests.ofTheFixtures()
          .assertSame(root.relativize(address) + " --mapping none", temp.resolve("out"));
    }
  }

  private static Said inspect(Path address) throws IOException {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int rc =
        Main.run(
            new PrintWriter(out, true),
            new PrintWriter(err, true),
            "inspect",
            address.toString(),
            "--json");
    if (rc != 0) {
      return new Said(Optional.empty(), 0, err.toString());
    }
    JsonNode json = JSON.readTree(out.toString());
    List<String> tags = new ArrayList<>();
    json.path("tags").forEach(t -> tags.add(t.asText()));
    Checkpoint.Source source =
        new Checkpoint.Source(
            json.get("framework").asText(),
            json.path("version").asText(),
            json.get("zeroStage").asInt(),
            json.get("worldSize").asInt(),
            "",
            json.path("tag").asText(),
            tags,
            Weights.valueOf(json.get("weights").asText().toUpperCase(Locale.ROOT)));
    return new Said(Optional.of(source.text()), json.path("tensors").size(), out.toString());
  }

  private Said plan(Path address) {
    ConvertRun run =
        ConvertRun.of(
            "-i",
            address,
            "-o",
            temp.resolve("plan"),
            "--mapping",
            "none",
            // Other types leave out the scales of quantized weights.
            "--dtype",
            "keep",
            "--dry-run");
    if (run.exitCode() != 0) {
      return new Said(Optional.empty(), 0, run.toString());
    }
    String source =
        run.out().stream().filter(l -> l.startsWith("read   ")).findFirst().orElseThrow();
    String tensors =
        run.out().stream().filter(l -> l.startsWith("tensors ")).findFirst().orElseThrow();
    return new Said(
        Optional.of(source.substring("read   ".length())),
        Integer.parseInt(tensors.replaceAll("\\D", "")),
        run.toString());
  }

  private static Diagnosis doctor(Path address) {
    StringWriter out = new StringWriter();
    int rc =
        Main.run(
            new PrintWriter(out, true),
            new PrintWriter(new StringWriter(), true),
            "doctor",
            address.toString(),
            "--checksums");
    Optional<String> read =
        out.toString().lines().filter(l -> l.startsWith("INFO     read as ")).findFirst();
    Said said =
        new Said(
            read.map(l -> l.replaceAll("INFO     read as (.*): \\d+ tensors? .*", "$1")),
            read.map(l -> Integer.parseInt(l.replaceAll(".*: (\\d+) tensors? .*", "$1"))).orElse(0),
            out.toString());
    return new Diagnosis(said, rc == 0);
  }
}
