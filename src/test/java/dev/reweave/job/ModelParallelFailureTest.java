package dev.reweave.job;

import static dev.reweave.testing.PickleWriter.dict;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.ReweaveException;
import dev.reweave.checkpoint.ThreadScanner;
import dev.reweave.checkpoint.Weights;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Floats;
import dev.reweave.testing.ModelParallelFiles;
import dev.reweave.testing.PickleWriter.Tuple;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tensor- and pipeline-parallel checkpoints that cannot be put together: one clear message. */
class ModelParallelFailureTest {
  private static final String NOT_WHOLE = "the checkpoint was not saved whole";

  @TempDir Path temp;

  private Path input() {
    return temp.resolve("in");
  }

  private Converting conversion() {
    return Converting.between(input(), temp.resolve("out")).mapping("none");
  }

  private static String failure(Converting conversion) {
    return assertThrows(
            ReweaveException.class,
            () ->
                new Preparation(TestSpark.stores(), new ThreadScanner(TestSpark.stores()))
                    .prepare(conversion.request()))
        .getMessage();
  }

  private String failure() {
    return failure(conversion());
  }

  private String failureWith(String rules) throws IOException {
    Path file = temp.resolve("rules.json");
    Files.writeString(
        file,
        ("{'name': 'm', 'description': 'slices', 'tensorParallel': [" + rules + "]}")
            .replace('\'', '"'));
    return failure(conversion().mapping(file.toString()));
  }

  private static void assertSays(String message, String... parts) {
    for (String part : parts) {
      assertTrue(message.contains(part), () -> "'" + part + "' is not in: " + message);
    }
  }

  private ModelParallelFiles files(int pipeline, int tensor) throws IOException {
    return new ModelParallelFiles(input(), 1, 1, pipeline, tensor);
  }

  private void writeTwo(Map<Object, Object> info, Floats first, Floats second) throws IOException {
    ModelParallelFiles files = files(1, 2).info(info);
    files.write(0, List.of(first));
    files.write(1, List.of(second));
  }

  private void writeTwo(Map<Object, Object> info) throws IOException {
    Floats slice = Floats.random("a.weight", 1, 6, 2);
    writeTwo(info, slice, slice);
  }

  private void copyFixture(String name) throws IOException {
    Fixtures.copy(Fixtures.folder(name).resolve("ckpt"), input());
  }

  private void delete(String file) throws IOException {
    try (Stream<Path> tags = Files.list(input())) {
      Files.delete(tags.filter(Files::isDirectory).findFirst().orElseThrow().resolve(file));
    }
  }

  @Test
  void noRules() throws IOException {
    List<Floats> slices = new ArrayList<>();
    for (int i = 10; i < 23; i++) {
      slices.add(Floats.random("layers." + i + ".weight", i, 2, 2));
    }
    ModelParallelFiles files = files(1, 2);
    files.write(0, slices);
    files.write(1, slices);

    assertEquals(
        "nothing says how the tensor-parallel ranks share 13 tensors: layers.10.weight,"
            + " layers.11.weight, layers.12.weight, layers.13.weight, layers.14.weight,"
            + " layers.15.weight, layers.16.weight, layers.17.weight, layers.18.weight,"
            + " layers.19.weight and 3 more: "
            + TestSpark.stores().resolve(input().resolve("global_step1").toString())
            + "; say it in a file, and name that with --mapping FILE: {\"name\": \"my-model\","
            + " \"description\": \"slices of my model\", \"tensorParallel\": [{\"match\":"
            + " \"layers\\\\.10\\\\.weight\", \"dim\": 0}]}, with \"dim\": 1 for row-parallel"
            + " ones, or \"kind\": \"replicated\" or \"averaged\" in its place",
        failure());
  }

  /** What a message shows can be copied, and is then followed. */
  @Test
  void theRuleThatIsShownWorks() throws IOException {
    writeTwo(Map.of());
    String message = failure();
    String shown = message.substring(message.indexOf('{'), message.lastIndexOf("]}") + 2);
    Path file = Files.writeString(temp.resolve("shown.json"), shown);

    Preparation.Prepared prepared =
        new Preparation(TestSpark.stores(), new ThreadScanner(TestSpark.stores()))
            .prepare(conversion().mapping(file.toString()).request());

    assertEquals("[12, 2]", prepared.checkpoint().tensors().get(0).spec().shape().toString());
  }

