package dev.reweave.format.pytorch;

import dev.reweave.storage.InputFile;
import dev.reweave.storage.RandomAccess;
import dev.reweave.testing.Locations;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.Stream;

/** Reads a local file, and counts the reads. */
final class FileAccess implements RandomAccess {
  private final FileChannel channel;
  private final InputFile file;
  private int reads;

  private FileAccess(Path path) throws IOException {
    this.channel = FileChannel.open(path);
    this.file = new InputFile(Locations.of(path.toUri()), channel.size(), 0);
  }

  static FileAccess open(Path path) throws IOException {
    return new FileAccess(path);
  }

  /** A file below the test resources. */
  static Path resource(String name) {
    try {
      return Path.of(Objects.requireNonNull(FileAccess.class.getResource("/" + name)).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** All checkpoint files below a folder of the test resources. */
  static Stream<Path> checkpointFiles(String folder) {
    try (Stream<Path> paths = Files.walk(resource(folder))) {
      return paths
          .filter(path -> path.toString().endsWith(".pt") || path.toString().endsWith(".bin"))
          .sorted()
          .toList()
          .stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  int reads() {
    return reads;
  }

  @Override
  public InputFile file() {
    return file;
  }

  @Override
  public void readFully(long position, byte[] buffer, int offset, int length) throws IOException {
    reads++;
    ByteBuffer target = ByteBuffer.wrap(buffer, offset, length);
    while (target.hasRemaining()) {
      if (channel.read(target, position + target.position() - offset) < 0) {
        throw new EOFException(file.uri());
      }
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
