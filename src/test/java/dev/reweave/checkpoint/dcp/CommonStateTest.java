package dev.reweave.checkpoint.dcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.TrainerArguments;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.format.pytorch.PickleFile;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import dev.reweave.testing.PickleWriter;
import dev.reweave.testing.PickleWriter.Global;
import dev.reweave.testing.PickleWriter.Instance;
import dev.reweave.testing.PickleWriter.Tuple;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What Megatron-LM's arguments tell of a model's form. */
class CommonStateTest {
  @TempDir Path temp;

  private final Stores stores = new Stores(new Configuration());

  private TrainerArguments arguments(Object common) throws IOException {
    Path file = Files.write(temp.resolve("common.pkl"), PickleWriter.pickle(common));
    try (RandomAccess access = stores.open(stores.file(Locations.of(file)).orElseThrow())) {
      return CommonState.arguments(PickleFile.read(access));
    }
  }

  private Map<String, Long> numbers(Object common) throws IOException {
    return arguments(common).numbers();
  }

  private static Map<String, Object> args(Map<String, Object> args) {
    return Map.of("iteration", 7L, "args", new Instance("argparse", "Namespace", args));
  }

  @Test
  void thoseOfAnObjectAndOfAListOfObjects() throws IOException {
    Map<String, Object> common =
        args(
            Map.of(
                "num_attention_heads", 4L,
                "num_query_groups", 2L,
                "group_query_attention", true,
                "kv_channels", 8L,
                "normalization", "RMSNorm",
                "vocab_size", 30L));
    Map<String, Long> expected =
        Map.of(
            "num_attention_heads",
            4L,
            "num_query_groups",
            2L,
            "kv_channels",
            8L,
            "vocab_size",
            30L);

    assertEquals(expected, numbers(common));
    assertEquals(expected, numbers(new ArrayList<>(List.of(common))));
    assertEquals(Map.of(), numbers(Map.of("iteration", 7L)));
    assertEquals(Map.of(), numbers(7L));
  }

  /** What is no number, truth value or text is told as what it is, and None is not there. */
  @Test
  void argumentsOfAllKinds() throws IOException {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("norm_epsilon", 1e-5);
    all.put("swiglu", true);
    all.put("normalization", "RMSNorm");
    all.put("num_experts", null);
    all.put("window_size", new Tuple(List.of(1L, 2L)));
    all.put("params_dtype", new Global("torch", "bfloat16"));
    all.put("long", "x".repeat(2000));

    assertEquals(
        "{long=\"text\", norm_epsilon=1.0E-5, normalization=\"RMSNorm\","
            + " params_dtype=\"the class or function torch.bfloat16\", swiglu=true,"
            + " window_size=\"a tuple\"}",
        new TreeMap<>(arguments(args(all)).values()).toString());
  }

  /** The number of groups is 1 by default, and means nothing then. */
  @Test
  void withoutGroupedQueriesEachHeadIsAGroup() throws IOException {
    assertEquals(
        Map.of(
            "num_attention_heads", 4L,
            "num_query_groups", 4L,
            "hidden_size", 12L,
            "kv_channels", 3L),
        numbers(
            args(
                Map.of(
                    "num_attention_heads", 4L,
                    "num_query_groups", 1L,
                    "group_query_attention", false,
                    "hidden_size", 12L))));
  }

  /** The weights are whole without them. */
  @Test
  void whatCannotBeReadIsTold() throws IOException {
    Path step =
        Fixtures.copy(Fixtures.resource("trainers/megatron-016-llama-tp2/ckpt"), temp.resolve("c"))
            .resolve("iter_0000010");
    Files.write(step.resolve("common.pt"), new byte[] {1, 2, 3});

    Checkpoint read =
        new CheckpointReader(stores, new ThreadScanner(stores))
            .read(Locations.of(step), ReadOptions.defaults());

    assertEquals(9, read.tensors().size());
    assertEquals(Map.of(), read.arguments().values());
    assertTrue(
        read.notes().stream()
            .anyMatch(n -> n.startsWith("the trainer's own arguments are not known: ")),
        read.notes().toString());
  }
}
