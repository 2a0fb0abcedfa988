package dev.reweave.checkpoint.deepspeed;

import static dev.reweave.testing.PickleWriter.dict;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Weights;
import dev.reweave.plan.PlanOptions;
import dev.reweave.testing.Converting;
import dev.reweave.testing.ExpertFiles;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Floats;
import dev.reweave.testing.Gathered;
import dev.reweave.testing.StoredTensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Experts are spread over ranks as DeepSpeed spreads them, written as it writes them, and come
 * back.
 */
class ExpertsTest {
  private static final String LAYER = "blocks.%d.mlp.deepspeed_moe.%s";

  @TempDir Path temp;

  private final Map<String, String> masters = new TreeMap<>();
  private final Map<String, String> module = new TreeMap<>();

  private void expect(Floats tensor) {
    masters.put(tensor.name(), tensor.described());
    module.put(tensor.name(), tensor.asBfloat16().described());
  }

  private Path input() {
    return temp.resolve("in");
  }

  private Converting conversion() {
    return Converting.between(input(), temp.resolve("out"))
        .planning(PlanOptions.DEFAULTS.withSizes(1L << 30, 1 << 20))
        .mapping("none")
        .type("float32");
  }

  private static Gathered requireMade(Map<String, String> expected, Converting conversion) {
    Gathered gathered = conversion.gather();
    assertEquals(expected, gathered.tensors());
    return gathered;
  }

  private static List<Floats> expert(int layer, int number, int named) {
    String before = String.format(LAYER, layer, "experts.deepspeed_experts." + named + ".");
    return List.of(
        Floats.random(before + "fc.weight", layer * 100L + number, 5, 3),
        Floats.random(before + "fc.bias", layer * 100L + number + 50, 5));
  }

  private static Floats renumbered(Floats tensor, int number) {
    return tensor.renamed(
        tensor.name().replaceFirst("deepspeed_experts\\.\\d+", "deepspeed_experts." + number));
  }

  /** Experts of a layer as each expert-parallel rank has them, and as files hold them. */
  private List<List<Floats>> layer(ExpertFiles files, int layer, int experts, int expertRanks)
      throws IOException {
    int perRank = experts / expertRanks;
    List<List<Floats>> byRank = new ArrayList<>();
    for (int rank = 0; rank < expertRanks; rank++) {
      List<Floats> own = new ArrayList<>();
      for (int local = 0; local < perRank; local++) {
        int number = rank * perRank + local;
        List<Floats> whole = expert(layer, number, number);
        whole.forEach(this::expect);
        files.writeExpert(layer, number, whole);
        whole.forEach(t -> own.add(renumbered(t, number % perRank)));
      }
      byRank.add(own);
    }
    return byRank;
  }

  private static List<Floats> dense() {
    return List.of(
        Floats.random("embed.weight", 1, 7, 3),
        Floats.random(String.format(LAYER, 0, "gate.wg.weight"), 2, 4, 3),
        Floats.random(String.format(LAYER, 1, "gate.wg.weight"), 3, 6, 3),
        Floats.random("head.weight", 4, 3, 3));
  }

