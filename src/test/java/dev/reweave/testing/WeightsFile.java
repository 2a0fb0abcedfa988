package dev.reweave.testing;

import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.IntToDoubleFunction;

/** A torch.save file of weights alone, each in a storage of its own. */
public final class WeightsFile {
  private final TorchFile file = new TorchFile();
  private final Map<Object, Object> tensors = PickleWriter.dict();

  /** Adds a tensor of these little-endian elements. */
  public WeightsFile with(String name, DType type, Shape shape, byte... content) {
    tensors.put(name, file.add(StorageContent.of(type, content)).view(0, shape));
    return this;
  }

  /** Adds a tensor of F32 numbers, by their indexes. */
  public WeightsFile floats(String name, Shape shape, IntToDoubleFunction numbers) {
    int elements = Math.toIntExact(shape.elements());
    ByteBuffer content = ByteBuffer.allocate(elements * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < elements; i++) {
      content.putFloat((float) numbers.applyAsDouble(i));
    }
    return with(name, DType.F32, shape, content.array());
  }

  /** Writes the file. */
  public void write(Path path) throws IOException {
    file.write(path, tensors);
  }
}
