package dev.reweave.checkpoint.dcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Whose masters are where, of buckets that are written down here as Megatron-Core 0.16.1 filled
 * them (src/test/interop/make_megatron.py with these ranks).
 */
class BucketSearchTest {
  private static final String LAYERS = "decoder.layers.";
  private static final String ATTENTION = "self_attention.";
  private static final String EXPERTS = "mlp.experts.experts.";

  /** Short names of what all layers have. */
  private static final Map<String, String> KINDS =
      Map.of(
          "norm", ATTENTION + "linear_qkv.layer_norm_weight",
          "proj", ATTENTION + "linear_proj.weight",
          "qkv", ATTENTION + "linear_qkv.weight",
          "norm2", "mlp.linear_fc1.layer_norm_weight",
          "router", "mlp.router.weight",
          "fc1", "mlp.linear_fc1.weight",
          "fc2", "mlp.linear_fc2.weight",
          "words", "embedding.word_embeddings.weight",
          "final", "decoder.final_layernorm.weight",
          "out", "output_layer.weight");

  private final List<DcpTensor> model = new ArrayList<>();
  private final List<DcpTensor> buckets = new ArrayList<>();
  private final Map<String, LocalParameter.Part> parts = new LinkedHashMap<>();
  private final Set<BucketFit.Placed> expected = new HashSet<>();

  @BeforeEach
  void clear() {
    model.clear();
    buckets.clear();
    parts.clear();
    expected.clear();
  }

  private static DcpTensor tensor(
      String name, DType type, List<Long> shape, List<List<Long>> offsets, List<List<Long>> sizes) {
    List<DcpTensor.Chunk> chunks = new ArrayList<>();
    for (int c = 0; c < offsets.size(); c++) {
      StoredChunk stored =
          new StoredChunk(name + " " + offsets.get(c), type, shape(sizes.get(c)), 0, 1);
      chunks.add(new DcpTensor.Chunk(offsets.get(c), "__0_0.distcp", stored));
    }
    return new DcpTensor(name, type, shape(shape), chunks);
  }

  private static Shape shape(List<Long> dims) {
    return Shape.of(dims.stream().mapToLong(Long::longValue).toArray());
  }

  /** Pieces of rows, one for each rank, of a tensor outside of layers. */
  private void outside(String kind, int pieces, long rows, long columns) {
    List<List<Long>> offsets = new ArrayList<>();
    List<List<Long>> sizes = new ArrayList<>();
    for (int p = 0; p < pieces; p++) {
      offsets.add(List.of(p * rows / pieces, 0L));
      sizes.add(List.of(rows / pieces, columns));
      parts.put(kind + "/" + p, new LocalParameter.Part(model.size(), p, rows / pieces * columns));
    }
    model.add(tensor(KINDS.get(kind), DType.BF16, List.of(rows, columns), offsets, sizes));
  }

  /** The same of all layers in one tensor; a part is called fc1.0/1: of layer 0, piece 1. */
  private void stacked(String kind, int layers, int pieces, long rows, long columns) {
    List<List<Long>> offsets = new ArrayList<>();
    List<List<Long>> sizes = new ArrayList<>();
    for (long l = 0; l < layers; l++) {
      for (int p = 0; p < pieces; p++) {
        offsets.add(List.of(l, p * rows / pieces, 0L));
        sizes.add(List.of(1L, rows / pieces, columns));
        parts.put(
            kind + "." + l + "/" + p,
            new LocalParameter.Part(model.size(), offsets.size() - 1, rows / pieces * columns));
      }
    }
    model.add(
        tensor(
            LAYERS + KINDS.get(kind),
            DType.BF16,
            List.of((long) layers, rows, columns),
            offsets,
            sizes));
  }

