package dev.reweave.testing;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.storage.InputFile;
import dev.reweave.tensor.NamedTensor;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The parameters of one optimizer group as ZeRO-1 and 2 lay them end to end over the ranks' files,
 * to be written in another order than the checkpoint says.
 */
public final class FlatGroup {
  private final Checkpoint checkpoint;
  private final List<NamedTensor> tensors;

  /** The group of these tensors, in their order. */
  public FlatGroup(Checkpoint checkpoint, List<NamedTensor> tensors) {
    this.checkpoint = checkpoint;
    this.tensors = List.copyOf(tensors);
  }

  /** The bytes of each parameter. */
  public List<byte[]> read() {
    List<byte[]> contents = new ArrayList<>();
    for (NamedTensor tensor : tensors) {
      ByteBuffer content = ByteBuffer.allocate((int) tensor.spec().bytes());
      visit(tensor, (file, length) -> read(file, content, length));
      contents.add(content.array());
    }
    return contents;
  }

  /** Lays these bytes over the whole group, and takes the checksums out of the files. */
  public void write(List<byte[]> contents) throws IOException {
    ByteBuffer all = ByteBuffer.allocate(contents.stream().mapToInt(c -> c.length).sum());
    contents.forEach(all::put);
    all.flip();
    for (NamedTensor tensor : tensors) {
      visit(tensor, (file, length) -> write(file, all, length));
    }
    for (var file : checkpoint.files()) {
      forgetChecksums(Path.of(path(file)));
    }
  }

  private static String path(InputFile file) {
    return file.uri().substring("file:".length());
  }

  private interface Visitor {
    void visit(RandomAccessFile file, int length) throws IOException;
  }

  private void visit(NamedTensor tensor, Visitor visitor) {
    int size = tensor.spec().dtype().bytes();
    tensor
        .layout()
        .runs(
            0,
            tensor.spec().elements(),
            (storage, offset, elements) -> {
              String path = path(checkpoint.files().get(storage.file()));
              try (RandomAccessFile file = new RandomAccessFile(path, "rw")) {
                file.seek(storage.position() + offset * size);
                visitor.visit(file, (int) (elements * size));
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
  }

  private static void read(RandomAccessFile file, ByteBuffer content, int length)
      throws IOException {
    byte[] bytes = new byte[length];
    file.readFully(bytes);
    content.put(bytes);
  }

  private static void write(RandomAccessFile file, ByteBuffer content, int length)
      throws IOException {
    byte[] bytes = new byte[length];
    content.get(bytes);
    file.write(bytes);
  }

  /** Checksums of 0 say that there are none. */
  private static void forgetChecksums(Path file) throws IOException {
    byte[] content = Files.readAllBytes(file);
    byte[] header = "PK\1\2".getBytes(StandardCharsets.ISO_8859_1);
    ByteBuffer zip = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i + 20 < content.length; i++) {
      if (Arrays.equals(content, i, i + 4, header, 0, 4)) {
        zip.putInt(i + 16, 0);
      }
    }
    Files.write(file, content);
  }
}
