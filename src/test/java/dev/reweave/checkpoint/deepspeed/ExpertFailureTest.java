package dev.reweave.checkpoint.deepspeed;

import static dev.reweave.testing.PickleWriter.dict;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Weights;
import dev.reweave.common.ReweaveException;
import dev.reweave.testing.Converting;
import dev.reweave.testing.ExpertFiles;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Floats;
import dev.reweave.testing.Locations;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Checkpoints with experts that cannot be put together: one clear message. */
class ExpertFailureTest {
  private static final String NAMED = "m.deepspeed_moe.experts.deepspeed_experts.%d.weight";

  @TempDir Path temp;

  private Path input() {
    return temp.resolve("in");
  }

  private String address(String file) {
    return Locations.of(input().resolve("global_step1").resolve(file)).uri();
  }

  private Converting conversion() {
    return Converting.between(input(), temp.resolve("out")).mapping("none");
  }

  private String failure(Weights weights) {
    Converting conversion = conversion().weights(weights);
    return assertThrows(ReweaveException.class, conversion::prepare).getMessage();
  }

  private static void assertSays(String message, String... parts) {
    for (String part : parts) {
      assertTrue(message.contains(part), () -> "'" + part + "' is not in: " + message);
    }
  }

  private static Floats dense() {
    return Floats.random("head.weight", 1, 3, 2);
  }

  private static Floats expert(int number) {
    return Floats.random(String.format(NAMED, number), number, 3, 2);
  }

  private ExpertFiles files(int world) throws IOException {
    return new ExpertFiles(input(), 1, world)
        .counts(List.of(2))
        .module(List.of(dense()))
        .group(List.of(List.of(dense())));
  }

  private void write(List<List<Floats>> experts, Floats... inFiles) throws IOException {
    ExpertFiles files = files(2).group(experts);
    for (int i = 0; i < inFiles.length; i++) {
      files.writeExpert(0, i, List.of(inFiles[i]));
    }
    files.write();
  }

  @ParameterizedTest
  @CsvSource({
    "moe_z2_bf16_w2, MASTER, 2, 4",
    "moe_z2_bf16_w2, MODEL, 3, 4",
    "moe_z1_fp16_w2, MODEL, 0, 2"
  })
  void anExpertIsMissing(String fixture, Weights weights, int number, int of) throws IOException {
    Fixtures.copy(Fixtures.folder(fixture).resolve("ckpt"), input());
    String file = "global_step3/layer_0_expert_" + number + "_mp_rank_00_model_states.pt";
    Files.delete(input().resolve(file));

    assertEquals(
        "not all files are there: layer of experts 0: expert "
            + number
            + " is missing, of "
            + of
            + " experts, numbered 0 to "
            + (of - 1)
            + ": "
            + Locations.of(input().resolve(file))
            + "; the checkpoint was not saved whole, or files of two runs are mixed: copy the files"
            + " of this step from the training run again, or convert another tag with --tag",
        failure(weights));
  }

  @Test
  void severalExpertsAreMissing() throws IOException {
    Fixtures.copy(Fixtures.folder("moe_z2_bf16_w2").resolve("ckpt"), input());
    for (int number : List.of(1, 3)) {
      Files.delete(
          input().resolve("global_step3/layer_0_expert_" + number + "_mp_rank_00_model_states.pt"));
    }

    assertSays(
        failure(Weights.MODEL),
        "layer of experts 0: experts 1, 3 are missing, of 4 experts, numbered 0 to 3: ",
        "/layer_0_expert_1_mp_rank_00_model_states.pt, layer_0_expert_3_mp_rank_00_model_states.pt;");
  }

  @Test
  void aRankWithItsExpertsIsMissing() throws IOException {
    Fixtures.copy(Fixtures.folder("moe_z2_bf16_w2").resolve("ckpt"), input());
    Files.delete(input().resolve("global_step3/bf16_zero_pp_rank_1_mp_rank_00_optim_states.pt"));

    assertSays(failure(Weights.MASTER), "rank 1 is missing, of 2 data-parallel ranks");
  }