  /**
   * Of experts, of whose layers no rank has a slice; fc1e.0.3/1 is of layer 0, expert 3, half 1.
   */
  private void experts(String layer, int layers, int experts, int pieces, long rows) {
    List<List<Long>> offsets = new ArrayList<>();
    List<List<Long>> sizes = new ArrayList<>();
    for (long l = 0; l < layers; l++) {
      for (long e = 0; e < experts; e++) {
        for (int p = 0; p < pieces; p++) {
          offsets.add(List.of(l, e, p * rows / pieces, 0L));
          sizes.add(List.of(1L, 1L, rows / pieces, 8L));
          parts.put(
              layer + "e." + l + "." + e + "/" + p,
              new LocalParameter.Part(model.size(), offsets.size() - 1, rows / pieces * 8));
        }
      }
    }
    model.add(
        tensor(
            LAYERS + EXPERTS + "linear_" + layer + ".weight",
            DType.BF16,
            List.of((long) layers, (long) experts, rows, 8L),
            offsets,
            sizes));
  }

  /**
   * A bucket.
   *
   * @param name {@code chained/group/buffer/index}, the first of them - where there is one
   *     optimizer
   * @param content parameters from the first to the last; halves of one have a + between them
   */
  private void bucket(String name, String... content) {
    String[] numbers = name.split("/", -1);
    String key =
        (numbers[0].equals("-") ? "" : "chained_" + numbers[0] + ".")
            + "optimizer.distributed.dp_group_idx_"
            + numbers[1]
            + ".gbuf_idx_"
            + numbers[2]
            + ".dtype_(torch.bfloat16, torch.float32).bucket_idx_"
            + numbers[3]
            + ".param";
    List<List<Long>> offsets = new ArrayList<>();
    List<List<Long>> sizes = new ArrayList<>();
    long end = 0;
    for (String parameter : content) {
      long start = (end + 63) / 64 * 64;
      if (start > end) {
        offsets.add(List.of(end));
        sizes.add(List.of(start - end));
      }
      long at = start;
      for (String part : parameter.split("\\+", -1)) {
        expected.add(new BucketFit.Placed(parts.get(part), buckets.size(), at));
        at += parts.get(part).elements();
      }
      offsets.add(List.of(start));
      sizes.add(List.of(at - start));
      end = at;
    }
    buckets.add(tensor(key, DType.F32, List.of(end), offsets, sizes));
  }

  private BucketSearch search() {
    return new BucketSearch(model, buckets, "memory:/ckpt");
  }

  private void assertFound() {
    List<List<BucketFit.Placed>> fitting = search().fitting();
    assertEquals(1, fitting.size());
    assertEquals(expected, new HashSet<>(fitting.get(0)));
  }

  private void assertRefused(String why) {
    ReweaveException e = assertThrows(ReweaveException.class, this::search);
    assertEquals(
        "the fp32 masters are in flat buckets of the distributed optimizer, without names: " + why,
        e.problem());
    assertEquals(
        "leave --weights out for the model's own weights, or save with"
            + " --dist-ckpt-optim-fully-reshardable",
        e.remedy());
  }

  private void dense(int layers, int ranks) {
    dense(layers, ranks, 8);
  }

  private void dense(int layers, int ranks, long rowsOfProjection) {
    outside("words", ranks, 32, 8);
    stacked("norm", layers, 1, 1, 8);
    stacked("proj", layers, ranks, rowsOfProjection, 8);
    stacked("qkv", layers, ranks, 16, 8);
    stacked("norm2", layers, 1, 1, 8);
    stacked("fc1", layers, 2 * ranks, 48, 8);
    stacked("fc2", layers, ranks, 24, 8);
    outside("final", 1, 1, 8);
  }

  private static String[] joined(String[]... all) {
    return Arrays.stream(all).flatMap(Arrays::stream).toArray(String[]::new);
  }

  private static String[] of(String... parameters) {
    return parameters;
  }

