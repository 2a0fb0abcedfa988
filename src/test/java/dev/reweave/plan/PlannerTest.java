package dev.reweave.plan;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.NamedTensor;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Which files a result is planned to have, and what is in each. */
class PlannerTest {
  private static final PlanOptions KEEP = PlanOptions.DEFAULTS.withType(new TargetType.Keep());

  private static final List<NamedTensor> MODEL =
      List.of(
          PlanSamples.tensor("embed", DType.BF16, 50, 4),
          PlanSamples.tensor("norm", DType.F32, 4),
          PlanSamples.tensor("steps", DType.I64, 3),
          PlanSamples.tensor("head", DType.BF16, 50, 4));

  private static ResultModel design(Format format, Map<String, String> aliases) {
    return ResultModel.of(PlanSamples.sources(2), MODEL, aliases, PlanSamples.names(format));
  }

  /** With a base that has all but one of the tensors, in two shards. */
  private static ResultModel likeBase(String index, List<NamedTensor> tensors) {
    Map<String, ResultModel.Place> places =
        Map.of(
            "embed", new ResultModel.Place("b.safetensors", DType.F16),
            "norm", new ResultModel.Place("a.safetensors", DType.F32),
            "head", new ResultModel.Place("b.safetensors", DType.F32));
    PlannedFile copy =
        new PlannedFile(
            "vae/config.bin", PlannedFile.Role.COPY, List.of(new Segment.Literal(new byte[40])));
    return new ResultModel(
        PlanSamples.sources(3),
        2,
        tensors,
        Map.of(),
        Map.of(),
        PlanSamples.names(Format.SAFETENSORS),
        new ResultModel.Likeness(places, index),
        new Beside(
            List.of(copy),
            List.of(new SmallFile("transformer/config.json", "{}".getBytes(UTF_8))),
            List.of(new SmallFile("model_index.json", "[]".getBytes(UTF_8)))));
  }

  private static PlanOptions like() {
    return KEEP.withType(new TargetType.LikeBase()).with(PlanOptions.SHARDS, Sharding.LIKE_BASE);
  }

  private static List<String> tensors(PlannedFile file) {
    return file.tensors().stream()
        .map(t -> t.spec().name() + " " + t.spec().dtype() + " " + t.spec().shape())
        .toList();
  }

  /** What the header of a shard says beside its tensors. */
  private static String metadata(PlannedFile shard) {
    String header = new String(((Segment.Literal) shard.segments().get(0)).bytes(), UTF_8);
    int from = header.indexOf("__metadata__") + "__metadata__\":".length();
    return header.substring(from, header.indexOf('}', from) + 1);
  }

  private static String index(ConversionPlan plan) {
    return new String(plan.index().orElseThrow().content(), UTF_8);
  }

  @Test
  void oneShardHasNoIndex() {
    ConversionPlan plan = new Planner(KEEP).plan(design(Format.SAFETENSORS, Map.of()));

    assertEquals(List.of("transformer/model.safetensors"), plan.paths());
    assertEquals(
        List.of("steps I64 [3]", "norm F32 [4]", "embed BF16 [50, 4]", "head BF16 [50, 4]"),
        tensors(plan.files().get(0)));
    assertEquals(2, plan.checkpointFiles());
    assertEquals(PlanSamples.sources(2), plan.sources());
    assertEquals(4, plan.tensors());
    assertEquals(407, plan.elements());
    assertEquals(840, plan.bytesToRead());
    assertEquals(plan.files().get(0).length(), plan.bytesToWrite());
    assertEquals(List.of(), plan.copied());
    assertEquals(List.of(), plan.smallFiles());
    assertEquals(Witness.NONE, plan.witness());
    assertEquals(Optional.empty(), plan.chunkBytes());
  }

  @Test
  void floatingPointTensorsGetTheWantedTypeAndOthersKeepTheirs() {
    ConversionPlan plan =
        new Planner(PlanOptions.DEFAULTS).plan(design(Format.SAFETENSORS, Map.of()));

    assertEquals(
        List.of("steps I64 [3]", "embed F32 [50, 4]", "head F32 [50, 4]", "norm F32 [4]"),
        tensors(plan.files().get(0)));
    // Read as it lies there, written wider.
    assertEquals(840, plan.bytesToRead());
    assertTrue(plan.bytesToWrite() > 1640, "bytes: " + plan.bytesToWrite());
  }

