package dev.reweave.checkpoint;

import static dev.reweave.testing.PickleWriter.dict;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.ExpertFiles;
import dev.reweave.testing.Floats;
import dev.reweave.testing.Locations;
import dev.reweave.testing.ModelParallelFiles;
import dev.reweave.testing.PickleWriter;
import dev.reweave.testing.PickleWriter.OrderedDict;
import dev.reweave.testing.TensorValue;
import dev.reweave.testing.VersionedFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Checkpoints that say two things of the same, or nothing where something must be said. */
class ContradictionsTest {
  private static final Stores STORES = new Stores(new Configuration());
  private static final ReadOptions MODULE =
      new ReadOptions(Optional.empty(), Optional.of(Weights.MODEL), ReadOptions.Frozen.INCLUDE);
  private static final String BUFFER = VersionedFiles.BUFFER;

  @TempDir Path temp;

  private VersionedFiles files(int stage) throws IOException {
    return new VersionedFiles(temp, "0.19.6", stage, 2).group(Floats.random("w", 1, 3, 2));
  }

  private Checkpoint read(ReadOptions options) {
    return new CheckpointReader(STORES, new ThreadScanner(STORES))
        .read(Locations.of(temp), options);
  }

  private void refused(ReadOptions options, String... parts) {
    String message = assertThrows(ReweaveException.class, () -> read(options)).getMessage();
    Arrays.stream(parts).forEach(part -> assertTrue(message.contains(part), message));
  }

  private void refused(String... parts) {
    refused(ReadOptions.defaults(), parts);
  }

  private static List<String> names(Checkpoint checkpoint) {
    return checkpoint.tensors().stream().map(NamedTensor::name).toList();
  }

  private static Map<Object, Object> items(Object ordered) {
    Map<Object, Object> items = dict();
    ((OrderedDict) ordered).items().forEach(items::put);
    return items;
  }

  private static OrderedDict with(Object ordered, Object key, Object value) {
    Map<Object, Object> items = items(ordered);
    items.put(key, value);
    return new OrderedDict(items);
  }

  /** As many elements in all as there should be, but not each where it is looked for. */
  @ParameterizedTest
  @CsvSource({"3, 4", "2, 4"})
  void partitionsOfOtherLengths(int first, int second) throws IOException {
    List<Integer> lengths = new ArrayList<>(List.of(first, second));
    String key = "single_partition_of_fp32_groups";
    files(2)
        .optimizer(
            state ->
                state.put(
                    key,
                    List.of(
                        ((TensorValue) ((List<?>) state.get(key)).get(0))
                            .first(lengths.remove(0)))))
        .write();

    refused("sizes do not add up: the partition of group 0 has", "optim_states.pt", "two runs");
  }

  @Test
  void aParameterInTwoGroups() throws IOException {
    files(2).group(Floats.random("w", 2, 3, 2)).write();

    refused("parameter w is in two groups", "model_states.pt at param_shapes");
  }

  @Test
  void piecesOfFrozenParametersInAnotherOrder() throws IOException {
    List<Integer> ranks = new ArrayList<>(List.of(0, 1));
    files(3)
        .frozen(Floats.random("f", 2, 4), Floats.random("g", 3, 4))
        .model(
            root -> {
              if (ranks.remove(0) == 1) {
                root.computeIfPresent("frozen_param_fragments", (k, v) -> reversed(v));
              }
            })
        .write();

    refused("ranks disagree on the training step or on names and shapes of parameters");
  }

  private static OrderedDict reversed(Object ordered) {
    Map<Object, Object> items = items(ordered);
    List<Object> keys = new ArrayList<>(items.keySet());
    Collections.reverse(keys);
    Map<Object, Object> reversed = dict();
    keys.forEach(key -> reversed.put(key, items.get(key)));
    return new OrderedDict(reversed);
  }

  @Test
  void piecesOfFrozenParametersWithoutShapes() throws IOException {
    files(3)
        .frozen(Floats.random("f", 2, 4))
        .model(root -> root.put("frozen_param_shapes", null))
        .write();

    refused("0 frozen parameters, but pieces of 1", "model_states.pt");
  }

