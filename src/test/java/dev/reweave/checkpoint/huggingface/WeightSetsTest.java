package dev.reweave.checkpoint.huggingface;

import static dev.reweave.checkpoint.huggingface.Readings.assertNote;
import static dev.reweave.checkpoint.huggingface.Readings.assertReads;
import static dev.reweave.checkpoint.huggingface.Readings.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.look.doctor.Severity;
import dev.reweave.plan.PlanOptions;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.SafetensorsFile;
import dev.reweave.testing.StoredTensors;
import dev.reweave.testing.WeightsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Several files of weights in one folder: what belongs together, and what is left. */
class WeightSetsTest {
  private static final String INDEX = "model.safetensors.index.json";
  private static final String NOT_CONSOLIDATED = "reports/04-consolidated-without-index/";
  private static final String STRAY = "reports/07-stray-4bit-beside-shards/";
  private static final String STUB = "reports/20-trainer-folder-two-copies/";

  @TempDir Path temp;
  private Path folder;
  private final Map<String, String> expected = new TreeMap<>();

  @BeforeEach
  void folder() throws IOException {
    folder = Files.createDirectory(temp.resolve("model"));
  }

  private static String shard(int number, int count) {
    return "model-%05d-of-%05d.safetensors".formatted(number, count);
  }

  /** Two shards of a tensor each. */
  private void shards() throws IOException {
    expected.putAll(Readings.write(folder.resolve(shard(1, 2)), 1, "a"));
    expected.putAll(Readings.write(folder.resolve(shard(2, 2)), 100, "b"));
  }

  private void indexedShards() throws IOException {
    shards();
    Readings.index(folder, "a", shard(1, 2), "b", shard(2, 2));
  }

  private static Map<String, String> expected(String report) throws IOException {
    return StoredTensors.of(Fixtures.resource(report + "expected.safetensors"));
  }

  /** Names of shards that are not what libraries write today, but that people meet. */
  @ParameterizedTest
  @CsvSource({
    "model-00001-of-000002.safetensors, model-00002-of-000002.safetensors",
    "model-00001-of-00002.fp16.safetensors, model-00002-of-00002.fp16.safetensors",
    "model_1_of_2.safetensors, model_2_of_2.safetensors",
    "pytorch_model_00001-of-00002.safetensors, pytorch_model_00002-of-00002.safetensors",
    "model-00001-of-00002.bin, model-00002-of-00002.bin",
    "part-1-of-2.pt, part-2-of-2.pt"
  })
  void shardsOfOtherNames(String first, String second) throws IOException {
    if (first.endsWith(".safetensors")) {
      expected.putAll(Readings.write(folder.resolve(first), 1, "a"));
      expected.putAll(Readings.write(folder.resolve(second), 100, "b"));
    } else {
      new WeightsFile().floats("a", Shape.of(2), i -> i).write(folder.resolve(first));
      new WeightsFile().floats("b", Shape.of(2), i -> i).write(folder.resolve(second));
      expected.putAll(StoredTensors.of(Readings.read(folder)));
    }

    assertReads(expected, folder);
    assertEquals(2, expected.size());
    assertRefused(folder.resolve(first), "this is one of 2 shards of a model");
    Files.delete(folder.resolve(first));
    assertRefused(folder, "of 2 shards without an index 1 is missing: " + first);
  }

  /** What is wrong is the index: nothing is gained by copying shards. */
  @Test
  void anIndexOfFilesElsewhere() throws IOException {
    Readings.write(folder.resolve("sub/part.safetensors"), 1, "a");
    Readings.index(folder, "a", "sub/part.safetensors");

    assertRefused(folder, "is not a plain file name", "correct it");
  }

  /** As Accelerate saves two models of one run: the second is no step of the first. */
  @Test
  void twoModelsOfOneRun() throws IOException {
    new WeightsFile().floats("a", Shape.of(2), i -> i).write(folder.resolve("pytorch_model.bin"));
    new WeightsFile().floats("b", Shape.of(2), i -> i).write(folder.resolve("pytorch_model_1.bin"));

    assertRefused(folder, "several models here: pytorch_model.bin (", "pytorch_model_1.bin (");
  }