  @Test
  void anExpertOfAnotherRunLiesBeside() throws IOException {
    write(List.of(List.of(expert(0)), List.of(expert(0))), expert(0), expert(1), expert(2));

    assertSays(
        failure(Weights.MASTER),
        "this is a file of expert 2, numbered from 0, and the model has 2: "
            + address("layer_0_expert_2_mp_rank_00_model_states.pt"),
        "move those of the other run away");
  }

  @Test
  void aFileHoldsAnotherExpert() throws IOException {
    write(List.of(List.of(expert(0)), List.of(expert(0))), expert(1), expert(0));

    assertSays(
        failure(Weights.MODEL),
        "the file of expert 0 holds a tensor that is not the expert's: " + String.format(NAMED, 1));
  }

  @Test
  void aGroupOfExpertsHoldsSomethingElse() throws IOException {
    Floats other = Floats.random("tail.weight", 1, 3, 2);
    write(List.of(List.of(other), List.of(other)), expert(0), expert(1));

    assertSays(
        failure(Weights.MASTER),
        "parameter tail.weight lies in a group of 2 expert-parallel ranks, and its name is not"
            + " that of an expert",
        "convert the module's own weights with --weights model");
  }

  @Test
  void ranksHaveMoreExpertsThanThereAre() throws IOException {
    List<Floats> both = List.of(expert(0), expert(1));
    write(List.of(both, both), expert(0), expert(1));

    assertSays(
        failure(Weights.MASTER),
        "there are 2 experts m.deepspeed_moe.experts.deepspeed_experts.*, shared by 2"
            + " expert-parallel ranks, and one of these has expert 1");
  }

  @Test
  void groupsDifferInAModelWithoutExperts() throws IOException {
    new ExpertFiles(input(), 1, 2)
        .module(List.of(dense()))
        .group(List.of(List.of(dense())))
        .group(List.of(List.of(expert(0)), List.of(expert(0))))
        .write();

    assertSays(
        failure(Weights.MASTER),
        "parameter groups of partition counts [2, 1] in a model without experts");
  }

  private static Map<Object, Object> stack(int experts, int ranks) {
    return dict(
        "moe_layer_id",
        0,
        "num_experts",
        experts,
        "ep_size",
        ranks,
        "expert_key_prefix",
        "m.experts",
        "checkpoint_format",
        "zero3_partitioned");
  }

  private static List<Floats> stacked() {
    return List.of(Floats.random("m.experts.w1", 1, 2, 3, 2));
  }

  private static Map<Object, Object> placement(List<?>... byRank) {
    List<Object> ranks = new ArrayList<>();
    for (int r = 0; r < byRank.length; r++) {
      ranks.add(dict("rank", r, "experts", byRank[r]));
    }
    return dict("version", 1, "num_experts", 4, "ep_size", 2, "ranks", ranks);
  }

  /** What DeepSpeed 0.19.8 writes of four experts of six numbers each in two ranks. */
  private static Map<Object, Object> pieces(int firstOfFirst, int firstOfSecond) {
    Map<Object, Object> ranks = dict();
    for (int r = 0; r < 2; r++) {
      int first = r == 0 ? firstOfFirst : firstOfSecond;
      ranks.put(
          r,
          dict(
              "shard_shape",
              List.of(2, 3, 2),
              "pieces",
              List.of(
                  dict(
                      "shape", List.of(2, 3, 2),
                      "source", List.of(6 * first, List.of(6, 2, 1)),
                      "dest", List.of(0, List.of(6, 2, 1)),
                      "locations", List.of(r)))));
    }
    return dict(
        "version",
        1,
        "params",
        dict("m.experts.w1", dict("logical_shape", List.of(4, 3, 2), "ranks", ranks)));
  }

