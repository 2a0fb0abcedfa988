package dev.reweave.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** What befalls files in a store, at rest. */
public final class StoredFiles {
  private StoredFiles() {}

  /** Flips a bit near the end of a file. */
  public static void flipBit(FileSystem fs, Path file) throws IOException {
    byte[] content = read(fs, file);
    content[content.length - 3] ^= 0x10;
    write(fs, file, content);
  }

  /** Adds bytes to the end of a file. */
  public static void append(FileSystem fs, Path file) throws IOException {
    byte[] content = read(fs, file);
    write(fs, file, java.util.Arrays.copyOf(content, content.length + 4));
  }

  private static byte[] read(FileSystem fs, Path file) throws IOException {
    try (InputStream in = fs.open(file)) {
      return in.readAllBytes();
    }
  }

  private static void write(FileSystem fs, Path file, byte[] content) throws IOException {
    try (OutputStream out = fs.create(file, true)) {
      out.write(content);
    }
  }
}
