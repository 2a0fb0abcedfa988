package dev.reweave.checkpoint.deepspeed;

import static dev.reweave.testing.PickleWriter.dict;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Weights;
import dev.reweave.plan.PlanOptions;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Floats;
import dev.reweave.testing.Gathered;
import dev.reweave.testing.ModelParallelFiles;
import dev.reweave.testing.PickleWriter.Tuple;
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

/**
 * Whole tensors are cut as tensor- and pipeline-parallel training cuts them, written as DeepSpeed
 * writes them, and come back.
 */
class ModelParallelTest {
  @TempDir Path temp;

  private final Map<String, String> expected = new TreeMap<>();

  private void expect(Floats tensor) {
    expected.put(tensor.name(), tensor.described());
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

  private Gathered requireExpected(Converting conversion) {
    Gathered gathered = conversion.gather();
    assertEquals(expected, gathered.tensors());
    return gathered;
  }

  private Path mapping(String rules) throws IOException {
    String json =
        "{'name': 'm', 'description': 'slices', 'tensorParallel': ["
            + rules.replace("\\", "\\\\")
            + "]}";
    return Files.writeString(temp.resolve("rules.json"), json.replace('\'', '"'));
  }

  private static int bound(long length, int ranks, int rank) {
    return (int) (length * rank / ranks);
  }

  /** The share of a rank, which is not the same for all where the length is odd. */
  private static Floats share(Floats whole, int dim, int ranks, int rank) {
    long length = whole.shape().dim(dim);
    return whole.cut(dim, bound(length, ranks, rank), bound(length, ranks, rank + 1));
  }

  private static Tuple tuple(Object... items) {
    return new Tuple(List.of(items));
  }

  /** A model in which each kind of sharing has a tensor, as slices by rank. */
  private List<List<Floats>> ranks(int tensor, long... parts) {
    Floats embedding = Floats.random("embed.word.weight", 1, 12, 5);
    Floats column = Floats.random("attn.col.weight", 2, 13, 4);
    Floats bias = Floats.random("attn.col.bias", 3, 9);
    Floats row = Floats.random("attn.row.weight", 4, 6, 9);
    Floats norm = Floats.random("norm.weight", 5, 7);
    Floats up = Floats.random("mlp.glu.weight", 6, 8, 5);
    Floats gate = Floats.random("mlp.glu.weight", 7, 8, 5);
    List<Floats> fused =
        IntStream.range(0, 3)
            .mapToObj(i -> Floats.random("attn.qkv.weight", 8 + i, parts[i], 5))
            .toList();
    List<Floats> routers =
        IntStream.range(0, tensor)
            .mapToObj(r -> Floats.random("router.weight", 20 + r, 3, 5))
            .toList();
    List<List<Floats>> ranks = new ArrayList<>();
    for (int r = 0; r < tensor; r++) {
      int rank = r;
      ranks.add(
          List.of(
              share(embedding, 0, tensor, r),
              share(column, 0, tensor, r),
              share(bias, 0, tensor, r),
              share(row, 1, tensor, r),
              norm,
              routers.get(r),
              Floats.rows(List.of(share(up, 0, tensor, r), share(gate, 0, tensor, r))),
              Floats.rows(fused.stream().map(part -> share(part, 0, tensor, rank)).toList())));
    }
    expect(embedding.cut(0, 0, 11));
    expect(column);
    expect(bias);
    expect(row);
    expect(norm);
    expect(Floats.mean(routers));
    expect(Floats.rows(List.of(up, gate)));
    expect(Floats.rows(fused));
    return ranks;
  }

  private static Map<Object, Object> info() {
    return dict(
        "universal_checkpoint_version", 0.2,
        "original_vocab_size", 11,
        "vocabulary_parameter_patterns", List.of("embed\\.word"),
        "tp_replicated_parameter_patterns", List.of(".*norm\\.(?P<kind>weight|bias)$"),
        "parameter_to_average_patterns", List.of("router"),
        "parameter_with_row_parallelism_patterns", List.of("^attn\\.row\\.weight$"),
        "parameter_with_2_sub_params_cat_dim_0", List.of("mlp\\.glu\\.weight"));
  }

  private static Map<Object, Object> qkv(Object lengths) {
    return dict(
        "patterns", List.of("attn\\.qkv\\.weight"),
        "shape", tuple(lengths, 5),
        "partition_dim", 0);
  }

  private void write(int stage, int world, List<List<Floats>> ranks, Map<Object, Object> info)
      throws IOException {
    ModelParallelFiles files =
        new ModelParallelFiles(input(), stage, world, 1, ranks.size()).info(info);
    for (int r = 0; r < ranks.size(); r++) {
      files.write(r, ranks.get(r));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "2, 1, 2", "2, 1, 3", "2, 3, 2", "2, 3, 3", "4, 1, 2", "4, 1, 3", "4, 3, 2", "4, 3, 3"
  })
  void whatTheCheckpointSays(int tensor, int stage, int world) throws IOException {
    Map<Object, Object> info = info();
    info.put("parameter_with_sub_params", List.of(qkv(tuple(8, 4, 4))));
    write(stage, world, ranks(tensor, 8, 4, 4), info);

    Gathered gathered = requireExpected(conversion());

    assertEquals(Map.of(), gathered.differences());
    assertEquals(List.of(), gathered.unchecked());
  }

  @ParameterizedTest
  @CsvSource({"2, 1, 2", "2, 3, 3", "4, 1, 3", "4, 3, 2"})
  void equalPartsThatOldVersionsOnlyCount(int tensor, int stage, int world) throws IOException {
    Map<Object, Object> info = info();
    info.put("parameter_with_sub_params", List.of(qkv(3)));
    write(stage, world, ranks(tensor, 4, 4, 4), info);

    requireExpected(conversion());
  }

  @ParameterizedTest
  @CsvSource({"2, 1, 2", "2, 3, 3", "4, 1, 3", "4, 3, 2"})
  void unequalSharesOfParts(int tensor, int stage, int world) throws IOException {
    Map<Object, Object> info = info();
    info.put("universal_checkpoint_version", 0.4);
    info.put("parameter_with_sub_params", List.of(qkv(tuple(9, 5, 2))));
    info.put("sub_param_shard_widths", dict("attn\\.qkv\\.weight", shares(tensor, 9, 5, 2)));
    write(stage, world, ranks(tensor, 9, 5, 2), info);

    requireExpected(conversion());
  }

  private static List<List<Integer>> shares(int ranks, int... lengths) {
    List<List<Integer>> shares = new ArrayList<>();
    for (int length : lengths) {
      shares.add(
          IntStream.range(0, ranks)
              .mapToObj(r -> bound(length, ranks, r + 1) - bound(length, ranks, r))
              .toList());
    }
    return shares;
  }

  private static String rules(String ofParts) {
    return "{'match': 'embed\\.word\\.weight', 'dim': 0, 'vocabulary': 11},"
        + "{'match': 'attn\\.qkv\\.weight', 'dim': 0, "
        + ofParts
        + "}, {'match': 'mlp\\.glu\\..*', 'dim': 0, 'parts': 2},"
        + "{'match': '.*\\.row\\.weight', 'dim': 1},"
        + "{'match': 'norm\\..*', 'kind': 'replicated'},"
        + "{'match': 'router\\..*', 'kind': 'averaged'},"
        + "{'match': 'attn\\.col\\..*', 'dim': 0}";
  }

  @ParameterizedTest
  @CsvSource({
    "2, 1, 2", "2, 1, 3", "2, 3, 2", "2, 3, 3", "4, 1, 2", "4, 1, 3", "4, 3, 2", "4, 3, 3"
  })
  void whatAFileSays(int tensor, int stage, int world) throws IOException {
    write(stage, world, ranks(tensor, 9, 5, 2), Map.of());

    requireExpected(
        conversion().mapping(mapping(rules("'shares': " + shares(tensor, 9, 5, 2))).toString()));
  }

  @Test
  void aFileGoesBeforeTheCheckpoint() throws IOException {
    Map<Object, Object> info = info();
    info.put("autotp_unsupported_parameter_patterns", dict("attn.qkv", "fused"));
    info.put("parameter_with_row_parallelism_patterns", List.of("attn"));
    write(1, 1, ranks(2, 8, 4, 4), info);

    requireExpected(conversion().mapping(mapping(rules("'parts': [8, 4, 4]")).toString()));
  }

  /** Checksums tell of the module's copies that they are the same: one is read. */
  @Test
  void theModulesOwnWeights() throws IOException {
    List<List<Floats>> ranks = ranks(4, 8, 4, 4);
    expected.clear();
    List<Floats> routers = new ArrayList<>();
    ranks.forEach(rank -> routers.add(rank.get(5).asBfloat16()));
    Map<Object, Object> info = info();
    info.put("parameter_with_sub_params", List.of(qkv(tuple(8, 4, 4))));
    write(1, 2, ranks, info);

    Gathered gathered = conversion().weights(Weights.MODEL).gather();

    Map<String, String> result = gathered.tensors();
    assertEquals(Floats.mean(routers).asBfloat16().described(), result.get("router.weight"));
    assertEquals(
        Floats.random("norm.weight", 5, 7).asBfloat16().described(), result.get("norm.weight"));
    assertEquals(
        Floats.random("attn.row.weight", 4, 6, 9).asBfloat16().described(),
        result.get("attn.row.weight"));
    assertEquals(Map.of(), gathered.differences());
  }

  /** Many windows of a chunk, whose copies do not fit in memory at once. */
  @Test
  void largeCopiesAreAveragedAndCompared() throws IOException {
    List<List<Floats>> ranks = new ArrayList<>();
    List<Floats> routers = new ArrayList<>();
    for (int r = 0; r < 4; r++) {
      routers.add(Floats.random("router.weight", r, 1_500_001));
      ranks.add(List.of(routers.get(r), Floats.random("norm.weight", r / 3, 700_001)));
    }
    write(3, 2, ranks, info());
    expect(Floats.mean(routers));
    expect(ranks.get(0).get(1));

    Gathered gathered =
        requireExpected(
            conversion()
                .planning(PlanOptions.DEFAULTS.withSizes(1L << 30, 8_000_000))
                .type("keep"));

    long differing = gathered.differences().get("norm.weight");
    assertTrue(differing > 699_990 && differing <= 700_001, () -> differing + " differ");
    assertEquals(List.of(), gathered.unchecked());
  }

  /** Two stages of two tensor-parallel ranks with two data-parallel ones each. */
  private Map<String, Floats> pipeline(ModelParallelFiles files) throws IOException {
    String tied = "tied_modules.embed.weight";
    Map<String, Floats> whole = new TreeMap<>();
    for (Floats tensor :
        List.of(
            Floats.random(tied, 1, 12, 4),
            Floats.random("1.col.weight", 2, 8, 4),
            Floats.random("1.row.weight", 3, 4, 8),
            Floats.random("1.norm.weight", 4, 4),
            Floats.random("3.col.weight", 5, 8, 4),
            Floats.random("3.norm.weight", 6, 4),
            Floats.random("1.freq", 7, 3),
            Floats.random("3.frozen", 8, 6))) {
      whole.put(tensor.name(), tensor);
    }
    for (int t = 0; t < 2; t++) {
      Floats embedding = share(whole.get(tied), 0, 2, t);
      List<Floats> first =
          List.of(
              share(whole.get("1.col.weight"), 0, 2, t),
              share(whole.get("1.row.weight"), 1, 2, t),
              whole.get("1.norm.weight"));
      List<Floats> second =
          List.of(share(whole.get("3.col.weight"), 0, 2, t), whole.get("3.norm.weight"));
      files.buffers(List.of(whole.get("1.freq")));
      files.write(t, withFirst(embedding, first));
      files.buffers(List.of());
      files.write(2 + t, withFirst(embedding, second));
      files.writeLayer(0, t, List.of(embedding.renamed("weight")));
      files.writeLayer(1, t, inLayer(withFirst(whole.get("1.freq"), first)));
      files.writeLayer(2, t, List.of());
      files.writeLayer(3, t, inLayer(withFirst(share(whole.get("3.frozen"), 0, 2, t), second)));
      files.writeLayer(4, t, List.of(embedding.renamed("weight")));
    }
    return whole;
  }

  private static List<Floats> withFirst(Floats first, List<Floats> others) {
    List<Floats> all = new ArrayList<>(List.of(first));
    all.addAll(others);
    return all;
  }

  private static List<Floats> inLayer(List<Floats> tensors) {
    return tensors.stream().map(t -> t.renamed(t.name().substring(2))).toList();
  }

  private static Map<Object, Object> pipelineInfo() {
    return dict(
        "universal_checkpoint_version", 0.2,
        "original_vocab_size", 11,
        "vocabulary_parameter_patterns", List.of("tied_modules.embed.weight"),
        "pipeline_replicated_parameter_patterns", List.of("tied_modules.embed.weight"),
        "tp_replicated_parameter_patterns", List.of("\\d+\\.norm\\..*"),
        "parameter_with_row_parallelism_patterns", List.of("\\d+\\.row\\.weight"));
  }

  @ParameterizedTest
  @CsvSource({"MASTER, true", "MASTER, false", "MODEL, true", "MODEL, false"})
  void pipelineStagesOfTensorParallelRanks(Weights weights, boolean tellsDegrees)
      throws IOException {
    ModelParallelFiles files = new ModelParallelFiles(input(), 1, 2, 2, 2).info(pipelineInfo());
    Map<String, Floats> whole = pipeline(tellsDegrees ? files : files.old());
    List<String> untrained = List.of("1.freq", "3.frozen");
    whole.forEach(
        (name, tensor) -> {
          Floats cut = name.startsWith("tied") ? tensor.cut(0, 0, 11) : tensor;
          boolean rounded = weights == Weights.MODEL || untrained.contains(name);
          expect(rounded ? cut.asBfloat16() : cut);
        });

    Gathered gathered = requireExpected(conversion().weights(weights).proving());

    assertEquals(
        "put together from 2 tensor-parallel ranks of each of 2 pipeline stages",
        gathered.notes().get(0));
  }

  /** Without lists of parameters, checksums tell that a layer stands there twice. */
  @Test
  void tiedLayersOfAPipelineWithoutZero() throws IOException {
    ModelParallelFiles files = new ModelParallelFiles(input(), 0, 1, 2, 1).withoutShapes();
    Floats embedding = Floats.random("weight", 1, 6, 4);
    Floats norm = Floats.random("weight", 2, 4);
    files.writeModel(0);
    files.writeModel(1);
    files.writeLayer(0, -1, List.of(embedding));
    files.writeLayer(1, -1, List.of(norm));
    files.writeLayer(2, -1, List.of(norm));
    files.writeLayer(10, -1, List.of(embedding));
    expect(embedding.renamed("0.weight").asBfloat16());
    expect(norm.renamed("1.weight").asBfloat16());
    expect(norm.renamed("2.weight").asBfloat16());

    Gathered gathered = requireExpected(conversion());

    assertEquals(Map.of("10.weight", "0.weight"), gathered.aliases());
    assertEquals(
        List.of(
            "put together from 2 pipeline stages",
            "layer 10 holds the same weights as 0, as a tied layer does: taken once"),
        gathered.notes().subList(0, 2));
  }
}