  @Test
  void shardsWithoutIndex() throws IOException {
    Path step = Fixtures.resource(NOT_CONSOLIDATED + "step-9");

    Checkpoint checkpoint = assertReads(expected(NOT_CONSOLIDATED), step);

    assertNote(checkpoint, "3 shards, but no index: all that their names count are there");
    assertEquals(
        1,
        Readings.findings(step).stream()
            .filter(f -> f.severity() == Severity.WARNING && f.text().contains("3 shards, but no"))
            .count());
    Path out = temp.resolve("out");
    Converting.between(step, out)
        .type("keep")
        .planning(PlanOptions.DEFAULTS.withSizes(400, 64_000))
        .run();
    assertTrue(Files.exists(out.resolve(INDEX)));
    assertReads(expected(NOT_CONSOLIDATED), out);
  }

  @Test
  void someShardsWithoutIndex() throws IOException {
    Path step =
        Fixtures.copy(Fixtures.resource(NOT_CONSOLIDATED + "step-9"), temp.resolve("step-9"));
    for (int number : new int[] {1, 3}) {
      Files.delete(step.resolve(shard(number, 3)));
    }
    assertRefused(
        step,
        "of 3 shards without an index 2 are missing: " + shard(1, 3) + ", " + shard(3, 3),
        "copy them from where the others are from");
    assertRefused(
        step.resolve(shard(2, 3)),
        "this is one of 3 shards of a model, and 2 of them are not beside it",
        "copy them to the same folder, and name the folder: " + shard(1, 3) + ", " + shard(3, 3));

    for (int number : new int[] {1, 3}) {
      Path from = Fixtures.resource(NOT_CONSOLIDATED + "step-9").resolve(shard(number, 3));
      Files.copy(from, step.resolve(shard(number, 3)));
    }
    assertReads(expected(NOT_CONSOLIDATED), step);
  }

  @Test
  void torchShardsWithoutIndex() throws IOException {
    for (int i = 1; i <= 2; i++) {
      Path file = folder.resolve("pytorch_model-%05d-of-00002.bin".formatted(i));
      new WeightsFile().floats("t" + i, Shape.of(2, 3), e -> e).write(file);
      expected.putAll(StoredTensors.ofTorch(file));
    }
    assertNote(assertReads(expected, folder), "2 shards, but no index");
    Path second = folder.resolve("pytorch_model-00002-of-00002.bin");
    assertRefused(second, "this is one of 2 shards of a model", "name the folder, file:" + folder);

    Files.delete(folder.resolve("pytorch_model-00001-of-00002.bin"));

    assertRefused(folder, "1 is missing: pytorch_model-00001-of-00002.bin");
  }

  @Test
  void oneShardOfSeveral() throws IOException {
    shards();
    assertRefused(
        folder.resolve(shard(1, 2)),
        "this is one of 2 shards of a model",
        "name the folder, file:" + folder);
    assertReads(expected, folder);

    Readings.index(folder, "a", shard(1, 2), "b", shard(2, 2));
    assertRefused(
        folder.resolve(shard(1, 2)),
        "this is one of 2 shards of a model",
        "name its index: file:" + folder.resolve(INDEX));
    assertReads(expected, folder.resolve(INDEX));
  }

  @Test
  void twoSetsWithoutIndex() throws IOException {
    shards();
    Map<String, String> other =
        Readings.write(folder.resolve("ema-00001-of-00002.safetensors"), 1, "a");
    other.putAll(Readings.write(folder.resolve("ema-00002-of-00002.safetensors"), 7, "b"));
    assertRefused(
        folder,
        "there are several models here: ema-00001-of-00002.safetensors and 1 more (2 tensors, 12"
            + " parameters, 48 B, first a [2, 3]), "
            + shard(1, 2)
            + " and 1 more (2 tensors",
        "move the files of ema-00001-of-00002.safetensors and 1 more, or "
            + shard(1, 2)
            + " and 1 more to a folder of their own");

    Files.createDirectory(folder.resolve("ema"));
    for (int i = 1; i <= 2; i++) {
      String name = "ema-%05d-of-00002.safetensors".formatted(i);
      Files.move(folder.resolve(name), folder.resolve("ema").resolve(name));
    }
    assertReads(expected, folder);
    assertReads(other, folder.resolve("ema"));
  }

