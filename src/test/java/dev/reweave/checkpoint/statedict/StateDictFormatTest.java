package dev.reweave.checkpoint.statedict;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.NotTaken;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Locations;
import dev.reweave.testing.SafetensorsFile;
import dev.reweave.testing.TestSpark;
import dev.reweave.testing.WeightsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which files of a folder can be a model that torch.save wrote. */
class StateDictFormatTest {
  @TempDir Path folder;

  private void write(String name, String tensor) throws IOException {
    new WeightsFile().floats(tensor, Shape.of(2, 3), i -> i).write(folder.resolve(name));
  }

  private Checkpoint read() {
    return new CheckpointReader(TestSpark.stores(), new ThreadScanner(TestSpark.stores()))
        .read(Locations.of(folder), ReadOptions.defaults());
  }

  /** As Lightning calls its files. */
  @Test
  void aFileThatEndsInCkpt() throws IOException {
    write("last.ckpt", "layer.weight");

    assertEquals(List.of("layer.weight"), read().names());
  }

  @Test
  void oneBesideTheModelIsTold() throws IOException {
    write("last.ckpt", "a");
    write("pytorch_model.bin", "b");

    Checkpoint model = read();

    assertEquals(List.of("b"), model.names());
    assertEquals(
        List.of("last.ckpt, 1 tensor, not read: name it to convert it"),
        model.notTaken().stream().map(NotTaken::text).toList());
  }

  /** Megatron-LM's distributed optimizer lies beside the model of the one rank. */
  @Test
  void theOptimizerIsNoSecondModel() throws IOException {
    write("model_optim_rng.pt", "embedding.weight");
    write("distrib_optim.pt", "exp_avg");

    assertEquals(List.of("embedding.weight"), read().names());
  }

  /** As nanochat saves them: the model whole, the optimizer rank by rank. */
  @Test
  void theOptimizersOfRanksAreNoOtherModels() throws IOException {
    write("model_021400.pt", "_orig_mod.wte.weight");
    write("optim_021400_rank0.pt", "exp_avg");
    write("optim_021400_rank1.pt", "exp_avg");

    assertEquals(List.of("wte.weight"), read().names());
  }

  /** Each message names the ending with which the file is read. */
  @Test
  void filesUnderTheNameOfAnotherKind() throws IOException {
    write("torch.safetensors", "a");
    assertRenamed("torch.safetensors", "give it a name that ends in .pt", "torch.pt");

    new SafetensorsFile().with("b", Shape.of(2), 1, 2).write(folder.resolve("flux.ckpt"));
    assertRenamed("flux.ckpt", "give it a name that ends in .safetensors", "flux.safetensors");
  }

  private void assertRenamed(String name, String remedy, String other) throws IOException {
    ReweaveException e = assertThrows(ReweaveException.class, this::read);
    assertEquals(remedy, e.remedy());
    Files.move(folder.resolve(name), folder.resolve(other));
    assertEquals(1, read().tensors().size());
    Files.delete(folder.resolve(other));
  }

  @Test
  void whatLiesFurtherBelowIsNamed() throws IOException {
    Path rank = folder.resolve("iter_0000005/mp_rank_00");
    Files.createDirectories(rank);
    write("iter_0000005/mp_rank_00/model_weights.ckpt", "a");

    ReweaveException e = assertThrows(ReweaveException.class, this::read);

    assertTrue(e.remedy().endsWith("such as file:" + rank), e.remedy());
  }
}