  /** Two layers, the second with another number of experts, spread over other numbers of ranks. */
  private void write(int world, int firstRanks, int secondRanks, boolean dataFirst)
      throws IOException {
    ExpertFiles files = new ExpertFiles(input(), 1, world).counts(List.of(4, 6));
    if (dataFirst) {
      files.dataFirst();
    }
    List<Floats> dense = dense();
    dense.forEach(this::expect);
    files.module(dense).group(List.of(dense));
    files.group(layer(files, 0, 4, firstRanks));
    files.group(layer(files, 1, 6, secondRanks));
    files.write();
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 1, false", "2, 2, 1, false", "4, 2, 2, false", "4, 4, 2, false", "6, 2, 6, false",
    "6, 1, 3, false", "8, 4, 2, false", "4, 2, 2, true", "8, 4, 2, true", "6, 2, 3, true"
  })
  void expertsOfAllRanksComeBack(int world, int firstRanks, int secondRanks, boolean dataFirst)
      throws IOException {
    write(world, firstRanks, secondRanks, dataFirst);

    Gathered gathered = requireMade(masters, conversion().proving());

    assertEquals(
        "cast to the type of the module, they are bit for bit its own",
        gathered.proof().orElseThrow().verdict());
  }

  @Test
  void theModulesOwnExpertsComeBack() throws IOException {
    write(4, 2, 2, false);

    requireMade(module, conversion().weights(Weights.MODEL));
  }

  @Test
  void withoutZeroTheModuleIsAllThereIs() throws IOException {
    ExpertFiles files = new ExpertFiles(input(), 0, 2).counts(List.of(4)).module(dense());
    dense().forEach(this::expect);
    layer(files, 0, 4, 2);
    files.writeModel();
    Files.copy(
        files.folder().resolve("mp_rank_00_model_states.pt"),
        files.folder().resolve("expp_rank_0_mp_rank_00_optim_states.pt"));

    requireMade(module, conversion());
  }

  /** One file for the experts of all layers that have a number, and one number for all layers. */
  @Test
  void filesOfVersionsBefore06ComeBack() throws IOException {
    ExpertFiles files = new ExpertFiles(input(), 1, 2).counts(2).module(dense());
    dense().forEach(this::expect);
    files.group(List.of(dense()));
    List<List<Floats>> byRank = new ArrayList<>();
    for (int number = 0; number < 2; number++) {
      List<Floats> whole = new ArrayList<>(expert(0, number, number));
      whole.addAll(expert(1, number, number));
      whole.forEach(this::expect);
      files.writeExpert(-1, number, whole);
      byRank.add(whole.stream().map(t -> renumbered(t, 0)).toList());
    }
    files.group(byRank).write();

    requireMade(masters, conversion());
    requireMade(module, conversion().weights(Weights.MODEL));
  }

  private static Floats of(int number, String rest) {
    return Floats.random(
        String.format(LAYER, 0, "experts.deepspeed_experts." + number + "." + rest), number, 3, 2);
  }

  /** Parts of experts that were not trained, and buffers, are in the files of experts alone. */
  private void writePartlyTrained() throws IOException {
    ExpertFiles files = new ExpertFiles(input(), 1, 2).counts(List.of(2)).module(dense());
    dense().forEach(this::expect);
    files.group(List.of(dense()));
    List<List<Floats>> byRank = new ArrayList<>();
    for (int number = 0; number < 2; number++) {
      Floats trained = of(number, "lora.weight");
      Floats frozen = of(number, "base.weight");
      Floats buffer = of(number, "scale");
      files.writeExpert(0, number, List.of(frozen, trained, buffer));
      expect(trained);
      masters.put(frozen.name(), frozen.asBfloat16().described());
      masters.put(buffer.name(), buffer.asBfloat16().described());
      byRank.add(List.of(renumbered(trained, 0)));
    }
    files.buffers(List.of(renumbered(of(0, "scale"), 0).name())).group(byRank).write();
  }

  @Test
  void frozenPartsOfExpertsAreTakenAsStored() throws IOException {
    writePartlyTrained();

    Gathered gathered = requireMade(masters, conversion());

    assertTrue(
        gathered.notes().contains("2 frozen parameters of experts taken as stored"),
        gathered.notes()::toString);
  }

  @Test
  void frozenPartsOfExpertsAreLeftOutIfAskedFor() throws IOException {
    writePartlyTrained();
    masters.keySet().removeIf(name -> name.endsWith("base.weight"));

    Gathered gathered = requireMade(masters, conversion().withoutFrozen());

    assertTrue(
        gathered.notes().contains("2 frozen parameters of experts left out"),
        gathered.notes()::toString);
  }

  private static Map<Object, Object> stack(int layer, String prefix, int experts, int ranks) {
    return dict(
        "moe_layer_id", layer,
        "module_path", prefix.replaceFirst("\\.experts$", ""),
        "num_experts", experts,
        "num_local_experts", experts / ranks,
        "ep_size", ranks,
        "expert_key_prefix", prefix,
        "checkpoint_format", "per_expert_files");
  }

  /** Rows of all experts, one index each of the first dimension. */
  private static Floats stacked(String name, int from, int to) {
    return Floats.rows(
        IntStream.range(from, to).mapToObj(e -> Floats.random(name, e, 1, 3, 2)).toList());
  }

  private List<List<Floats>> stackedByRank(String prefix, int experts, int ranks) {
    List<List<Floats>> byRank = new ArrayList<>();
    for (int rank = 0; rank < ranks; rank++) {
      int from = rank * experts / ranks;
      int to = (rank + 1) * experts / ranks;
      byRank.add(
          List.of(".w1", ".w2", ".w3").stream().map(w -> stacked(prefix + w, from, to)).toList());
    }
    List.of(".w1", ".w2", ".w3").forEach(w -> expect(stacked(prefix + w, 0, experts)));
    return byRank;
  }

  @Test
  void stackedExpertsOfZero1AndTheirFilesGiveOneTensor() throws IOException {
    String prefix = "blocks.0.mlp.experts";
    ExpertFiles files =
        new ExpertFiles(input(), 1, 4)
            .counts(List.of(4))
            .stacks(List.of(stack(0, prefix, 4, 2)))
            .module(dense())
            .group(List.of(dense()))
            .group(stackedByRank(prefix, 4, 2));
    dense().forEach(this::expect);
    files.write();
    for (int e = 0; e < 4; e++) {
      int number = e;
      files.writeExpert(
          0,
          number,
          List.of(".w1", ".w2", ".w3").stream()
              .map(w -> Floats.random(prefix + w, number, 3, 2).renamed(prefix + w + "." + number))
              .toList());
    }

    requireMade(masters, conversion().proving());
    requireMade(module, conversion().weights(Weights.MODEL));
  }

  /** ZeRO-3 cuts experts among the ranks that have the same, and all else among all. */
  @ParameterizedTest
  @CsvSource({"2, 2, false", "4, 2, false", "6, 3, false", "4, 2, true", "3, 1, false"})
  void stackedExpertsOfZero3ComeBack(int world, int ranks, boolean dataFirst) throws IOException {
    String prefix = "blocks.0.mlp.experts";
    Map<Object, Object> stack = stack(0, prefix, 6, ranks);
    stack.put("checkpoint_format", "zero3_partitioned");
    stack.put("checkpoint_format_version", 1);
    ExpertFiles files =
        new ExpertFiles(input(), 3, world)
            .counts(List.of(6))
            .stacks(List.of(stack))
            .module(dense())
            .group(List.of(dense()))
            .group(stackedByRank(prefix, 6, ranks));
    dense().forEach(this::expect);
    if (dataFirst) {
      files.dataFirst();
    }
    files.write();

    requireMade(masters, conversion());
  }

  /** Tensor-parallel ranks have slices of each expert, in files of their own. */
  @Test
  void expertsOfTensorParallelRanksAreJoined() throws IOException {
    for (int tensor = 0; tensor < 2; tensor++) {
      ExpertFiles files = new ExpertFiles(input(), 1, 2).counts(List.of(2)).tensorRank(tensor, 2);
      Floats head = Floats.random("head.weight", 1, 3, 3);
      expect(head);
      files.module(List.of(head)).group(List.of(List.of(head)));
      List<List<Floats>> byRank = new ArrayList<>();
      for (int number = 0; number < 2; number++) {
        Floats whole = expert(0, number, number).get(0).cut(0, 0, 4);
        expect(whole);
        Floats slice = whole.cut(0, tensor * 2, tensor * 2 + 2);
        files.writeExpert(0, number, List.of(slice));
        byRank.add(List.of(renumbered(slice, 0)));
      }
      files.group(byRank).write();
    }
    Path rules =
        Files.writeString(
            temp.resolve("rules.json"),
            "{\"name\": \"m\", \"description\": \"slices\", \"tensorParallel\": [{\"match\":"
                + " \".*experts.*\", \"dim\": 0}, {\"match\": \"head.*\", \"kind\":"
                + " \"replicated\"}]}");

    requireMade(masters, conversion().mapping(rules.toString()).proving());
  }

  @ParameterizedTest
  @EnumSource(Weights.class)
  void whatAutoEpOfDeepSpeedSavedComesBack(Weights weights) throws IOException {
    Path folder = Fixtures.resource("deepspeed-0.19.8/autoep-z1");

    requireMade(
        StoredTensors.of(folder.resolve("expected.safetensors")),
        Converting.between(folder.resolve("ckpt"), temp.resolve("out"))
            .weights(weights)
            .mapping("none")
            .type("float32"));
  }
}
