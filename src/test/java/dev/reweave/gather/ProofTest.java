package dev.reweave.gather;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.convert.ConversionRequest.Proving;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.Witness;
import dev.reweave.tensor.Agreement;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.FlatGroup;
import dev.reweave.testing.Floats;
import dev.reweave.testing.Gathered;
import dev.reweave.testing.ModelParallelFiles;
import dev.reweave.testing.PlantedFault;
import dev.reweave.testing.ProvableFixtures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Masters that are compared with the module's own weights. */
class ProofTest {
  private static final String PROVEN =
      "cast to the type of the module, they are bit for bit its own";

  @TempDir Path temp;

  /** A fault in a group of a copy of a fixture. */
  record Planted(String fixture, int group, String name, PlantedFault fault) {
    @Override
    public String toString() {
      return fixture + " " + name + " " + fault;
    }
  }

  /** Two optimizer files of a copy of a fixture, by the ends of their names. */
  record Swapped(String fixture, String one, String other) {}

  static List<String> fixtures() {
    return ProvableFixtures.all();
  }

  static List<String> universal() {
    return ProvableFixtures.universal();
  }

  /** Each fault in each group of each rank in which it changes anything. */
  static List<Planted> planted() throws IOException {
    List<Planted> all = new ArrayList<>();
    for (String fixture : fixtures()) {
      List<FlatGroup> groups = groups(fixture, Fixtures.folder(fixture).resolve("ckpt"));
      for (int g = 0; g < groups.size(); g++) {
        for (PlantedFault fault : PlantedFault.values()) {
          if (fault.changes(groups.get(g))) {
            all.add(new Planted(fixture, g, groups.get(g).toString(), fault));
          }
        }
      }
    }
    return all;
  }

  private static List<FlatGroup> groups(String fixture, Path input) throws IOException {
    Path step = ProvableFixtures.step(input);
    return universal().contains(fixture)
        ? List.of(FlatGroup.ofUniversal(step))
        : FlatGroup.of(step);
  }

  /** Neighbouring data-parallel ranks of each model-parallel rank, and the first two of these. */
  static List<Swapped> swapped() throws IOException {
    List<Swapped> all = new ArrayList<>();
    for (String fixture : ProvableFixtures.flat()) {
      Path step = ProvableFixtures.step(Fixtures.folder(fixture).resolve("ckpt"));
      List<String> files =
          FlatGroup.optimizerFiles(step).stream().map(f -> f.getFileName().toString()).toList();
      for (String file : files) {
        for (String other :
            List.of(
                file.replaceFirst("_rank_0_mp", "_rank_1_mp"),
                file.replaceFirst("_rank_1_mp", "_rank_2_mp"),
                file.replaceFirst("mp_rank_00", "mp_rank_01"))) {
          if (!other.equals(file) && files.contains(other)) {
            all.add(new Swapped(fixture, file, other));
          }
        }
      }
    }
    return all;
  }

  private Gathered prove(String fixture, Path input) {
    return ProvableFixtures.converting(fixture, input, temp.resolve("out")).proving().gather();
  }

  private Path copy(String fixture) throws IOException {
    return Fixtures.copy(Fixtures.folder(fixture).resolve("ckpt"), temp.resolve("in"));
  }

  private void assertNotProven(Converting conversion) {
    for (Proving proving : List.of(Proving.SAMPLE, Proving.SECOND_COPY)) {
      ReweaveException failure =
          assertThrows(ReweaveException.class, () -> conversion.proving(proving).gather());

      assertTrue(
          failure.getMessage().startsWith("the weights are not proven: "), failure.getMessage());
    }
  }

  private void assertNotProven(String fixture, Path input) {
    assertNotProven(ProvableFixtures.converting(fixture, input, temp.resolve("out")));
  }