  @Test
  void shardsAreListedInAnIndex() {
    PlanOptions small = KEEP.with(PlanOptions.MAX_SHARD_SIZE, 440L);
    ConversionPlan plan =
        new Planner(small).plan(design(Format.SAFETENSORS, Map.of("lm_head", "head")));

    assertEquals(
        List.of(
            "transformer/model-00001-of-00002.safetensors",
            "transformer/model-00002-of-00002.safetensors",
            "transformer/model.safetensors.index.json"),
        plan.paths());
    assertEquals(
        List.of("steps I64 [3]", "norm F32 [4]", "embed BF16 [50, 4]"),
        tensors(plan.shards().get(0)));
    assertEquals(List.of("head BF16 [50, 4]"), tensors(plan.shards().get(1)));
    assertEquals("{\"format\":\"pt\",\"lm_head\":\"head\"}", metadata(plan.shards().get(1)));
    assertEquals(
        """
        {
          "metadata": {
            "lm_head": "head",
            "total_size": 840
          },
          "weight_map": {
            "embed": "model-00001-of-00002.safetensors",
            "head": "model-00002-of-00002.safetensors",
            "norm": "model-00001-of-00002.safetensors",
            "steps": "model-00001-of-00002.safetensors"
          }
        }
        """,
        index(plan));
  }

  /** torch.save keeps tied tensors tied, so that their names stand in the weight map. */
  @Test
  void shardsOfTorchKeepTiedNames() {
    PlanOptions small = KEEP.with(PlanOptions.MAX_SHARD_SIZE, 440L);
    ConversionPlan plan = new Planner(small).plan(design(Format.BIN, Map.of("lm_head", "head")));

    assertEquals(
        List.of(
            "transformer/pytorch_model-00001-of-00002.bin",
            "transformer/pytorch_model-00002-of-00002.bin",
            "transformer/pytorch_model.bin.index.json"),
        plan.paths());
    assertEquals(
        """
        {
          "metadata": {
            "total_size": 840
          },
          "weight_map": {
            "embed": "pytorch_model-00001-of-00002.bin",
            "head": "pytorch_model-00002-of-00002.bin",
            "lm_head": "pytorch_model-00002-of-00002.bin",
            "norm": "pytorch_model-00001-of-00002.bin",
            "steps": "pytorch_model-00001-of-00002.bin"
          }
        }
        """,
        index(plan));
  }

  @Test
  void aResultLikeItsBaseHasTheBasesShardsTypesAndFiles() {
    List<NamedTensor> known = List.of(MODEL.get(0), MODEL.get(1), MODEL.get(3));

    ConversionPlan plan = new Planner(like()).plan(likeBase("base.index.json", known));

    assertEquals(
        List.of(
            "vae/config.bin",
            "transformer/a.safetensors",
            "transformer/b.safetensors",
            "transformer/config.json",
            "transformer/base.index.json",
            "model_index.json"),
        plan.paths());
    assertEquals(List.of("vae/config.bin"), plan.copied().stream().map(PlannedFile::path).toList());
    assertEquals(List.of("norm F32 [4]"), tensors(plan.shards().get(0)));
    assertEquals(List.of("head F32 [50, 4]", "embed F16 [50, 4]"), tensors(plan.shards().get(1)));
    assertEquals(
        """
        {
          "metadata": {
            "total_size": 1216
          },
          "weight_map": {
            "embed": "b.safetensors",
            "head": "b.safetensors",
            "norm": "a.safetensors"
          }
        }
        """,
        index(plan));
    assertEquals(3, plan.tensors());
    assertEquals(
        List.of(40L, plan.shards().get(0).length(), plan.shards().get(1).length()),
        plan.files().stream().map(PlannedFile::length).toList());
    assertEquals(2, plan.checkpointFiles());
  }

  @Test
  void aBaseWithoutIndexGivesNone() {
    List<NamedTensor> known = List.of(MODEL.get(0), MODEL.get(1));

    ConversionPlan plan = new Planner(like()).plan(likeBase("", known));

    assertEquals(2, plan.shards().size());
    assertEquals(Optional.empty(), plan.index());
    assertEquals(
        List.of("transformer/config.json", "model_index.json"),
        plan.smallFiles().stream().map(SmallFile::path).toList());
  }

  @Test
  void aTensorThatTheBaseLacksHasNoShard() {
    ReweaveException refused =
        assertThrows(
            ReweaveException.class, () -> new Planner(like()).plan(likeBase("i.json", MODEL)));

    assertEquals(
        "the base has no such tensor, so its shard is not known: tensor steps;"
            + " leave --shards like-base out",
        refused.getMessage());
  }

  @Test
  void nothingIsNoModel() {
    ResultModel nothing =
        ResultModel.of(
            PlanSamples.sources(1), List.of(), Map.of(), PlanSamples.names(Format.SAFETENSORS));

    ReweaveException refused =
        assertThrows(ReweaveException.class, () -> new Planner(KEEP).plan(nothing));

    assertEquals(
        "there are no tensors to convert: the checkpoint; look at it with 'reweave inspect', or"
            + " leave --exclude-frozen or --only out",
        refused.getMessage());
  }
}
