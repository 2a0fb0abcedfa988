package dev.reweave.testing;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/** The checksums in the directory of a zip of torch.save. */
public final class ZipChecksums {
  private static final int END_BYTES = 22;
  private static final int END_SIGNATURE = 0x06054b50;
  private static final int HEADER_BYTES = 46;

  private ZipChecksums() {}

  /**
   * Makes all checksums of a file 0, as torch writes them when it is told not to compute any;
   * leaves what is no zip alone.
   */
  public static void remove(Path file) throws IOException {
    byte[] content = Files.readAllBytes(file);
    ByteBuffer zip = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
    int end = content.length - END_BYTES;
    if (end < 0 || zip.getInt(end) != END_SIGNATURE) {
      return;
    }
    int at = zip.getInt(end + 16);
    for (int left = Short.toUnsignedInt(zip.getShort(end + 10)); left > 0; left--) {
      zip.putInt(at + 16, 0);
      at +=
          HEADER_BYTES
              + Short.toUnsignedInt(zip.getShort(at + 28))
              + Short.toUnsignedInt(zip.getShort(at + 30))
              + Short.toUnsignedInt(zip.getShort(at + 32));
    }
    Files.write(file, content);
  }
}
