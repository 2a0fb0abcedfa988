package dev.reweave.checkpoint.deepspeed;

import static dev.reweave.testing.PickleWriter.dict;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Floats;
import dev.reweave.testing.Locations;
import dev.reweave.testing.PickleWriter.Instance;
import dev.reweave.testing.PickleWriter.OrderedDict;
import dev.reweave.testing.StoredTensors;
import dev.reweave.testing.VersionedFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Flat groups of ZeRO-1 and 2, with and without gaps between parameters. */
class FlatPartitionsTest {
  private static final Stores STORES = new Stores(new Configuration());

  @TempDir Path temp;

  private Checkpoint read(Path root, ReadOptions options) {
    return new CheckpointReader(STORES, new ThreadScanner(STORES))
        .read(Locations.of(root), options);
  }

  private void refused(String... parts) {
    String message =
        assertThrows(ReweaveException.class, () -> read(temp, ReadOptions.defaults())).getMessage();
    for (String part : parts) {
      assertTrue(message.contains(part), message);
    }
  }

  /** A group of parameters of all shapes: scalars, single elements, none, odd and even lengths. */
  private static Floats[] group(Random random, int number) {
    Floats[] params = new Floats[1 + random.nextInt(6)];
    for (int i = 0; i < params.length; i++) {
      String name = "g" + number + ".p" + i;
      long seed = random.nextLong();
      params[i] =
          switch (random.nextInt(6)) {
            case 0 -> Floats.random(name, seed);
            case 1 -> Floats.random(name, seed, 1);
            case 2 -> Floats.random(name, seed, 1 + random.nextInt(40));
            case 3 -> Floats.random(name, seed, 16, 1 + random.nextInt(4));
            default -> Floats.random(name, seed, 1 + random.nextInt(7), 1 + random.nextInt(9));
          };
    }
    return params;
  }

  static IntStream seeds() {
    return IntStream.range(0, 150);
  }

  /**
   * Draws groups, alignments, ranks and paddings at random. What is to come out is what was written
   * before it was flattened, aligned, padded and cut into ranks.
   */
  @ParameterizedTest
  @MethodSource("seeds")
  void givesWhatWasLaidOut(int seed) throws IOException {
    Random random = new Random(seed);
    int world = 1 + random.nextInt(5);
    int stage = 1 + random.nextInt(2);
    VersionedFiles files =
        new VersionedFiles(temp, random.nextBoolean() ? "0.19.8" : "0.19.7", stage, world)
            .aligned(1 << random.nextInt(5));
    if (random.nextBoolean()) {
      files.bf16Optimizer();
    }
    Map<String, String> expected = new TreeMap<>();
    for (int g = 0; g < 1 + random.nextInt(3); g++) {
      Floats[] group = group(random, g);
      files.group(group);
      for (Floats param : group) {
        expected.put(param.name(), param.described());
      }
    }
    List<Floats> frozen = new ArrayList<>();
    if (random.nextBoolean()) {
      frozen.add(Floats.random("frozen", seed, 3, 2));
    }
    for (int i = random.nextInt(3); i > 0; i--) {
      frozen.add(Floats.random("empty" + i, seed, 0, i));
    }
    files.frozen(frozen.toArray(Floats[]::new)).write();

    Checkpoint checkpoint = read(temp, ReadOptions.defaults());

    Map<String, String> actual = StoredTensors.of(checkpoint);
    List<String> untrained = frozen.stream().map(Floats::name).toList();
    assertTrue(actual.keySet().containsAll(untrained), actual.keySet().toString());
    actual.keySet().removeAll(untrained);
    actual.remove(VersionedFiles.BUFFER);
    assertEquals(expected, actual);
    for (var tensor : checkpoint.tensors()) {
      if (tensor.name().startsWith("empty")) {
        assertEquals("[0, " + tensor.name().charAt(5) + "]", tensor.spec().shape().toString());
      }
    }
    String taken = "frozen parameters have no fp32 master";
    assertEquals(
        untrained.contains("frozen")
            ? List.of("1 " + taken + ": taken as stored, bfloat16")
            : List.of(),
        checkpoint.notes().stream().filter(n -> n.contains(taken)).toList());
  }

