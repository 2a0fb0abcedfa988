package dev.reweave.checkpoint;

import static dev.reweave.testing.PickleWriter.dict;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.checkpoint.reading.SavedSteps;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Floats;
import dev.reweave.testing.Locations;
import dev.reweave.testing.PickleWriter;
import dev.reweave.testing.PickleWriter.OrderedDict;
import dev.reweave.testing.TensorValue;
import dev.reweave.testing.VersionedFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Numbers in checkpoints and in the names of their files that no run of DeepSpeed writes. */
class HostileNumbersTest {
  private static final Stores STORES = new Stores(new Configuration());

  @TempDir Path temp;
  private VersionedFiles files;

  @BeforeEach
  void make() throws IOException {
    files = made(2);
  }

  private VersionedFiles made(int stage) throws IOException {
    return new VersionedFiles(temp, "0.19.6", stage, 2).group(Floats.random("w", 1, 3, 2));
  }

  private void refused(String... parts) {
    String message =
        assertThrows(
                ReweaveException.class,
                () ->
                    new CheckpointReader(STORES, new ThreadScanner(STORES))
                        .read(Locations.of(temp), ReadOptions.defaults()))
            .getMessage();
    Arrays.stream(parts).forEach(part -> assertTrue(message.contains(part), message));
  }

  /** Products that are the number of ranks, or none, once they overflow. */
  @ParameterizedTest
  @CsvSource({
    "7, 7905747460161236407",
    "4294967296, 4294967296",
    "4294967297, 1",
    "1, 4294967297",
    "9223372036854775807, 9223372036854775807"
  })
  void gridsThatOverflow(long pipeline, long tensor) throws IOException {
    files
        .model(
            root ->
                root.put(
                    "checkpoint_parallel_dimensions",
                    dict("pp_degree", pipeline, "tp_degree", tensor)))
        .write();

    refused("rank", "missing, of ", "mp_rank_01_model_states.pt");
  }

  @ParameterizedTest
  @ValueSource(longs = {2, 4294967297L, Long.MAX_VALUE})
  void moreModelParallelRanksThanThereAre(long size) throws IOException {
    files.model(root -> root.put("mp_world_size", size)).write();

    refused("missing, of " + size + " tensor-parallel ranks, numbered 0 to " + (size - 1));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "mp_rank_99999999999_model_states.pt",
        "zero_pp_rank_99999999999_mp_rank_00_model_states.pt",
        "zero_pp_rank_0_mp_rank_99999999999_model_states.pt",
        "bf16_zero_pp_rank_99999999999_mp_rank_00_optim_states.pt",
        "zero_pp_rank_0_mp_rank_99999999999optim_states.pt",
        "layer_99999999999-model_states.pt",
        "layer_00-model_99999999999-model_states.pt",
        "layer_0_expert_99999999999_mp_rank_00_model_states.pt",
        "expp_rank_99999999999_mp_rank_00_optim_states.pt"
      })
  void ranksInNames(String name) throws IOException {
    files.write();
    Files.copy(files.folder().resolve("mp_rank_00_model_states.pt"), files.folder().resolve(name));

    refused("of no known version", name, "move it away");
  }

  @ParameterizedTest
  @ValueSource(strings = {"9999999999.1", "0.99999999999999999999.1", "0.19.99999999999", "1e9"})
  void versions(String version) throws IOException {
    files.model(root -> root.put("ds_version", version)).write();

    assertEquals(
        version,
        new CheckpointReader(STORES, new ThreadScanner(STORES))
            .read(Locations.of(temp), ReadOptions.defaults())
            .source()
            .version());
  }

  @Test
  void tagsOfManyDigits() throws IOException {
    files.write();
    Path other = temp.resolve("global_step99999999999999999999999");
    Files.createDirectories(other);
    Files.copy(
        files.folder().resolve("mp_rank_00_model_states.pt"),
        other.resolve("mp_rank_00_model_states.pt"));

    assertEquals(
        List.of("global_step1", other.getFileName().toString()),
        new SavedSteps(STORES).all(Locations.of(temp)));
  }

  @ParameterizedTest
  @CsvSource({"3, 3", "4, 2", "1, 3", "2, 4"})
  void piecesOfFrozenParametersOfOtherLengths(int first, int second) throws IOException {
    // Of 5 elements, each of two ranks has 3, the last one with an element of padding.
    List<Integer> lengths = new ArrayList<>(List.of(first, second));
    Floats frozen = Floats.random("f", 2, 8);
    Map<Object, Object> shapes = dict("f", PickleWriter.size(Shape.of(first == 3 ? 8 : 5)));
    made(3)
        .frozen(frozen)
        .model(
            root -> {
              root.put("frozen_param_shapes", new OrderedDict(shapes));
              Map<?, ?> fragments = ((OrderedDict) root.get("frozen_param_fragments")).items();
              TensorValue whole = (TensorValue) fragments.get("f");
              root.put(
                  "frozen_param_fragments",
                  new OrderedDict(dict("f", whole.first(lengths.remove(0)))));
            })
        .write();

    refused(
        "sizes do not add up: frozen parameter f of shape ",
        "has a piece of ",
        "where each of 2 ranks has ",
        "model_states.pt");
  }

  /** Rank 0's shape alone decides: all ranks hold twice as much as they should. */
  @Test
  void piecesOfFrozenParametersWithTooMuchPadding() throws IOException {
    Map<Object, Object> shapes = dict("f", PickleWriter.size(Shape.of(4)));
    made(3)
        .frozen(Floats.random("f", 2, 8))
        .model(root -> root.put("frozen_param_shapes", new OrderedDict(shapes)))
        .write();

    refused(
        "sizes do not add up: frozen parameter f of shape [4] has a piece of 4 elements"
            + " in rank 0, where each of 2 ranks has 2",
        "zero_pp_rank_0_mp_rank_00_model_states.pt");
  }
}
