package dev.reweave.testing;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** Files of a sub-group that DeepSpeed keeps on NVMe: elements without any header. */
final class SwapFile {
  /** Asynchronous writes are of 1024 bytes at least. */
  private static final int ALIGNMENT = 1024 / Float.BYTES;

  private SwapFile() {}

  /** Writes masters, with NaNs behind them, and a moment beside them. */
  static void write(Path folder, String id, float[] values) throws IOException {
    Files.createDirectories(folder);
    float[] padded = Arrays.copyOf(values, (values.length / ALIGNMENT + 1) * ALIGNMENT);
    Arrays.fill(padded, values.length, padded.length, Float.NaN);
    ByteBuffer bytes =
        ByteBuffer.allocate(padded.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : padded) {
      bytes.putFloat(value);
    }
    Files.write(folder.resolve(id + ".tensor.swp"), bytes.array());
    Files.write(folder.resolve("exp_avg-" + id + ".tensor.swp"), new byte[bytes.capacity()]);
  }
}