  @Test
  void someTensorsHaveNoRule() throws IOException {
    writeTwo(Map.of());

    assertSays(
        failureWith("{'match': 'a', 'dim': 0}"),
        "nothing says how the tensor-parallel ranks share 1 tensor: a.weight");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "'dim': 2 | there is no dimension 2 in shape [6, 2]",
        "'dim': 0, 'parts': 4 | dimension 0 of [6, 2] has not 4 parts",
        "'dim': 0, 'parts': [7, 5] | a part of 7 is not shared equally by 2 ranks",
        "'dim': 0, 'parts': [6, 4] | parts of widths [[3, 3], [2, 2]] do not fill dimension 0 of a slice of shape [6, 2]",
        "'dim': 0, 'parts': [10, 4] | parts of widths [[5, 5], [2, 2]] do not fill dimension 0 of a slice of shape [6, 2]",
        "'dim': 1, 'shares': [[1, 1, 1]] | widths [1, 1, 1] of a part are not of 2 ranks",
        "'dim': 0, 'vocabulary': 13 | a vocabulary of 13 in a tensor of shape [12, 2]",
      })
  void rulesThatDoNotFit(String rule, String problem) throws IOException {
    writeTwo(Map.of());

    assertSays(
        failureWith("{'match': '.*', " + rule + "}"),
        "a.weight of 2 tensor-parallel ranks: " + problem + ": ",
        "give another 'tensorParallel' rule");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "'dim': 0 | slices of F32 [6, 2] and F32 [5, 3] do not go together along dimension 0",
        "'kind': 'replicated' | slices of F32 [6, 2] and F32 [5, 3] are no copies",
        "'kind': 'averaged' | slices of F32 [6, 2] and F32 [5, 3] are no copies"
      })
  void slicesThatDoNotGoTogether(String rule, String problem) throws IOException {
    writeTwo(Map.of(), Floats.random("a.weight", 1, 6, 2), Floats.random("a.weight", 1, 5, 3));

    assertSays(
        failureWith("{'match': '.*', " + rule + "}"),
        "a.weight of 2 tensor-parallel ranks: " + problem);
  }

  @Test
  void severalPatternsOfOneKind() throws IOException {
    writeTwo(dict("tp_replicated_parameter_patterns", List.of("a", "a\\.weight")));

    assertSays(
        failure(),
        "several patterns of 'tp_replicated_parameter_patterns' match a.weight: [a, a\\.weight]",
        "mp_rank_00_model_states.pt",
        "give a 'tensorParallel' rule for it in a file, with --mapping FILE");
  }

  @Test
  void aPatternOfPythonAlone() throws IOException {
    writeTwo(dict("tp_replicated_parameter_patterns", List.of("(?P=x)")));

    assertSays(failure(), "'(?P=x)' is not a regular expression here", "--mapping FILE");
  }

  @Test
  void aVocabularyOfUnknownSize() throws IOException {
    writeTwo(dict("vocabulary_parameter_patterns", List.of("a")));

    assertSays(failure(), "a.weight is a padded vocabulary, and there is no 'original_vocab_size'");
  }

  @Test
  void whatDeepSpeedDidNotNote() throws IOException {
    writeTwo(dict("autotp_unsupported_parameter_patterns", dict("a\\.w", "of three parts")));

    assertSays(failure(), "DeepSpeed did not note how a.weight is shared: of three parts");
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.2, 0.4})
  void partsOfUnknownLengths(double version) throws IOException {
    Map<Object, Object> parts =
        dict("patterns", List.of("a"), "shape", new Tuple(List.of(-1, 2)), "partition_dim", 0);
    writeTwo(
        dict("universal_checkpoint_version", version, "parameter_with_sub_params", List.of(parts)));

    assertSays(failure(), "nothing tells the parts of a.weight and their 'sub_param_shard_widths'");
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
        "mp_rank_01_model_states.pt | the model states of tensor- or pipeline-parallel rank 2 are missing",
        "zero_pp_rank_0_mp_rank_01_optim_states.pt | the optimizer states of tensor- or pipeline-parallel rank 2 are missing",
      })
  void filesOfARankAreMissing(String file, String problem) throws IOException {
    copyFixture("tp2_z1_fp16_w2");
    delete(file);

    assertSays(failure(), problem, "/" + file, "copy the file from the training run");
  }

  @Test
  void allFilesOfARankAreMissing() throws IOException {
    copyFixture("tp2_z1_fp16_w2");
    delete("mp_rank_01_model_states.pt");
    delete("zero_pp_rank_0_mp_rank_01_optim_states.pt");

    assertSays(
        failure(),
        "rank 2 of 2 tensor-parallel ranks is missing",
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
        "rank 1 of 2 ranks (2 pipeline stages, tensor-parallel 1) is missing",
        "/mp_rank_00_model_states.pt",
        NOT_WHOLE);
  }

  @Test
  void aDataParallelRankOfATensorRankIsMissing() throws IOException {
    copyFixture("tp2_z2_bf16_w4");
    delete("bf16_zero_pp_rank_1_mp_rank_01_optim_states.pt");

    assertSays(
        failure(),
        "rank 2 of 2 is missing",
        "/bf16_zero_pp_rank_1_mp_rank_01_optim_states.pt",
        NOT_WHOLE);
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
        "layer 1 of tensor-parallel rank 2 is missing",
        "/layer_01-model_01-model_states.pt",
        "not saved or copied whole");
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
        new Preparation(TestSpark.stores(), new ThreadScanner(TestSpark.stores()))
            .prepare(conversion().request()).checkpoint().tensors().stream()
                .map(t -> t.name())
                .toList());
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
