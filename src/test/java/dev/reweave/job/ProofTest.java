package dev.reweave.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reweave.ReweaveException;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.CheckpointReader;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.ThreadScanner;
import dev.reweave.report.Manifest;
import dev.reweave.report.Summary;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.StoredLayout;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.FlatGroup;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Masters that are compared with the module's own weights. */
class ProofTest {
  /** What can be wrong with an order, an offset, a rank or a group. */
  enum Fault {
    TWO_PARAMETERS_SWAPPED,
    TWO_RANKS_SWAPPED,
    SHIFTED_BY_ONE_ELEMENT,
    GROUP_REVERSED
  }

  /** A fault in a copy of a fixture. */
  record Planted(String fixture, Fault fault) {}

  @TempDir Path temp;

  static List<String> fixtures() throws IOException {
    List<String> names = new ArrayList<>();
    try (Stream<Path> folders = Files.list(Fixtures.resource("fixtures"))) {
      for (Path folder : folders.sorted().toList()) {
        String name = folder.getFileName().toString();
        if (name.matches("(z[12]|cog_z2|sat_z2|legacy_z2)_.*")) {
          names.add(name);
        }
      }
    }
    assertTrue(names.size() >= 18, names::toString);
    return names;
  }

  static List<Planted> planted() throws IOException {
    List<Planted> all = new ArrayList<>();
    for (String fixture : fixtures()) {
      for (Fault fault : Fault.values()) {
        boolean oneRank = fixture.endsWith("_w1");
        boolean old = fixture.startsWith("legacy");
        if (!old && !(oneRank && fault == Fault.TWO_RANKS_SWAPPED)) {
          all.add(new Planted(fixture, fault));
        }
      }
    }
    return all;
  }

