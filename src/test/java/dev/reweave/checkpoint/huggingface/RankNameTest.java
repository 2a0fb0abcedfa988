package dev.reweave.checkpoint.huggingface;

import static dev.reweave.checkpoint.huggingface.Readings.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.tensor.Shape;
import dev.reweave.testing.WeightsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The file of one rank of several is no model, be it named by itself or found in its folder. */
class RankNameTest {
  @TempDir Path temp;

  private Path write(String name) throws IOException {
    Path file = temp.resolve(name);
    if (name.endsWith(".safetensors")) {
      Readings.write(file, 1, "layer.weight");
    } else {
      new WeightsFile().floats("layer.weight", Shape.of(2, 3), i -> i).write(file);
    }
    return file;
  }

  @ParameterizedTest
  @CsvSource({
    "consolidated.00.pth, consolidated.01.pth",
    "part_world_size_2_rank_0.pt, part_world_size_2_rank_1.pt",
    "pytorch_model_rank0.bin, pytorch_model_rank1.bin",
    "rank_0.pt, rank_1.pt",
    "tp_rank_00_pp_rank_000.pt, tp_rank_00_pp_rank_001.pt",
    "rank0.safetensors, rank1.safetensors",
    "model-rank-0-part-0.safetensors, model-rank-1-part-0.safetensors",
    "model0-mp2.safetensors, model1-mp2.safetensors"
  })
  void oneOfSeveral(String first, String second) throws IOException {
    Path one = write(first);
    Path other = write(second);

    for (Path address : new Path[] {one, other, temp}) {
      assertRefused(address, "one of the files of 2 ranks", "give it a name without a rank");
    }
    // The remedy: what is known to be whole is taken under another name.
    Path whole = Files.move(one, temp.resolve("whole" + first.substring(first.lastIndexOf('.'))));
    assertEquals(1, Readings.read(whole).tensors().size());
  }

  @ParameterizedTest
  @CsvSource({
    "model_world_size_2_rank_1.pt, 2",
    "model1-mp8.safetensors, 8",
    "consolidated.03.pth, 4"
  })
  void oneAloneThatTellsOfOthers(String name, int ranks) throws IOException {
    assertRefused(write(name), "one of the files of " + ranks + " ranks");
  }

  @ParameterizedTest
  @CsvSource({
    "consolidated.00.pth",
    "model_world_size_1_rank_0.pt",
    "rank_0.pt",
    "model-rank-0-part-0.safetensors"
  })
  void theOnlyOne(String name) throws IOException {
    assertEquals(1, Readings.read(write(name)).tensors().size());
    assertEquals(1, Readings.read(temp).tensors().size());
  }

  /** The rank of an adapter is a length, and has nothing to do with processes. */
  @Test
  void adaptersOfOtherRanks() throws IOException {
    Path adapter = write("style_rank_16.safetensors");
    write("style_rank_32.safetensors");

    assertEquals(1, Readings.read(adapter).tensors().size());
  }
}
