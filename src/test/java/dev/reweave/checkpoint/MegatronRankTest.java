package dev.reweave.checkpoint;

import static dev.reweave.testing.PickleWriter.dict;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Locations;
import dev.reweave.testing.PickleWriter.Instance;
import dev.reweave.testing.StorageContent;
import dev.reweave.testing.TensorValue;
import dev.reweave.testing.TorchZipWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files of Megatron-LM's and NeMo's ranks: a model where there is one, and else a part. */
class MegatronRankTest {
  private static final Stores STORES = new Stores(new Configuration());
  private static final String NAME = "model_optim_rng.pt";

  @TempDir Path temp;

  private static Map<Object, Object> model() {
    return dict(
        "decoder.layers.0.mlp.linear_fc1.weight",
        new TensorValue("0", "FloatStorage", 2, 0, Shape.of(2), List.of(1L)));
  }

  private Path write(String path, Object root) throws IOException {
    Path file = temp.resolve(path);
    Files.createDirectories(file.getParent());
    TorchZipWriter.write(file, root, List.of(StorageContent.of(DType.F32, new byte[8])));
    return file;
  }

  private static Map<Object, Object> of(int tensor, int pipeline) {
    return dict(
        "args",
        new Instance(
            "argparse",
            "Namespace",
            dict(
                "tensor_model_parallel_size", tensor,
                "pipeline_model_parallel_size", pipeline)),
        "checkpoint_version",
        3.0,
        "iteration",
        5,
        "model",
        model());
  }

  private static Checkpoint read(Path address) {
    return new CheckpointReader(STORES, new ThreadScanner(STORES))
        .read(Locations.of(address), ReadOptions.defaults());
  }

  private static ReweaveException refused(Path address) {
    ReweaveException e = assertThrows(ReweaveException.class, () -> read(address));
    assertTrue(
        e.problem().startsWith("this file of Megatron-LM or NeMo is not a whole model, but one of"),
        e.getMessage());
    assertTrue(e.remedy().startsWith("name "), e.remedy());
    return e;
  }

  @Test
  void oneRankIsAModel() throws IOException {
    Path file = write("iter_0000005/mp_rank_00/" + NAME, of(1, 1));

    assertEquals(1, read(file).tensors().size());
    assertEquals(1, read(file.getParent()).tensors().size());
  }

  @ParameterizedTest
  @CsvSource({"2, 1", "1, 2"})
  void severalRanksByTheArguments(int tensor, int pipeline) throws IOException {
    Path file = write("mp_rank_00/" + NAME, of(tensor, pipeline));
    Path alone = write("copied/weights.pt", of(tensor, pipeline));

    for (Path address : List.of(file, file.getParent(), alone, alone.getParent())) {
      assertTrue(refused(address).problem().contains("one of 2 ranks'"));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "mp_rank_00, mp_rank_01",
    "mp_rank_00_000, mp_rank_00_001",
    "tp_rank_00_pp_rank_000, tp_rank_01_pp_rank_000"
  })
  void severalRanksByTheFolders(String first, String second) throws IOException {
    Path one = write("iter_0000005/" + first + "/model.ckpt", dict("state_dict", model()));
    Path other = write("iter_0000005/" + second + "/model.ckpt", dict("state_dict", model()));

    assertTrue(refused(one).problem().endsWith("iter_0000005"));
    refused(other);
    Files.delete(one);
    Files.delete(one.getParent());
    refused(other);
  }

  @Test
  void severalRanksByTheConfigOfNemo() throws IOException {
    Map<Object, Object> config = dict("cfg", dict("tensor_model_parallel_size", 4));
    Path file =
        write("model_weights.ckpt", dict("hyper_parameters", config, "state_dict", model()));

    assertTrue(refused(file).problem().contains("one of 4 ranks'"));
  }
}
