package dev.reweave.testing;

import dev.reweave.tensor.Shape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A torch.save file in the making: numbers the storages in the order of their tensors. */
final class TorchFile {
  private final List<StorageContent> storages = new ArrayList<>();

  /** A storage of this file, to be viewed by tensors. */
  record Storage(String key, StorageContent content) {
    TensorValue view(long offset, Shape shape) {
      List<Long> strides = Arrays.stream(shape.rowMajorStrides()).boxed().toList();
      return new TensorValue(key, content.torchClass(), content.elements(), offset, shape, strides);
    }
  }

  Storage add(StorageContent content) {
    storages.add(content);
    return new Storage(String.valueOf(storages.size() - 1), content);
  }

  /** All of a new storage, as a vector. */
  TensorValue vector(StorageContent content) {
    return add(content).view(0, Shape.of(content.elements()));
  }

  void write(Path file, Object root) throws IOException {
    TorchZipWriter.write(file, root, storages);
  }
}
