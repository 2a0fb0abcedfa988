package dev.reweave.checkpoint.dcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reweave.checkpoint.Weights;
import dev.reweave.common.ReweaveException;
import dev.reweave.format.pytorch.PickleFile;
import dev.reweave.format.pytorch.TorchValue;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.Stores;
import dev.reweave.testing.Locations;
import dev.reweave.testing.PickleWriter;
import dev.reweave.testing.PickleWriter.Global;
import dev.reweave.testing.PickleWriter.Instance;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which of the tensors of Megatron-Core's optimizers are masters, and of what. */
class MegatronMastersTest {
  private static final String MODULE = "torch.distributed.checkpoint.metadata";
  private static final String BUCKET =
      "optimizer.distributed.dp_group_idx_0.gbuf_idx_0.dtype_(torch.bfloat16, torch.float32)"
          + ".bucket_idx_0.param";

  @TempDir Path temp;

  private final Map<Object, Object> tensors = new LinkedHashMap<>();

  private void tensor(String name, String dtype, Long... shape) {
    tensors.put(
        name,
        new Instance(
            MODULE,
            "TensorStorageMetadata",
            Map.of(
                "properties",
                new Instance(
                    MODULE, "TensorProperties", Map.of("dtype", new Global("torch", dtype))),
                "size",
                new ArrayList<>(List.of(shape)),
                "chunks",
                new ArrayList<>())));
  }

  private TensorChoice choice(Weights wanted) throws IOException {
    Map<Object, Object> attributes = new LinkedHashMap<>();
    attributes.put("state_dict_metadata", tensors);
    attributes.put("storage_data", Map.of());
    Path file =
        Files.write(
            temp.resolve(".metadata"),
            PickleWriter.pickle(new Instance(MODULE, "Metadata", attributes)));
    Stores stores = new Stores(new Configuration());
    try (RandomAccess access = stores.open(stores.file(Locations.of(file)).orElseThrow())) {
      TorchValue root = PickleFile.read(access);
      return TensorChoice.of(new DcpMetadata(root, Map.of()), wanted, "memory:/ckpt");
    }
  }

  private String refused() {
    return assertThrows(ReweaveException.class, () -> choice(Weights.MASTER)).problem();
  }

  @Test
  void eachTensorHasItsOwn() throws IOException {
    tensor("module.w", "bfloat16", 2L, 3L);
    tensor("module.norm", "float32", 3L);
    tensor("chained_1.optimizer.state.fp32_param.module.w", "float32", 2L, 3L);
    tensor("chained_1.optimizer.state.exp_avg.module.w", "float32", 2L, 3L);

    TensorChoice masters = choice(Weights.MASTER);
    assertEquals(List.of("module.w", "module.norm"), masters.names());
    assertEquals(
        Map.of(
            "module.w",
            "chained_1.optimizer.state.fp32_param.module.w",
            "module.norm",
            "module.norm"),
        masters.stored());
    assertEquals(
        List.of(
            "training state below 'chained_1', 1 tensor, left out: no part of the model",
            "weights of the model itself, 1 tensor, left out: their fp32 masters are taken"),
        masters.left().stream().map(l -> l.text()).toList());
    TensorChoice model = choice(Weights.MODEL);
    assertEquals(Map.of("module.w", "module.w", "module.norm", "module.norm"), model.stored());
    assertEquals(
        List.of("training state below 'chained_1', 2 tensors, left out: no part of the model"),
        model.left().stream().map(l -> l.text()).toList());
  }

  @Test
  void flatBucketsAreLookedThrough() throws IOException {
    tensor("w", "bfloat16", 2L, 3L);
    tensor("norm", "float32", 3L);
    tensor(BUCKET, "float32", 64L);
    tensor(BUCKET.replace("param", "exp_avg"), "float32", 64L);
    tensor(BUCKET.replace("bfloat16", "float32"), "float32", 3L);

    TensorChoice masters = choice(Weights.MASTER);
    assertEquals(List.of(BUCKET), masters.buckets());
    assertEquals(List.of("w", "norm"), masters.names());
    assertEquals(
        List.of(
            "training state below 'optimizer', 2 tensors, left out: no part of the model",
            "weights of the model itself, 1 tensor, left out: their fp32 masters are taken"),
        masters.left().stream().map(l -> l.text()).toList());
    assertEquals(
        List.of(
            "the fp32 masters are in flat buckets of the distributed optimizer, without names: the"
                + " weights are the model's own; --weights master takes those, if Megatron-Core's"
                + " order of them can be shown"),
        choice(Weights.MODEL).notes());
    assertEquals(List.of(), choice(Weights.MODEL).buckets());
  }

  @Test
  void mastersOfAnotherFormAreRefused() {
    tensor("w", "bfloat16", 2L, 3L);
    tensor("optimizer.state.param.w", "float32", 3L, 2L);

    assertEquals("tensor w has shape [2, 3], and its master is float32 of shape [3, 2]", refused());
    tensor("optimizer.state.param.w", "bfloat16", 2L, 3L);
    assertEquals(
        "tensor w has shape [2, 3], and its master is bfloat16 of shape [2, 3]", refused());
  }

  @Test
  void aTensorOf16BitsWithoutAMasterIsNamed() {
    tensor("v", "bfloat16", 2L);
    tensor("w", "bfloat16", 2L);
    tensor("optimizer.state.param.w", "float32", 2L);

    assertEquals("1 of 2 tensors have no fp32 master: v", refused());
  }
}