  private void writeStack(Object placement, Object maps) throws IOException {
    Map<Object, Object> stack = stack(4, 2);
    stack.put("expert_placement", placement);
    stack.put("affine_maps", maps);
    new ExpertFiles(input(), 3, 2)
        .counts(List.of(4))
        .stacks(List.of(stack))
        .module(List.of(dense()))
        .group(List.of(List.of(dense())))
        .group(List.of(stacked(), stacked()))
        .write();
  }

  @Test
  void expertsThatAreNotSpreadEvenlyAndInOrder() throws IOException {
    String noted =
        "AutoEP experts that are not spread evenly and in order are not read, and what is noted of"
            + " m.experts ";
    Map<Object, Object> even = placement(List.of(0, 1), List.of(2, 3));
    Map<Object, Object> newer = placement(List.of(0, 1), List.of(2, 3));
    newer.put("version", 2);
    Map<Object, Object> newerMaps = pieces(0, 2);
    newerMaps.put("version", 3);
    List<Object[]> cases =
        List.of(
            new Object[] {
              "has experts [0, 2] in rank 0", placement(List.of(0, 2), List.of(1, 3)), pieces(0, 2)
            },
            new Object[] {
              "has experts [0, 1, 2] in rank 0", placement(List.of(0, 1, 2), List.of(3)), null
            },
            new Object[] {
              "is of other numbers of experts and ranks than the layer",
              placement(List.of(0, 1, 2, 3)),
              null
            },
            new Object[] {"expert_placement has version 2", newer, null},
            new Object[] {"affine_maps has version 3", even, newerMaps},
            new Object[] {"has other pieces than whole experts in order", even, pieces(2, 0)},
            new Object[] {"makes no sense: offset -6", null, pieces(-1, 2)});
    for (Object[] odd : cases) {
      writeStack(odd[1], odd[2]);
      assertSays(
          failure(Weights.MASTER),
          noted + odd[0],
          "; save the step again with equal shares in order, which DeepSpeed 0.19.8 gives each"
              + " rank");
      Fixtures.remove(input());
    }
    writeStack(even, pieces(0, 2));
    assertEquals(
        "[4, 3, 2]",
        conversion().prepare().checkpoint().tensors().stream()
            .filter(t -> t.name().equals("m.experts.w1"))
            .findFirst()
            .orElseThrow()
            .spec()
            .shape()
            .toString());
  }

  @Test
  void stackedExpertsAreNotAsManyAsTold() throws IOException {
    new ExpertFiles(input(), 3, 2)
        .counts(List.of(6))
        .stacks(List.of(stack(6, 2)))
        .module(List.of(dense()))
        .group(List.of(List.of(dense())))
        .group(List.of(stacked(), stacked()))
        .write();

    assertSays(
        failure(Weights.MASTER),
        "2 expert-parallel ranks have m.experts.w1 of shape [2, 3, 2], and the model states tell"
            + " of 2 with 6 experts in all");
  }

  @Test
  void stackedExpertsThatAreFoldedAreRefusedByName() throws IOException {
    new ExpertFiles(input(), 3, 2)
        .counts(List.of(4))
        .stacks(List.of(stack(4, 2)))
        .folded()
        .module(List.of(dense()))
        .group(List.of(List.of(dense())))
        .group(List.of(stacked(), stacked()))
        .write();

    assertSays(
        failure(Weights.MASTER),
        "AutoEP experts that are folded with AutoTP tensor parallelism are not read",
        "mp_rank_00_model_states.pt");
  }

  @Test
  void aNameThatNoVersionMakesIsRefused() throws IOException {
    write(List.of(List.of(expert(0)), List.of(expert(0))), expert(0), expert(1));
    String name = "layer_0_expert_1_of_2_model_states.pt";
    Files.copy(
        input().resolve("global_step1/layer_0_expert_1_mp_rank_00_model_states.pt"),
        input().resolve("global_step1").resolve(name));

    assertSays(
        failure(Weights.MODEL),
        "the name of this file is like that of a rank's, layer's or expert's, but of no known"
            + " version: "
            + address(name));
  }
}