  @Test
  void noFixtureIsForgotten() throws IOException {
    assertEquals(ProvableFixtures.found(), fixtures().stream().sorted().toList());
    Map<PlantedFault, Set<String>> tried = new EnumMap<>(PlantedFault.class);
    planted().forEach(p -> tried.computeIfAbsent(p.fault(), f -> new HashSet<>()).add(p.fixture()));
    for (PlantedFault fault : PlantedFault.values()) {
      assertEquals(Set.copyOf(fixtures()), tried.get(fault), fault.toString());
    }
    Set<String> single = new HashSet<>(ProvableFixtures.flat());
    swapped().forEach(s -> single.remove(s.fixture()));
    assertEquals(Set.of("z2_fp32_w1"), single, "these have no second rank");
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void realCheckpointsProve(String fixture) {
    Gathered gathered = prove(fixture, Fixtures.folder(fixture).resolve("ckpt"));

    Manifest.Proof proof = gathered.proof().orElseThrow();
    assertEquals(PROVEN, proof.verdict());
    assertTrue(proof.tensors() > 1 && proof.elements() > proof.tensors(), proof::toString);
  }

  @ParameterizedTest
  @MethodSource("planted")
  void everyPlantedFaultIsFound(Planted planted) throws IOException {
    Path input = copy(planted.fixture());
    planted.fault().plant(groups(planted.fixture(), input).get(planted.group()));

    assertNotProven(planted.fixture(), input);
  }

  @ParameterizedTest
  @MethodSource("swapped")
  void twoSwappedRanksAreFound(Swapped swapped) throws IOException {
    Path input = copy(swapped.fixture());
    Path step = ProvableFixtures.step(input);
    swap(step.resolve(swapped.one()), step.resolve(swapped.other()));

    ReweaveException failure =
        assertThrows(ReweaveException.class, () -> prove(swapped.fixture(), input));

    // Stages of other sizes do not even fit, nor does a last rank that was saved without padding;
    // and ranks say for themselves which parts of which parameters they have.
    String message = failure.getMessage();
    assertTrue(
        message.startsWith("the weights are not proven: ")
            || (message.startsWith("it is not clear where parameters lie in group ")
                && message.contains("optim_states.pt; files of two runs or ranks are mixed"))
            || (message.startsWith("sizes do not add up: ")
                && message.contains("optim_states.pt; files of two runs are mixed"))
            || (swapped.fixture().equals("pipe_z1_bf16_pp2")
                && message.contains("_mp_rank_00_optim_states.pt")),
        message);
  }

  private static void swap(Path one, Path other) throws IOException {
    Path aside = one.resolveSibling("aside");
    Files.move(one, aside);
    Files.move(other, one);
    Files.move(aside, other);
  }

  @Test
  void twoSwappedStagesOfOneSizeAreFound() throws IOException {
    ModelParallelFiles files = new ModelParallelFiles(temp.resolve("in"), 1, 1, 2, 1);
    for (int stage = 0; stage < 2; stage++) {
      Floats layer = Floats.random("weight", stage, 6, 4);
      files.write(stage, List.of(layer.renamed(stage + ".weight")));
      files.writeLayer(stage, -1, List.of(layer));
    }
    assertEquals(
        PROVEN,
        Converting.between(temp.resolve("in"), temp.resolve("sound"))
            .proving()
            .gather()
            .proof()
            .orElseThrow()
            .verdict());
    String file = "bf16_zero_pp_rank_0_mp_rank_0%d_optim_states.pt";
    swap(files.folder().resolve(file.formatted(0)), files.folder().resolve(file.formatted(1)));

    assertNotProven(Converting.between(temp.resolve("in"), temp.resolve("out")));
  }

  /** Their mean in 16 bits is not that of the masters: each rank's own is compared. */
  @Test
  void averagedParametersProve() throws IOException {
    ModelParallelFiles files = new ModelParallelFiles(temp.resolve("in"), 1, 1, 1, 3);
    for (int rank = 0; rank < 3; rank++) {
      files.write(rank, List.of(Floats.random("router.weight", rank, 40, 30)));
    }
    Path rules =
        Files.writeString(
            temp.resolve("rules.json"),
            "{\"name\": \"m\", \"description\": \"slices\", \"tensorParallel\":"
                + " [{\"match\": \".*\", \"kind\": \"averaged\"}]}");
    Converting sound =
        Converting.between(temp.resolve("in"), temp.resolve("sound")).mapping(rules.toString());

    Manifest.Proof proof = sound.proving().gather().proof().orElseThrow();

    assertEquals(PROVEN, proof.verdict());
    assertEquals(3 * 1200, proof.elements());
    String file = "bf16_zero_pp_rank_0_mp_rank_0%d_optim_states.pt";
    swap(files.folder().resolve(file.formatted(1)), files.folder().resolve(file.formatted(2)));
    assertNotProven(
        Converting.between(temp.resolve("in"), temp.resolve("out")).mapping(rules.toString()));
  }

  /** Each master of a universal checkpoint has a file of its own, which can be another's. */
  @ParameterizedTest
  @MethodSource("universal")
  void twoSwappedFilesOfAUniversalCheckpointAreFound(String fixture) throws IOException {
    Path input = copy(fixture);
    Path zero = ProvableFixtures.step(input).resolve("zero");
    swap(zero.resolve("norms.1.weight/fp32.pt"), zero.resolve("norms.1.bias/fp32.pt"));

    assertNotProven(fixture, input);
  }

  @ParameterizedTest
  @CsvSource({
    "z3_bf16_w2, a ZeRO-3 checkpoint keeps",
    "uc_from_z3_frozen, a ZeRO-3 checkpoint keeps",
    "z0_bf16_w2, the module's own weights are"
  })
  void noSecondCopyIsSaid(String fixture, String why) {
    Gathered gathered = prove(fixture, Fixtures.folder(fixture).resolve("ckpt"));

    assertEquals(Optional.empty(), gathered.proof());
    assertTrue(
        gathered.notes().stream()
            .anyMatch(n -> n.startsWith("--prove: there is no second copy") && n.contains(why)),
        gathered.notes()::toString);
  }

  /** Where nothing else tells whose the numbers are, what would be harmless is not. */
  @Test
  void theOnlyProofHasToBeWhole() {
    ProofVerdict neighbours = verdict(Witness.Extent.ALL, outcome(1, 0, 0.001), outcome(1, 0, 0));
    assertTrue(neighbours.require("memory:/in").contains("stochastic rounding"));
    assertEquals(
        "whose the fp32 masters are is not proven: in 2 of 2 tensors some do not round to the"
            + " model's weights: a (1 of 100 elements), b (1 of 100 elements)",
        assertThrows(ReweaveException.class, () -> neighbours.requireAll("memory:/in")).problem());
    assertEquals(PROVEN, verdict(Witness.Extent.ALL, outcome(0, 0, 0)).requireAll("memory:/in"));
  }

  private static Agreement outcome(long differing, long beyond, double relative) {
    return new Agreement(100, differing, beyond, relative * relative, 1);
  }

  private static ProofVerdict verdict(Witness.Extent extent, Agreement... outcomes) {
    Map<String, Agreement> byName = new TreeMap<>();
    for (int i = 0; i < outcomes.length; i++) {
      byName.put(String.valueOf((char) ('a' + i)), outcomes[i]);
    }
    return new ProofVerdict(byName, extent);
  }

  @ParameterizedTest
  @EnumSource(Witness.Extent.class)
  void harmlessReasonsAreToldApart(Witness.Extent extent) {
    assertTrue(
        verdict(extent, outcome(40, 0, 1e-3), outcome(50, 0, 1e-3))
            .require("x")
            .contains("as stochastic rounding gives"));
    assertTrue(
        verdict(extent, outcome(90, 60, 0.02), outcome(99, 90, 0.05))
            .require("x")
            .contains("of another step"));
    ReweaveException failure =
        assertThrows(
            ReweaveException.class,
            () ->
                verdict(extent, outcome(0, 0, 0), outcome(9, 0, 1e-3), outcome(0, 0, 0))
                    .require("x"));
    assertTrue(
        failure
            .getMessage()
            .startsWith(
                "the weights are not proven: 1 of 3 tensors are not what the module has: b (9 of"
                    + " 100 elements)"),
        failure.getMessage());
    assertTrue(
        failure
            .getMessage()
            .contains(extent == Witness.Extent.ALL ? "leaving --prove out" : "--no-proof"),
        failure.getMessage());
  }

  /** A few elements of a tensor may be the same in both steps, or next to nothing in one. */
  @Test
  void aSampleOfAnotherStep() {
    Agreement small = new Agreement(16, 16, 16, 1e-6, 0);
    Agreement same = outcome(0, 0, 0);
    Agreement close = outcome(90, 60, 0.02);

    assertTrue(
        verdict(Witness.Extent.SAMPLE, close, close, close, small, same)
            .require("x")
            .contains("of another step"));
    Agreement far = outcome(90, 90, 1.4);
    for (ProofVerdict refused :
        List.of(
            verdict(Witness.Extent.SAMPLE, close, close, close, far, same),
            verdict(Witness.Extent.ALL, close, close, close, same),
            verdict(Witness.Extent.ALL, close, close, close, small))) {
      assertThrows(ReweaveException.class, () -> refused.require("x"));
    }
  }
}
