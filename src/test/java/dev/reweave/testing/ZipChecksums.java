package dev.reweave.testing;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32;

/** The checksums in the directory of a zip of torch.save. */
public final class ZipChecksums {
  private static final int END_BYTES = 22;
  private static final int END_SIGNATURE = 0x06054b50;
  private static final int HEADER_BYTES = 46;
  private static final int LOCAL_BYTES = 30;

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

  /**
   * Changes bytes of the pickle, which torch writes first, as if it had been saved so.
   *
   * @param before bytes of which the pickle has just one
   * @param after as many
   */
  public static void changePickle(Path file, byte[] before, byte[] after) throws IOException {
    byte[] content = Files.readAllBytes(file);
    ByteBuffer zip = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
    int central = zip.getInt(content.length - END_BYTES + 16);
    int entry = zip.getInt(central + 42);
    int start =
        entry
            + LOCAL_BYTES
            + Short.toUnsignedInt(zip.getShort(entry + 26))
            + Short.toUnsignedInt(zip.getShort(entry + 28));
    int length = zip.getInt(central + 24);
    String text = new String(content, start, length, StandardCharsets.ISO_8859_1);
    int at = text.indexOf(new String(before, StandardCharsets.ISO_8859_1));
    if (at < 0 || text.indexOf(new String(before, StandardCharsets.ISO_8859_1), at + 1) >= 0) {
      throw new IllegalArgumentException("the bytes are not just once in the pickle");
    }
    System.arraycopy(after, 0, content, start + at, after.length);
    CRC32 crc = new CRC32();
    crc.update(content, start, length);
    zip.putInt(central + 16, (int) crc.getValue());
    zip.putInt(start + length + 4, (int) crc.getValue());
    Files.write(file, content);
  }
}