  /** In Megatron-Core's own layers the norm is a module in front of the attention. */
  private static String[] own(int layer) {
    return Arrays.stream(of("fc2./0", "fc1./0+fc1./1", "norm2./0", "qkv./0", "proj./0", "norm./0"))
        .map(p -> p.replace(".", "." + layer))
        .toArray(String[]::new);
  }

  /** In Transformer Engine's it is a part of the projection. */
  private static String[] fused(int layer, int rank) {
    return Arrays.stream(of("fc2./R", "fc1./R+fc1./S", "norm2./0", "qkv./R", "norm./0", "proj./R"))
        .map(p -> p.replace(".", "." + layer).replace("R", "" + rank).replace("S", "" + (2 + rank)))
        .toArray(String[]::new);
  }

  @Test
  void parametersStandInReverseOrder() {
    dense(2, 1);
    outside("out", 1, 32, 8);
    bucket("-/0/0/0", joined(of("out/0", "final/0"), own(1), own(0), of("words/0")));

    assertFound();
  }

  @Test
  void bucketsEndWhereTheFileSays() {
    dense(2, 1);
    outside("out", 1, 32, 8);
    bucket("-/0/0/0", of("out/0", "final/0", "fc2.1/0"));
    bucket("-/0/0/1", of("fc1.1/0+fc1.1/1", "norm2.1/0", "qkv.1/0", "proj.1/0", "norm.1/0"));
    bucket("-/0/0/2", joined(own(0), of("words/0")));

    assertFound();
  }

  /** Each tensor-parallel rank has its slices, and all that is not cut. */
  @Test
  void ranksHaveBucketsOfTheirOwn() {
    dense(1, 2);
    outside("out", 2, 32, 8);
    bucket("-/0/0/0", joined(of("out/0", "final/0"), fused(0, 0), of("words/0")));
    bucket("-/1/0/0", joined(of("out/1", "final/0"), fused(0, 1), of("words/1")));

    assertFound();
  }

  /** Stages need not have as many layers; the last one has a copy of a tied embedding. */
  @Test
  void stagesFollowEachOther() {
    dense(3, 1);
    bucket("-/0/0/0", joined(own(0), of("words/0")));
    bucket("-/1/0/0", of("words/0"));
    bucket("-/1/0/1", joined(of("final/0"), own(2), own(1)));

    assertFound();
  }

  /** The ranks of the first stage come first, then those of the second one. */
  @Test
  void stagesHaveRanks() {
    dense(2, 2);
    outside("out", 2, 32, 8);
    bucket("-/0/0/0", joined(fused(0, 0), of("words/0")));
    bucket("-/1/0/0", joined(fused(0, 1), of("words/1")));
    bucket("-/2/0/0", joined(of("out/0", "final/0"), fused(1, 0)));
    bucket("-/3/0/0", joined(of("out/1", "final/0"), fused(1, 1)));

    assertFound();
  }

  /** Each of two stages has two parts: layers 0 and 2, and 1 and 3. */
  @Test
  void stagesAreInterleaved() {
    dense(4, 1);
    outside("out", 1, 32, 8);
    bucket("-/0/0/0", joined(own(0), of("words/0")));
    bucket("-/0/1/0", own(2));
    bucket("-/1/0/0", own(1));
    bucket("-/1/1/0", joined(of("out/0", "final/0"), own(3)));

    assertFound();
  }

  private void mixture() {
    outside("words", 1, 32, 8);
    stacked("norm", 1, 1, 1, 8);
    stacked("proj", 1, 1, 8, 8);
    stacked("qkv", 1, 1, 16, 8);
    stacked("norm2", 1, 1, 1, 8);
    stacked("router", 1, 1, 4, 8);
    experts("fc1", 1, 4, 2, 48);
    experts("fc2", 1, 4, 1, 24);
    outside("final", 1, 1, 8);
  }

