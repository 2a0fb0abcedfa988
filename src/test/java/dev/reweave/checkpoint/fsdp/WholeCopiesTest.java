package dev.reweave.checkpoint.fsdp;

import static dev.reweave.checkpoint.fsdp.RankReadings.assertRefused;
import static dev.reweave.checkpoint.fsdp.RankReadings.read;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Gathered;
import dev.reweave.testing.PickleWriter.OrderedDict;
import dev.reweave.testing.StorageContent;
import dev.reweave.testing.TensorValue;
import dev.reweave.testing.TorchZipWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Under {@code NO_SHARD} FSDP1 gives each rank the whole state dict, and each saves it. */
class WholeCopiesTest {
  @TempDir Path temp;

  private static byte[] numbers(float... numbers) {
    ByteBuffer bytes =
        ByteBuffer.allocate(numbers.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (float number : numbers) {
      bytes.putFloat(number);
    }
    return bytes.array();
  }

  /** A rank's file with plain tensors of three numbers, from these on. */
  private void write(String file, Map<String, Float> tensors) throws IOException {
    Map<Object, Object> dict = new LinkedHashMap<>();
    List<StorageContent> storages = new ArrayList<>();
    tensors.forEach(
        (name, from) -> {
          dict.put(
              name,
              new TensorValue(
                  String.valueOf(storages.size()), "FloatStorage", 3, 0, Shape.of(3), List.of(1L)));
          storages.add(StorageContent.of(DType.F32, numbers(from, from + 1, from + 2)));
        });
    Files.createDirectories(temp.resolve("ranks"));
    TorchZipWriter.write(temp.resolve("ranks").resolve(file), new OrderedDict(dict), storages);
  }

  private Gathered gathered() {
    return Converting.between(temp.resolve("ranks"), temp.resolve("out")).gather();
  }

  private void ranks(String pattern, float ofLast) throws IOException {
    for (int rank = 0; rank < 3; rank++) {
      Map<String, Float> tensors = new LinkedHashMap<>();
      tensors.put("a.weight", 1f);
      tensors.put("b.weight", rank == 2 ? ofLast : 7f);
      write(pattern.formatted(rank), tensors);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"pytorch_model_fsdp_0_rank%d.bin", "model_world_size_3_rank_%d.pt"})
  void eachRanksCopyIsTheModel(String pattern) throws IOException {
    ranks(pattern, 7f);

    Checkpoint checkpoint = read(temp.resolve("ranks"));
    assertEquals("PyTorch FSDP rank files", checkpoint.source().framework());
    assertEquals(
        List.of(
            "2 tensors, each whole in the files of 3 ranks",
            "2 tensors that several ranks have: the first rank's is taken, and compared with that"
                + " of each other, as NO_SHARD saves copies"),
        checkpoint.notes());
    Gathered gathered = gathered();
    assertArrayEquals(numbers(1, 2, 3), bytes(gathered.content("a.weight")));
    assertArrayEquals(numbers(7, 8, 9), bytes(gathered.content("b.weight")));
    assertEquals(Map.of(), gathered.differences());
  }

  private static byte[] bytes(ByteBuffer content) {
    byte[] bytes = new byte[content.remaining()];
    content.get(bytes);
    return bytes;
  }

  /** As ranks have whose gradients were never put together. */
  @Test
  void copiesThatDifferAreCounted() throws IOException {
    ranks("pytorch_model_fsdp_0_rank%d.bin", 8f);

    Gathered gathered = gathered();

    assertEquals(Map.of("b.weight", 3L), gathered.differences());
    assertArrayEquals(numbers(7, 8, 9), bytes(gathered.content("b.weight")));
  }

  @Test
  void aRankWithoutATensor() throws IOException {
    write("pytorch_model_fsdp_0_rank0.bin", Map.of("a.weight", 1f));
    write("pytorch_model_fsdp_0_rank1.bin", Map.of("b.weight", 1f));

    assertRefused(temp.resolve("ranks"), "'a.weight' is not in this file");
  }

  /** Other programs cut tensors, and do not say how. */
  @ParameterizedTest
  @ValueSource(strings = {"checkpoint_rank_%d.pt", "part_world_size_3_rank_%d.pt"})
  void filesOfOtherNames(String pattern) throws IOException {
    ranks(pattern, 7f);

    assertRefused(temp.resolve("ranks"), "one of the files of 3 ranks, each with its part");
  }
}
