package dev.reweave.checkpoint.fsdp;

import static dev.reweave.testing.PickleWriter.dict;

import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.PickleWriter;
import dev.reweave.testing.PickleWriter.Call;
import dev.reweave.testing.PickleWriter.Global;
import dev.reweave.testing.PickleWriter.Instance;
import dev.reweave.testing.PickleWriter.Tuple;
import dev.reweave.testing.StorageContent;
import dev.reweave.testing.TensorValue;
import dev.reweave.testing.TorchZipWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/**
 * Files of ranks with one ShardedTensor of two dimensions, whose elements are their own numbers.
 */
final class MadeShards {
  private static final String SHARD = "torch.distributed._shard.sharded_tensor.shard";
  private static final String METADATA = "torch.distributed._shard.sharded_tensor.metadata";

  /** A block of rows and columns, and who has it. */
  record Box(int rank, long row, long column, long rows, long columns) {}

  final Shape shape;
  final int world;

  /** What each rank's file says of all. */
  final List<Box> listed;

  /** What the ranks have. */
  final List<Box> had;

  Object type = new Global("torch", "float32");

  MadeShards(Shape shape, int world, List<Box> boxes) {
    this.shape = shape;
    this.world = world;
    this.listed = new ArrayList<>(boxes);
    this.had = new ArrayList<>(boxes);
  }

  void write(Path folder) throws IOException {
    Files.createDirectories(folder);
    for (int rank = 0; rank < world; rank++) {
      List<StorageContent> storages = new ArrayList<>();
      List<Object> local = new ArrayList<>();
      for (Box box : had) {
        if (box.rank() == rank) {
          local.add(
              new Instance(
                  SHARD,
                  "Shard",
                  dict("tensor", tensor(box, storages), "metadata", metadata(box))));
        }
      }
      TorchZipWriter.write(
          folder.resolve("pytorch_model_fsdp_0_rank" + rank + ".bin"),
          dict("w", sharded(local, rank)),
          storages);
    }
  }

  private Call sharded(List<Object> local, int rank) {
    Instance all =
        new Instance(
            METADATA,
            "ShardedTensorMetadata",
            dict(
                "shards_metadata",
                listed.stream().map(MadeShards::metadata).toList(),
                "size",
                PickleWriter.size(shape),
                "tensor_properties",
                new Instance(METADATA, "TensorProperties", dict("dtype", type))));
    Instance group =
        new Instance(
            "torch.distributed._shard.sharded_tensor.api",
            "ProcessGroupState",
            dict("global_rank", rank, "global_world_size", world));
    return new Call(
        "torch._tensor",
        "_rebuild_from_type_v2",
        List.of(
            new Global("torch._utils", "_rebuild_wrapper_subclass"),
            new Global("torch.distributed._shard.sharded_tensor.api", "ShardedTensor"),
            new Tuple(List.of()),
            new Tuple(Arrays.asList(local, all, group, null, false))));
  }

  private static Instance metadata(Box box) {
    return new Instance(
        "torch.distributed._shard.metadata",
        "ShardMetadata",
        dict(
            "shard_offsets",
            List.of(box.row(), box.column()),
            "shard_sizes",
            List.of(box.rows(), box.columns())));
  }

  private TensorValue tensor(Box box, List<StorageContent> storages) {
    ByteBuffer content =
        ByteBuffer.allocate((int) (Float.BYTES * box.rows() * box.columns()))
            .order(ByteOrder.LITTLE_ENDIAN);
    for (long row = box.row(); row < box.row() + box.rows(); row++) {
      for (long column = box.column(); column < box.column() + box.columns(); column++) {
        content.putFloat((float) (row * shape.dim(1) + column));
      }
    }
    storages.add(StorageContent.of(DType.F32, content.array()));
    Shape sizes = Shape.of(box.rows(), box.columns());
    return new TensorValue(
        String.valueOf(storages.size() - 1),
        "FloatStorage",
        sizes.elements(),
        0,
        sizes,
        LongStream.of(sizes.rowMajorStrides()).boxed().toList());
  }
}