  @Test
  void oneShardOfWhichTheOthersAreMissing() throws IOException {
    indexedShards();
    Files.move(folder.resolve(shard(2, 2)), temp.resolve("kept"));
    assertRefused(
        folder.resolve(shard(1, 2)),
        "this is one of 2 shards of a model",
        "name its index: file:" + folder.resolve(INDEX));
    assertRefused(
        folder.resolve(INDEX),
        INDEX + " names " + shard(2, 2) + ", which is not there, for 1 tensor: b",
        "copy the shard from where the others are from");

    Files.move(temp.resolve("kept"), folder.resolve(shard(2, 2)));
    assertReads(expected, folder.resolve(INDEX));
  }

  @Test
  void shardsWithoutIndexAndOneFile() throws IOException {
    shards();
    Path file = folder.resolve("model.safetensors");
    Map<String, String> other = Readings.write(file, 9, "a", "b");
    assertRefused(
        folder,
        "there are several models here",
        "such as file:" + file + "; or move the files of " + shard(1, 2) + " and 1 more to a");
    assertReads(other, file);

    Files.delete(file);
    assertReads(expected, folder);
  }

  @Test
  void filesThatSystemsHide() throws IOException {
    shards();
    for (int number = 1; number <= 2; number++) {
      Files.writeString(folder.resolve("._" + shard(number, 2)), "Mac OS X");
    }
    Files.writeString(folder.resolve("._model.safetensors"), "Mac OS X");

    List<String> left = Readings.left(assertReads(expected, folder));

    assertEquals(2, left.size(), left.toString());
    assertTrue(left.get(1).startsWith("._model.safetensors, 0 tensors, not read, and cannot be: "));
  }

  @Test
  void oneOfOne() throws IOException {
    Path file = folder.resolve(shard(1, 1));
    expected.putAll(Readings.write(file, 1, "a"));

    assertReads(expected, folder);
    assertReads(expected, file);
  }

  @Test
  void shardsAndOneFile() throws IOException {
    Path in = Fixtures.resource(STRAY + "in");
    String index = in.resolve(INDEX).toString();

    assertRefused(
        in,
        "there are several models here: " + INDEX + " (7 tensors, 648 parameters, 1.3 KB",
        "model.safetensors (7 tensors",
        "name the one that is meant, such as file:" + index);

    Checkpoint checkpoint = assertReads(expected(STRAY), in.resolve(INDEX));
    assertEquals(
        List.of("model.safetensors, 7 tensors, not read: name it to convert it"),
        Readings.left(checkpoint));
    Path stray = in.resolve("model.safetensors");
    assertReads(StoredTensors.of(stray), stray);
  }

  @Test
  void theIndexIsConverted() throws IOException {
    Path out = temp.resolve("out");
    Converting.between(Fixtures.resource(STRAY + "in").resolve(INDEX), out).type("keep").run();

    assertEquals(expected(STRAY), StoredTensors.inFolder(out));
  }

  /** Shards of another run, whole or not, and of another name: no index names them. */
  @Test
  void shardsThatNoIndexNames() throws IOException {
    indexedShards();
    Readings.write(folder.resolve(shard(3, 3)), 5, "a", "b", "c");
    Readings.write(folder.resolve("old-00001-of-00002.safetensors"), 5, "a");
    Readings.write(folder.resolve("old-00002-of-00002.safetensors"), 5, "b");

    for (Path input : List.of(folder, folder.resolve(INDEX))) {
      Checkpoint checkpoint = assertReads(expected, input);

      assertEquals(
          List.of(
              shard(3, 3)
                  + ", 3 tensors, not read, and cannot be: of 3 shards without an index 2 are"
                  + " missing: "
                  + shard(1, 3)
                  + ", "
                  + shard(2, 3),
              "old-00001-of-00002.safetensors and 1 more, 2 tensors, not read: move its files to a"
                  + " folder of their own to convert it"),
          Readings.left(checkpoint));
    }
  }

  @Test
  void anIndexOfFilesOfOtherNames() throws IOException {
    expected.putAll(Readings.write(folder.resolve("one.safetensors"), 1, "a"));
    expected.putAll(Readings.write(folder.resolve(shard(2, 9)), 9, "b"));
    Readings.index(folder, "a", "one.safetensors", "b", shard(2, 9));

    assertEquals(List.of(), assertReads(expected, folder).notTaken());
  }