  private static VersionedFiles aligned(Path root) throws IOException {
    return new VersionedFiles(root, "0.19.8", 2, 2)
        .aligned(8)
        .group(
            Floats.random("one", 1, 1), Floats.random("w", 2, 5, 3), Floats.random("last", 3, 9));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void aGapThatTheRanksOwnAccountDoesNotShow(int param) throws IOException {
    aligned(temp)
        .optimizer(
            state -> {
              List<Object> gaps = new ArrayList<>((List<?>) firstOf(state));
              gaps.set(param, (Integer) gaps.get(param) - 1);
              state.put("param_alignment_paddings", List.of(gaps));
            })
        .write();

    refused(
        "it is not clear where parameters lie in group 0: by names, shapes and gaps the rank's"
            + " part holds "
            + (param == 0 ? "w at elements 7 to" : "last at elements "),
        "and by its own account at elements ",
        "optim_states.pt",
        "--weights model");
  }

  private static Object firstOf(Map<Object, Object> state) {
    return ((List<?>) state.get("param_alignment_paddings")).get(0);
  }

  /** So few elements too many that they could be the padding of the tail. */
  @Test
  void gapsThatNothingTellsButTheRanksOwnAccount() throws IOException {
    aligned(temp).aligned(2).optimizer(s -> s.remove("param_alignment_paddings")).write();

    refused("w at elements 1 to 13, and by its own account at elements 2 to 13", "--weights model");
  }

  @Test
  void aParameterOfAnotherGroup() throws IOException {
    aligned(temp)
        .optimizer(
            state ->
                state.put(
                    "param_slice_mappings",
                    List.of(
                        new OrderedDict(
                            dict(
                                "other",
                                new Instance(
                                    "deepspeed.utils.tensor_fragment",
                                    "fragment_address",
                                    dict("numel", 1, "start", 0)))))))
        .write();

    refused("the rank's part of group 0 holds other, which is no parameter of the group");
  }

  @Test
  void gapsOfOtherParameters() throws IOException {
    aligned(temp)
        .optimizer(state -> state.put("param_alignment_paddings", List.of(List.of(7, 1))))
        .write();

    refused("group 0 has 3 parameters, and gaps behind 2 of them are listed");
  }

  @Test
  void negativeGaps() throws IOException {
    aligned(temp)
        .optimizer(state -> state.put("param_alignment_paddings", List.of(List.of(7, -7, 0))))
        .write();

    refused("a gap of -7 elements behind a parameter", "param_alignment_paddings[0][1]");
  }

  @Test
  void gapsThatNoFileCanHold() throws IOException {
    aligned(temp)
        .optimizer(
            state -> state.put("param_alignment_paddings", List.of(List.of(Long.MAX_VALUE, 1, 0))))
        .write();

    refused("the parameters of group 0 with their gaps are more than any file can hold");
  }

  @Test
  void ranksThatDisagreeOnGaps() throws IOException {
    List<Integer> first = new ArrayList<>(List.of(7, 0));
    aligned(temp)
        .optimizer(
            state -> state.put("param_alignment_paddings", List.of(List.of(first.remove(0), 1, 0))))
        .write();

    refused("ranks disagree on stage, world size, parameter groups or the gaps in them");
  }

  @Test
  void anAccountThatIsNone() throws IOException {
    aligned(temp)
        .optimizer(
            state ->
                state.put(
                    "param_slice_mappings", List.of(new OrderedDict(dict("one", List.of(1, 2))))))
        .write();

    refused(
        "expected a fragment_address with 'start' but found a list", "param_slice_mappings[0].one");
  }

  /**
   * With round_robin_gradients the files' own account follows the module's order where there are no
   * gaps, though the parameters lie in another; the names' order is right.
   */
  @Test
  void theAccountOfRoundRobinGroups() throws IOException {
    Map<String, String> expected =
        StoredTensors.of(Fixtures.folder("z2_bf16_w3_rr").resolve("expected.safetensors"));

    Checkpoint checkpoint =
        read(Fixtures.folder("z2_bf16_w3_rr").resolve("ckpt"), ReadOptions.defaults());

    assertEquals(expected, StoredTensors.of(checkpoint));
  }

  @Test
  void anAccountInAnotherOrderWithoutRoundRobin() throws IOException {
    List<Floats> params =
        new ArrayList<>(List.of(Floats.random("a", 1, 4), Floats.random("b", 2, 4)));
    VersionedFiles files = new VersionedFiles(temp, "0.19.8", 1, 1);
    files.group(params.toArray(Floats[]::new));
    Collections.reverse(params);
    files
        .model(
            root -> {
              Map<Object, Object> shapes = dict();
              Map<?, ?> saved = ((OrderedDict) ((List<?>) root.get("param_shapes")).get(0)).items();
              params.forEach(p -> shapes.put(p.name(), saved.get(p.name())));
              root.put("param_shapes", List.of(new OrderedDict(shapes)));
            })
        .write();

    refused("b at elements 0 to 3, and by its own account at elements 4 to 7");
  }

  @Test
  void frozenAreLeftOutAndParametersWithoutElementsAreNot() throws IOException {
    for (int stage : new int[] {1, 2}) {
      Path root = temp.resolve("z" + stage);
      new VersionedFiles(root, "0.19.8", stage, 2)
          .group(Floats.random("w", 1, 3))
          .frozen(Floats.random("f", 2, 2), Floats.random("none", 3, 0, 4))
          .write();

      Checkpoint checkpoint =
          read(
              root,
              new ReadOptions(
                  ReadOptions.defaults().tag(),
                  ReadOptions.defaults().weights(),
                  ReadOptions.Frozen.EXCLUDE));

      assertEquals(
          List.of(VersionedFiles.BUFFER, "none", "w"),
          checkpoint.tensors().stream().map(t -> t.name()).toList());
      assertTrue(checkpoint.notes().contains("1 frozen parameters left out"));
    }
  }

  /** DeepSpeed takes all that lie at address 0 for one parameter: those without elements. */
  @Test
  void parametersWithoutElementsAreNotTied() throws IOException {
    new VersionedFiles(temp, "0.19.8", 1, 2)
        .group(Floats.random("w", 1, 3))
        .frozen(Floats.random("none", 3, 0, 4), Floats.random("other", 3, 2, 0))
        .model(root -> root.put("shared_params", dict("other", "none")))
        .write();

    Checkpoint checkpoint = read(temp, ReadOptions.defaults());

    assertEquals(Map.of(), checkpoint.aliases());
    assertEquals(
        List.of("[0, 4]", "[2, 0]"),
        checkpoint.tensors().stream()
            .filter(t -> t.spec().elements() == 0)
            .map(t -> t.spec().shape().toString())
            .toList());
  }
}
