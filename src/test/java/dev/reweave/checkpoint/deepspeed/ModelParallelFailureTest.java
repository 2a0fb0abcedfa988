package dev.reweave.checkpoint.deepspeed;

import static dev.reweave.testing.PickleWriter.dict;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.checkpoint.Weights;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Floats;
import dev.reweave.testing.ModelParallelFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tensor- and pipeline-parallel checkpoints that are not whole: one clear message. */
class ModelParallelFailureTest extends ModelParallelFailures {
  private static final String NOT_WHOLE = "the checkpoint was not saved whole";

  private void copyFixture(String name) throws IOException {
    Fixtures.copy(Fixtures.folder(name).resolve("ckpt"), input());
  }

  private void delete(String file) throws IOException {
    try (Stream<Path> tags = Files.list(input())) {
      Files.delete(tags.filter(Files::isDirectory).findFirst().orElseThrow().resolve(file));
    }
  }

  @Test
  void aTensorThatOneRankHasAlone() throws IOException {
    ModelParallelFiles files = files(1, 2).info(dict("universal_checkpoint_version", 0.2));
    Floats slice = Floats.random("a.weight", 1, 6, 2);
    files.write(0, List.of(slice));
    files.write(1, List.of(slice, Floats.random("b.weight", 2, 3)));

    assertSays(
        failure(), "some tensor-parallel ranks have b.weight, and others have not", "two runs");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "mp_rank_01_model_states.pt | the model states of tensor- or pipeline-parallel rank 1 are missing",
        "zero_pp_rank_0_mp_rank_01_optim_states.pt | the optimizer states of tensor- or pipeline-parallel rank 1 are missing",
      })
  void filesOfARankAreMissing(String file, String problem) throws IOException {
    copyFixture("tp2_z1_fp16_w2");
    delete(file);

    assertSays(failure(), problem, "/" + file, NOT_WHOLE);
  }

  @Test
  void allFilesOfARankAreMissing() throws IOException {
    copyFixture("tp2_z1_fp16_w2");
    delete("mp_rank_01_model_states.pt");
    delete("zero_pp_rank_0_mp_rank_01_optim_states.pt");

    assertSays(
        failure(),
        "rank 1 is missing, of 2 tensor-parallel ranks",
        "/mp_rank_01_model_states.pt",
        NOT_WHOLE);
  }

  @Test
  void theFirstRankIsMissing() throws IOException {
    copyFixture("pipe_z1_bf16_pp2");
    delete("mp_rank_00_model_states.pt");
    delete("bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt");

    assertSays(
        failure(),
        "rank 0 is missing, of 2 ranks (2 pipeline stages, tensor-parallel 1)",
        "/mp_rank_00_model_states.pt",
        NOT_WHOLE);
  }

  @Test
  void aDataParallelRankOfATensorRankIsMissing() throws IOException {
    copyFixture("tp2_z2_bf16_w4");
    delete("bf16_zero_pp_rank_1_mp_rank_01_optim_states.pt");

    assertSays(
        failure(),
        "rank 1 is missing, of 2 data-parallel ranks",
        "/bf16_zero_pp_rank_1_mp_rank_01_optim_states.pt",
        NOT_WHOLE);
  }

  @Test
  void filesOfSeveralRanksAreMissing() throws IOException {
    copyFixture("tp2_z2_bf16_w4");
    List<String> missing =
        List.of(
            "bf16_zero_pp_rank_1_mp_rank_00_optim_states.pt",
            "bf16_zero_pp_rank_1_mp_rank_01_optim_states.pt");
    for (String file : missing) {
      delete(file);
    }

    assertSays(
        failure(),
        "rank 1 is missing, of 2 data-parallel ranks, numbered 0 to 1: ",
        "/" + String.join(", ", missing) + "; the checkpoint was not saved whole");

    delete("mp_rank_01_model_states.pt");
    delete("bf16_zero_pp_rank_0_mp_rank_01_optim_states.pt");

    assertSays(
        failure(),
        "rank 1 is missing, of 2 tensor-parallel ranks, numbered 0 to 1, and rank 1 is missing, of"
            + " 2 data-parallel ranks, numbered 0 to 1: ",
        "/mp_rank_01_model_states.pt, bf16_zero_pp_rank_0_mp_rank_01_optim_states.pt,"
            + " bf16_zero_pp_rank_1_mp_rank_00_optim_states.pt; ");
  }

  @Test
  void layersOfSeveralTensorRanksAreMissing() throws IOException {
    ModelParallelFiles files = files(2, 2);
    for (int rank = 0; rank < 4; rank++) {
      files.write(rank, List.of(Floats.random(rank / 2 + ".weight", rank, 6, 2)));
    }
    for (int layer = 0; layer < 3; layer++) {
      files.writeLayer(layer, layer / 2, List.of(Floats.random("weight", 0, 6, 2)));
    }

    assertSays(
        failure(),
        "layer 0 of tensor-parallel rank 1 is missing, of 2 tensor-parallel ranks, numbered 0 to 1,"
            + " and layer 1 of tensor-parallel rank 1 is missing, ",
        " and layer 2 of tensor-parallel rank 0 is missing, ",
        "/layer_00-model_01-model_states.pt, layer_01-model_01-model_states.pt,"
            + " layer_02-model_00-model_states.pt; ");
  }

  @Test
  void ranksOfTwoRuns() throws IOException {
    Floats slice = Floats.random("a.weight", 1, 6, 2);
    files(1, 2).write(0, List.of(slice));
    files(1, 2).old().write(1, List.of(slice));

    assertSays(
        failure(),
        "tensor- or pipeline-parallel ranks disagree on the training step or on their number",
        "mp_rank_00_model_states.pt and mp_rank_01_model_states.pt",
        NOT_WHOLE);
  }

  @Test
  void aLayerIsMissing() throws IOException {
    copyFixture("pipe_z1_bf16_pp2");
    delete("layer_03-model_states.pt");

    assertSays(
        failure(conversion().weights(Weights.MODEL)),
        "no layer file holds 3.weight, 3.bias: ",
        "the checkpoint was not saved or copied whole");
  }

  @Test
  void allLayersAreMissing() throws IOException {
    copyFixture("pipe_z0_fp16_pp2");
    for (String layer : List.of("00", "01", "03", "04", "06", "07", "09", "10", "12")) {
      delete("layer_" + layer + "-model_states.pt");
    }

    assertSays(
        failure(), "'module' holds no tensors", "the layer_*-model_states.pt files of a pipeline");
  }

  @Test
  void aLayerOfOneTensorRankIsMissing() throws IOException {
    ModelParallelFiles files = files(2, 2);
    for (int rank = 0; rank < 4; rank++) {
      files.write(rank, List.of(Floats.random(rank / 2 + ".weight", rank, 6, 2)));
    }
    files.writeLayer(0, 0, List.of(Floats.random("weight", 0, 6, 2)));
    files.writeLayer(0, 1, List.of(Floats.random("weight", 1, 6, 2)));
    files.writeLayer(1, 0, List.of(Floats.random("weight", 2, 6, 2)));

    assertSays(
        failure(),
        "layer 1 of tensor-parallel rank 1 is missing",
        "/layer_01-model_01-model_states.pt",
        NOT_WHOLE);
  }

  @Test
  void layersOfAnotherNumberOfRanks() throws IOException {
    ModelParallelFiles files = files(2, 1);
    files.write(0, List.of(Floats.random("0.weight", 0, 6, 2)));
    files.write(1, List.of(Floats.random("1.weight", 0, 6, 2)));
    files.writeLayer(0, 0, List.of(Floats.random("weight", 0, 6, 2)));
    files.writeLayer(0, 1, List.of(Floats.random("weight", 0, 6, 2)));

    assertSays(failure(), "layers of 2 tensor-parallel ranks, and model states of 1", NOT_WHOLE);
  }

  @Test
  void ranksThatLayersDoNotDivide() throws IOException {
    ModelParallelFiles files = files(3, 1).old();
    for (int rank = 0; rank < 3; rank++) {
      files.write(rank, List.of(Floats.random(rank + ".weight", 0, 6, 2)));
    }
    files.writeLayer(0, 0, List.of(Floats.random("weight", 0, 6, 2)));
    files.writeLayer(0, 1, List.of(Floats.random("weight", 0, 6, 2)));

    assertSays(
        failure(), "3 model-parallel ranks, and layers of 2 tensor-parallel ranks", NOT_WHOLE);
  }

  @Test
  void stagesThatDisagree() throws IOException {
    ModelParallelFiles files = files(2, 1);
    files.write(0, List.of(Floats.random("tied_modules.a.weight", 0, 6, 2)));
    files.write(1, List.of(Floats.random("tied_modules.a.weight", 0, 5, 2)));

    assertSays(
        failure(),
        "pipeline stages disagree on tied_modules.a.weight: [6, 2] and [5, 2]",
        "two runs");
  }

  @Test
  void aLayerThatCanBeAnyOfTwoTiedOnes() throws IOException {
    ModelParallelFiles files = files(2, 1);
    files.write(0, List.of(Floats.random("tied_modules.a.weight", 0, 6, 2)));
    files.write(1, List.of(Floats.random("tied_modules.b.weight", 0, 6, 2)));
    files.writeLayer(0, -1, List.of(Floats.random("weight", 0, 6, 2)));
    files.writeLayer(7, -1, List.of(Floats.random("weight", 0, 6, 2)));

    assertSays(
        failure(conversion().weights(Weights.MODEL)),
        "the layer can be any of [tied_modules.a., tied_modules.b.]",
        "layer_00-model_states.pt",
        "convert the fp32 masters: leave --weights out");
    assertEquals(
        List.of("tied_modules.a.weight", "tied_modules.b.weight"),
        conversion().prepare().checkpoint().names());
  }

  @Test
  void whatWasFrozenIsNotKnown() throws IOException {
    copyFixture("pipe_z0_fp16_pp2");

    assertSays(
        failure(conversion().withoutFrozen()),
        "the checkpoint does not say which parameters were frozen",
        "leave --exclude-frozen out");
  }
}
