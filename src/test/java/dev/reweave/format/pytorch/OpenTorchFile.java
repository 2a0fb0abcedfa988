package dev.reweave.format.pytorch;

import dev.reweave.tensor.StoredLayout;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;

/** A torch file on the local disk whose tensors can be read whole. */
final class OpenTorchFile implements Closeable {
  private final FileAccess access;
  private final TorchFile torch;

  private OpenTorchFile(Path path) throws IOException {
    this.access = FileAccess.open(path);
    try {
      this.torch = TorchFile.read(access, 5);
    } catch (RuntimeException | IOException e) {
      access.close();
      throw e;
    }
  }

  static OpenTorchFile open(Path path) throws IOException {
    return new OpenTorchFile(path);
  }

  /** One of the files that torch wrote for these tests. */
  static OpenTorchFile sample(String name) throws IOException {
    return new OpenTorchFile(FileAccess.resource("torch/" + name));
  }

  static OpenTorchFile fixture(String name) throws IOException {
    return new OpenTorchFile(FileAccess.resource("fixtures/" + name));
  }

  TorchValue root() throws IOException {
    return torch.root();
  }

  /** A value of the file, as it can be written again. */
  StoredValue stored(TorchValue value) throws IOException {
    return StoredValue.of(torch, value);
  }

  int reads() {
    return access.reads();
  }

  StoredLayout layout(TorchValue tensor) throws IOException {
    return torch.layout(tensor.tensor());
  }

  /** The elements in row-major order, as they lie in the file. */
  byte[] bytes(TorchValue tensor) throws IOException {
    StoredLayout layout = layout(tensor);
    int size = layout.dtype().bytes();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    layout.runs(
        0,
        layout.elements(),
        (storage, offset, elements) -> {
          byte[] run = new byte[(int) elements * size];
          try {
            access.readFully(storage.position() + offset * size, run, 0, run.length);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
          out.writeBytes(run);
        });
    return out.toByteArray();
  }

  float[] floats(TorchValue tensor) throws IOException {
    byte[] bytes = bytes(tensor);
    float[] floats = new float[bytes.length / Float.BYTES];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(floats);
    return floats;
  }

  @Override
  public void close() throws IOException {
    access.close();
  }
}
