package dev.reweave.checkpoint.huggingface;

import dev.reweave.checkpoint.LeftTensors;
import dev.reweave.checkpoint.statedict.StateDictFile;
import dev.reweave.common.ReweaveException;
import dev.reweave.format.pytorch.TorchFile;
import dev.reweave.format.safetensors.SafetensorsHeader;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.ParallelCalls;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.StorageRef;
import dev.reweave.tensor.StoredLayout;
import dev.reweave.tensor.TensorSpec;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What one file of a model's weights holds.
 *
 * @param tensors in file order; of a safetensors file in the order of the bytes
 * @param aliases further names that a torch file gives to some of them
 * @param metadata of a safetensors file
 * @param skipped entries of a torch file that are no tensors
 * @param left tensors of a torch file beside those of the model
 */
record ShardContent(
    InputFile file,
    List<NamedTensor> tensors,
    Map<String, String> aliases,
    Map<String, String> metadata,
    int skipped,
    List<LeftTensors> left) {

  /** What came of reading a file: its content, or why there is none. */
  record Attempt(
      InputFile file, Optional<ShardContent> content, Optional<ReweaveException> failure) {}

  /** Reads all files of a model; in their layouts, each has the index that it has here. */
  static List<Attempt> readAll(Stores stores, WeightFiles weights) {
    List<Integer> indexes = new ArrayList<>();
    for (int i = 0; i < weights.shards().size(); i++) {
      indexes.add(i);
    }
    return ParallelCalls.answers(
        indexes, i -> attempt(stores, weights.shards().get(i), i, weights.isTorch()));
  }

  private static Attempt attempt(Stores stores, InputFile file, int index, boolean torch) {
    try (RandomAccess access = stores.open(file)) {
      ShardContent content =
          torch ? ofTorch(file, access, index) : ofSafetensors(file, access, index);
      return new Attempt(file, Optional.of(content), Optional.empty());
    } catch (ReweaveException e) {
      return new Attempt(file, Optional.empty(), Optional.of(e));
    } catch (IOException e) {
      return new Attempt(
          file, Optional.empty(), Optional.of(Stores.unreadable(file.location(), e)));
    }
  }

  private static ShardContent ofTorch(InputFile file, RandomAccess access, int index)
      throws IOException {
    StateDictFile.Content content = StateDictFile.stateDict(TorchFile.read(access, index));
    return new ShardContent(
        file, content.tensors(), content.aliases(), Map.of(), content.skipped(), content.left());
  }

  private static ShardContent ofSafetensors(InputFile file, RandomAccess access, int index)
      throws IOException {
    SafetensorsHeader header = SafetensorsHeader.read(access);
    List<NamedTensor> tensors = new ArrayList<>();
    for (SafetensorsHeader.Entry entry : header.entries()) {
      StorageRef storage =
          new StorageRef(
              index,
              entry.spec().name(),
              header.position(entry),
              entry.spec().dtype(),
              entry.spec().units(),
              StorageRef.Endian.LITTLE,
              StorageRef.NO_CRC);
      tensors.add(
          new NamedTensor(entry.spec(), StoredLayout.contiguous(storage, 0, shape(entry.spec()))));
    }
    return new ShardContent(file, tensors, Map.of(), header.metadata(), 0, List.of());
  }

  /** The shape that the layout has: rows may share bytes where elements do. */
  private static Shape shape(TensorSpec spec) {
    return spec.dtype().isPacked() ? Shape.of(spec.units()) : spec.shape();
  }
}