  @Test
  void expertsOfOneRankFollowEachOther() {
    mixture();
    List<String> content = new ArrayList<>(List.of("final/0"));
    for (int e = 3; e >= 0; e--) {
      String of = "e.0." + e + "/";
      content.addAll(List.of("fc2" + of + 0, "fc1" + of + "0+fc1" + of + 1));
    }
    content.addAll(List.of("router.0/0", "norm2.0/0", "qkv.0/0", "proj.0/0", "norm.0/0"));
    content.add("words/0");
    bucket("-/0/0/0", content.toArray(String[]::new));

    assertFound();
  }

  @Test
  void expertsOfRanksHaveAnOptimizerOfTheirOwn() {
    mixture();
    bucket(
        "0/0/0/0",
        "final/0",
        "router.0/0",
        "norm2.0/0",
        "qkv.0/0",
        "norm.0/0",
        "proj.0/0",
        "words/0");
    for (int rank = 0; rank < 2; rank++) {
      String a = "e.0." + 2 * rank + "/";
      String b = "e.0." + (2 * rank + 1) + "/";
      bucket(
          "1/" + rank + "/0/0",
          "fc2" + b + 0,
          "fc2" + a + 0,
          "fc1" + b + "0+fc1" + b + 1,
          "fc1" + a + "0+fc1" + a + 1);
    }

    assertFound();
  }

  @Test
  void ordersThatFitAreLeftToTheNumbers() {
    // As long as the norm, so that either could be first.
    dense(1, 1, 1);
    bucket("-/0/0/0", joined(of("final/0"), own(0), of("words/0")));
    Set<BucketFit.Placed> inOwnOrder = new HashSet<>(expected);

    List<List<BucketFit.Placed>> fitting = search().fitting();

    assertEquals(2, fitting.size());
    assertEquals(inOwnOrder, new HashSet<>(fitting.get(1)));
  }

  @Test
  void anotherOrderIsNotKnown() {
    dense(1, 1);
    outside("out", 1, 32, 8);
    bucket("-/0/0/0", joined(of("words/0"), own(0), of("final/0", "out/0")));

    assertRefused(
        "no order that is known of Megatron-Core's parameters gives buckets of these sizes");
  }

  @Test
  void aBucketThatEndsElsewhereFitsNoOrder() {
    dense(1, 1);
    bucket("-/0/0/0", joined(of("final/0"), own(0)));

    assertRefused(
        "no order that is known of Megatron-Core's parameters gives buckets of these sizes");
  }

  @Test
  void tensorsOfOtherModelsAreNamed() {
    dense(1, 1);
    model.add(
        tensor(
            LAYERS + "mixer.in_proj.weight",
            DType.BF16,
            List.of(8L),
            List.of(List.of(0L)),
            List.of(List.of(8L))));
    bucket("-/0/0/0", joined(of("final/0"), own(0), of("words/0")));

    assertRefused("where decoder.layers.mixer.in_proj.weight is among them is not known");
  }

  @Test
  void piecesHaveToBeThoseOfRanks() {
    dense(1, 1);
    stacked("router", 1, 3, 6, 8);
    bucket("-/0/0/0", joined(of("final/0"), own(0), of("words/0")));

    assertRefused("decoder.layers.mlp.router.weight is cut into 3 pieces by 1 ranks");
  }

  @Test
  void ranksHaveToBeAsManyAsTheModelIsCutFor() {
    dense(1, 2);
    bucket("-/0/0/0", joined(of("final/0"), fused(0, 0), of("words/0")));

    assertRefused("they are those of 1 ranks, which are no multiple of 2");
  }

  @Test
  void typesHaveToBeTheModels() {
    dense(1, 1);
    bucket("-/0/0/0", joined(of("final/0"), own(0), of("words/0")));
    DcpTensor bucket = buckets.remove(0);
    buckets.add(
        new DcpTensor(
            bucket.name().replace("torch.bfloat16", "torch.uint8"),
            DType.F32,
            bucket.shape(),
            bucket.chunks()));

    assertRefused(
        "they are of parameters of torch.uint8, and the model has tensors of torch.bfloat16");
  }
}