  private Manifest prove(Path input) {
    return Converting.between(input, temp.resolve("out")).type("keep").proving().run().manifest();
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void realCheckpointsProve(String fixture) {
    Manifest manifest = prove(Fixtures.folder(fixture).resolve("ckpt"));

    Manifest.Proof proof = manifest.proven().orElseThrow();
    assertEquals("cast to the type of the module, they are bit for bit its own", proof.verdict());
    assertTrue(proof.tensors() > 1 && proof.elements() > proof.tensors(), proof::toString);
    assertTrue(
        Summary.result(manifest, "out").stream().anyMatch(l -> l.startsWith("proof  ")),
        () -> Summary.result(manifest, "out").toString());
  }

  @ParameterizedTest
  @CsvSource({"tp2_z1_fp16_w2", "tp2_z2_bf16_w4"})
  void tensorParallelRanksProveByTheRulesOfAMapping(String fixture) {
    Path folder = Fixtures.folder(fixture);

    Manifest manifest =
        Converting.between(folder.resolve("ckpt"), temp.resolve("out"))
            .mapping(folder.resolve("mapping.json").toString())
            .proving()
            .run()
            .manifest();

    assertEquals(
        "cast to the type of the module, they are bit for bit its own",
        manifest.proven().orElseThrow().verdict());
  }

  @ParameterizedTest
  @MethodSource("planted")
  void everyPlantedFaultIsFound(Planted planted) throws IOException {
    Path input =
        Fixtures.copy(Fixtures.folder(planted.fixture()).resolve("ckpt"), temp.resolve("in"));
    plant(planted, input);

    ReweaveException failure = assertThrows(ReweaveException.class, () -> prove(input));

    assertTrue(
        failure.getMessage().startsWith("the weights are not proven: "), failure.getMessage());
    assertFalse(Files.exists(temp.resolve("out")));
  }

  private static void plant(Planted planted, Path input) throws IOException {
    Checkpoint checkpoint =
        new CheckpointReader(TestSpark.stores(), new ThreadScanner(TestSpark.stores()))
            .read(input.toString(), ReadOptions.defaults());
    if (planted.fault() == Fault.TWO_RANKS_SWAPPED) {
      swapRanks(input.resolve(checkpoint.source().tag()));
      return;
    }
    for (List<NamedTensor> tensors : groups(planted.fixture(), checkpoint)) {
      FlatGroup group = new FlatGroup(checkpoint, tensors);
      List<byte[]> contents = new ArrayList<>(group.read());
      List<byte[]> before = List.copyOf(contents);
      switch (planted.fault()) {
        case TWO_PARAMETERS_SWAPPED -> swap(contents);
        case GROUP_REVERSED -> Collections.reverse(contents);
        default -> shift(contents);
      }
      if (!Arrays.equals(joined(before), joined(contents))) {
        group.write(contents);
        return;
      }
    }
    throw new AssertionError("no group in which " + planted + " changes anything");
  }

  private static void swapRanks(Path step) throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.list(step)) {
      files = all.filter(f -> f.toString().endsWith("optim_states.pt")).sorted().toList();
    }
    Path other = step.resolve("other");
    Files.move(files.get(0), other);
    Files.move(files.get(1), files.get(0));
    Files.move(other, files.get(1));
  }

  private static List<List<NamedTensor>> groups(String fixture, Checkpoint checkpoint)
      throws IOException {
    JsonNode expected =
        new ObjectMapper()
            .readTree(Fixtures.folder(fixture).resolve("case.json").toFile())
            .get("expected")
            .get(checkpoint.source().tag());
    List<List<NamedTensor>> groups = new ArrayList<>();
    if (!expected.has("param_groups_in_file_order")) {
      groups.add(
          checkpoint.tensors().stream()
              .filter(t -> !(t.layout() instanceof StoredLayout))
              .toList());
      return groups;
    }
    for (JsonNode names : expected.get("param_groups_in_file_order")) {
      List<NamedTensor> tensors = new ArrayList<>();
      for (JsonNode name : names) {
        checkpoint.tensors().stream()
            .filter(t -> t.name().equals(name.asText()))
            .forEach(tensors::add);
      }
      groups.add(tensors);
    }
    return groups;
  }

  /** The first two whose numbers differ by more than rounding could hide. */
  private static void swap(List<byte[]> contents) {
    for (int i = 0; i + 1 < contents.size(); i++) {
      for (int j = i + 1; j < contents.size(); j++) {
        boolean empty = contents.get(i).length == 0 || contents.get(j).length == 0;
        if (!empty && first(contents.get(i)) != first(contents.get(j))) {
          Collections.swap(contents, i, j);
          return;
        }
      }
    }
  }

  /** The upper half of the first number: what bfloat16 keeps of it. */
  private static int first(byte[] content) {
    return ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN).getShort(2);
  }

  private static void shift(List<byte[]> contents) {
    byte[] all = joined(contents);
    byte[] shifted = new byte[all.length];
    System.arraycopy(all, 0, shifted, Float.BYTES, all.length - Float.BYTES);
    System.arraycopy(all, all.length - Float.BYTES, shifted, 0, Float.BYTES);
    contents.clear();
    contents.add(shifted);
  }

  private static byte[] joined(List<byte[]> contents) {
    ByteBuffer all = ByteBuffer.allocate(contents.stream().mapToInt(c -> c.length).sum());
    contents.forEach(all::put);
    return all.array();
  }

  @ParameterizedTest
  @CsvSource({"z3_bf16_w2, a ZeRO-3 checkpoint keeps", "z0_bf16_w2, the module's own weights are"})
  void noSecondCopyIsSaid(String fixture, String why) {
    Manifest manifest = prove(Fixtures.folder(fixture).resolve("ckpt"));

    assertEquals(Optional.empty(), manifest.proven());
    assertTrue(
        manifest.notes().stream()
            .anyMatch(n -> n.startsWith("--prove: there is no second copy") && n.contains(why)),
        manifest.notes()::toString);
  }

  private static Proof.Outcome outcome(long differing, long beyond, double relative) {
    return new Proof.Outcome(100, differing, beyond, relative * relative, 1);
  }

  @Test
  void harmlessReasonsAreToldApart() {
    assertTrue(
        new ProofVerdict(Map.of("a", outcome(40, 0, 1e-3), "b", outcome(50, 0, 1e-3)))
            .require("x")
            .contains("as stochastic rounding gives"));
    assertTrue(
        new ProofVerdict(Map.of("a", outcome(90, 60, 0.02), "b", outcome(99, 90, 0.05)))
            .require("x")
            .contains("of another step"));
    ReweaveException failure =
        assertThrows(
            ReweaveException.class,
            () ->
                new ProofVerdict(
                        Map.of(
                            "a", outcome(0, 0, 0), "b", outcome(9, 0, 1e-3), "c", outcome(0, 0, 0)))
                    .require("x"));
    assertTrue(
        failure
            .getMessage()
            .startsWith(
                "the weights are not proven: 1 of 3 tensors are not what the module has: b (9 of"
                    + " 100 elements)"),
        failure.getMessage());
  }
}