  @ParameterizedTest
  @ValueSource(strings = {"w", "f", BUFFER})
  void namesOfWeightsWithoutATensor(String name) throws IOException {
    files(1)
        .frozen(Floats.random("f", 2, 4))
        .model(root -> root.put("module", with(root.get("module"), name, null)))
        .model(root -> root.put("frozen_param_shapes", with(new OrderedDict(dict()), "f", size())))
        .write();

    refused(MODULE, "'" + name + "' is None, not a plain tensor", "at module." + name);
  }

  @Test
  void entriesOfTheModuleThatAreNoTensorsAreTold() throws IOException {
    files(2)
        .model(root -> root.put("module", with(root.get("module"), "fc.scale", 3)))
        .model(root -> root.put("module", with(root.get("module"), "fc._extra_state", null)))
        .write();

    for (ReadOptions options : List.of(ReadOptions.defaults(), MODULE)) {
      assertEquals(
          List.of("1 entries of the module are no tensors: left out: fc.scale"),
          read(options).notes());
    }
  }

  @Test
  void noModule() throws IOException {
    files(2).model(root -> root.put("module", null)).write();

    assertEquals(
        List.of("the model states hold no module, and so no buffers"),
        read(ReadOptions.defaults()).notes());
  }

  /** Less than what padding hides. */
  @Test
  void parametersThatAreShorterThanInTheModule() throws IOException {
    files(2)
        .model(
            root -> {
              Map<Object, Object> shapes = dict("w", PickleWriter.size(Shape.of(5)));
              root.put("param_shapes", List.of(new OrderedDict(shapes)));
            })
        .write();

    refused("sizes do not add up: parameter w of shape [5] has shape [3, 2] in the module");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void expertsThatLackATensor(int expert) throws IOException {
    String prefix = "m.deepspeed_moe.experts.deepspeed_experts.";
    ExpertFiles files =
        new ExpertFiles(temp, 1, 2).counts(List.of(2)).module(List.of(Floats.random("h", 1, 2)));
    for (int e = 0; e < 2; e++) {
      List<Floats> tensors = new ArrayList<>(List.of(Floats.random(prefix + e + ".w", 1, 2)));
      if (e != expert) {
        tensors.add(Floats.random(prefix + e + ".b", 1, 2));
      }
      files.writeExpert(0, e, tensors);
    }
    files.writeModel();

    refused(
        MODULE,
        "expert 1 has other tensors than the first one of its layer",
        "layer_0_expert_1_mp_rank_00_model_states.pt");
  }

  private static Object size() {
    return PickleWriter.size(Shape.of(4));
  }

  @Test
  void trainedParametersThatTheModuleLacksAreTold() throws IOException {
    files(2)
        .model(
            root -> {
              Map<Object, Object> items = items(root.get("module"));
              items.remove("w");
              root.put("module", new OrderedDict(items));
            })
        .write();

    assertEquals(List.of(BUFFER), names(read(MODULE)));
    assertEquals(List.of("1 trained parameters are not in the module: w"), read(MODULE).notes());
  }

  @ParameterizedTest
  @CsvSource({
    "mp_rank_00_model_states.pt, mp_rank_0_model_states.pt",
    "mp_rank_00_model_states.pt, mp_rank_000_model_states.pt"
  })
  void twoFilesOfOneRank(String one, String other) throws IOException {
    VersionedFiles made = files(2);
    made.write();
    Files.copy(made.folder().resolve(one), made.folder().resolve(other));

    refused("two files of one rank, layer or expert", one, other, "move those of the other run");
  }

  private void tensorParallel(Map<?, ?> info) throws IOException {
    ModelParallelFiles files = new ModelParallelFiles(temp, 1, 1, 1, 2).info(info);
    for (int rank = 0; rank < 2; rank++) {
      files.write(rank, List.of(Floats.random("w", 1, 2, 2)));
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0, -1, Long.MIN_VALUE})
  void vocabulariesOfNothing(long size) throws IOException {
    tensorParallel(
        dict("original_vocab_size", size, "vocabulary_parameter_patterns", List.of("w")));

    refused("w is a padded vocabulary, and there is no 'original_vocab_size'", "--mapping");
  }

  @Test
  void informationThatIsNoDict() throws IOException {
    files(2).model(root -> root.put("universal_checkpoint_info", List.of(1))).write();

    refused("expected a dict but found a list", "at universal_checkpoint_info");
  }
}
