package dev.reweave.checkpoint.deepspeed;

import static dev.reweave.testing.PickleWriter.dict;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.testing.Floats;
import dev.reweave.testing.Locations;
import dev.reweave.testing.ModelParallelFiles;
import dev.reweave.testing.PickleWriter.Tuple;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Rules for tensor-parallel ranks that are missing or do not fit: one clear message. */
class SlicingFailureTest extends ModelParallelFailures {
  private String failureWith(String rules) throws IOException {
    Path file = temp.resolve("rules.json");
    Files.writeString(
        file,
        ("{'name': 'm', 'description': 'slices', 'tensorParallel': [" + rules + "]}")
            .replace('\'', '"'));
    return failure(conversion().mapping(file.toString()));
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
            + Locations.of(input().resolve("global_step1"))
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

    Checkpoint checkpoint = conversion().mapping(file.toString()).prepare().checkpoint();

    assertEquals("[12, 2]", checkpoint.tensors().get(0).spec().shape().toString());
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
}