  /** Libraries load shards whole: transformers 5.24 merges all that is in the files it opens. */
  @Test
  void aTensorThatTheIndexDoesNotName() throws IOException {
    indexedShards();
    expected.putAll(Readings.write(folder.resolve(shard(2, 2)), 100, "b", "c"));

    Checkpoint checkpoint = assertReads(expected, folder);

    assertNote(checkpoint, INDEX + " does not name c, which is in " + shard(2, 2) + " and so read");
  }

  @Test
  void oneTensorInTwoShards() throws IOException {
    indexedShards();
    Path second = folder.resolve(shard(2, 2));
    Readings.write(second, 100, "a", "b");
    assertRefused(
        folder,
        "tensor a is in " + shard(1, 2) + " and " + shard(2, 2),
        "take it out of the file that is not meant");

    SafetensorsFile.read(second).without("a").write(second);

    expected.putAll(StoredTensors.of(second));
    assertReads(expected, folder);
  }

  @Test
  void anIndexWithoutShardsBesideAModel() throws IOException {
    expected.putAll(Readings.write(folder.resolve("model.safetensors"), 1, "a"));
    Readings.index(folder, "a", shard(1, 2), "b", shard(2, 2));

    assertEquals(
        List.of(INDEX + ", 0 tensors, not read, and cannot be: an index, but none of its shards"),
        Readings.left(assertReads(expected, folder)));
  }

  @Test
  void twoIndexes() throws IOException {
    indexedShards();
    Map<String, String> half =
        Readings.write(folder.resolve("model.fp16-00001-of-00001.safetensors"), 3, "a", "b");
    Path other = folder.resolve("model.safetensors.index.fp16.json");
    Files.writeString(
        other,
        Files.readString(folder.resolve(INDEX))
            .replaceAll("model-0000[12]-of-00002", "model.fp16-00001-of-00001"));

    assertEquals(
        List.of(other.getFileName() + ", 2 tensors, not read: name it to convert it"),
        Readings.left(assertReads(expected, folder)));
    assertReads(half, other);
  }

  @Test
  void whatZeroThreeDidNotGather() throws IOException {
    Path step = Fixtures.resource(STUB + "B/checkpoint-2");
    Path stub = step.resolve("model.safetensors");

    assertRefused(
        stub,
        "there are no weights in it: its 12 tensors have no elements",
        "name the folder file:" + step);
    Checkpoint checkpoint = assertReads(expected(STUB), step);
    assertTrue(
        Readings.left(checkpoint).stream()
            .anyMatch(l -> l.startsWith("model.safetensors, 12 tensors, not read, and cannot be")),
        Readings.left(checkpoint).toString());
    Path out = temp.resolve("out");
    Converting.between(step, out).run();
    assertEquals(expected(STUB), StoredTensors.of(out.resolve("model.safetensors")));
  }

  @Test
  void whatZeroThreeDidNotGatherAlone() throws IOException {
    Path alone = folder.resolve("model.safetensors");
    Files.copy(Fixtures.resource(STUB + "B/checkpoint-2/model.safetensors"), alone);
    assertRefused(
        folder, "its 12 tensors have no elements", "the folder that save_checkpoint wrote");

    Path step = Fixtures.resource(STUB + "B/checkpoint-2/global_step2");
    Fixtures.copy(step, folder.resolve("global_step2"));
    assertRefused(alone, "name the folder file:" + folder.resolve("global_step2"));
    assertReads(expected(STUB), folder.resolve("global_step2"));
  }

  @Test
  void aTorchFileThatZeroThreeDidNotGather() throws IOException {
    Path file = folder.resolve("pytorch_model.bin");
    new WeightsFile().floats("a", Shape.of(0), e -> e).write(file);

    assertRefused(folder, "its 1 tensor has no elements");
    assertRefused(file, "its 1 tensor has no elements");
  }

  @Test
  void aFileWithoutTensors() throws IOException {
    Readings.write(folder.resolve("model.safetensors"), 1);

    assertRefused(folder, "there are no tensors in it", "convert the ZeRO-3 checkpoint");
  }

  @Test
  void someTensorsWithoutElements() throws IOException {
    expected.putAll(
        Readings.write(
            folder.resolve("model.safetensors"),
            Map.of(),
            1,
            Map.of("a", Shape.of(2), "b", Shape.of(0), "c", Shape.of(0, 3))));

    assertNote(assertReads(expected, folder), "2 of 3 tensors have no elements");
  }
}
