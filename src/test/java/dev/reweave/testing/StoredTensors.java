package dev.reweave.testing;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.statedict.StateDictFile;
import dev.reweave.format.pytorch.TorchFile;
import dev.reweave.format.safetensors.SafetensorsHeader;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.Cast;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.NamedTensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntFunction;
import java.util.stream.Stream;

/** The tensors of a weight file, with their bits. */
public final class StoredTensors {
  private StoredTensors() {}

  /** Reads a safetensors file: by name, type, shape and SHA-256 of the bytes. */
  public static Map<String, String> of(Path file) throws IOException {
    Map<String, String> tensors = new TreeMap<>();
    bytes(file)
        .forEach((name, t) -> tensors.put(name, describe(t.dtype(), t.shape(), t.content())));
    return tensors;
  }

  /** What all safetensors files of a folder hold. */
  public static Map<String, String> inFolder(Path folder) throws IOException {
    Map<String, String> all = new TreeMap<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".safetensors")).toList()) {
        all.putAll(of(file));
      }
    }
    return all;
  }

  /** The same, as if its floating-point tensors were cast. */
  public static Map<String, String> of(Path file, DType cast) throws IOException {
    Map<String, String> tensors = new TreeMap<>();
    bytes(file)
        .forEach(
            (name, t) -> {
              if (!t.dtype().isCastable()) {
                tensors.put(name, describe(t.dtype(), t.shape(), t.content()));
                return;
              }
              int elements = t.content().length / t.dtype().bytes();
              byte[] out = new byte[elements * cast.bytes()];
              Cast.between(t.dtype(), cast).apply(t.content(), 0, out, 0, elements);
              tensors.put(name, describe(cast, t.shape(), out));
            });
    return tensors;
  }

  /** What a checkpoint's layouts say: by name, type, shape and SHA-256 of the bytes. */
  public static Map<String, String> of(Checkpoint checkpoint) {
    Map<String, String> tensors = new TreeMap<>();
    for (NamedTensor tensor : checkpoint.tensors()) {
      tensors.put(
          tensor.name(), describe(tensor, f -> LocalStores.ALL.open(checkpoint.files().get(f))));
    }
    return tensors;
  }

  /** Reads a state dict that {@code torch.save} or Reweave wrote, tied names too. */
  public static Map<String, String> ofTorch(Path file) throws IOException {
    Stores stores = LocalStores.ALL;
    Map<String, String> tensors = new TreeMap<>();
    InputFile input = stores.file(Locations.of(file)).orElseThrow();
    try (RandomAccess access = stores.open(input)) {
      StateDictFile.Content content = StateDictFile.stateDict(TorchFile.read(access, 0));
      for (NamedTensor tensor : content.tensors()) {
        tensors.put(tensor.name(), describe(tensor, f -> stores.open(input)));
      }
      content.aliases().forEach((alias, kept) -> tensors.put(alias, tensors.get(kept)));
    }
    return tensors;
  }

  /** A tensor with the bytes that its layout finds in these files. */
  private static String describe(NamedTensor tensor, IntFunction<RandomAccess> files) {
    byte[] bytes = new byte[Math.toIntExact(tensor.spec().bytes())];
    int size = tensor.spec().dtype().bytes();
    int[] at = {0};
    tensor
        .layout()
        .runs(
            0,
            tensor.spec().units(),
            (storage, offset, elements) -> {
              int length = Math.toIntExact(elements * size);
              try (RandomAccess access = files.apply(storage.file())) {
                access.readFully(storage.position() + offset * size, bytes, at[0], length);
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
              at[0] += length;
            });
    return describe(tensor.spec().dtype(), tensor.spec().shape().toString(), bytes);
  }

  /** What the maps of this class hold of a tensor. */
  public static String describe(DType dtype, String shape, byte[] bytes) {
    return dtype + " " + shape + " " + Fixtures.sha256(bytes);
  }

  /** A tensor and its bytes. */
  private static final class Stored {
    private final DType dtype;
    private final String shape;
    private final byte[] content;

    Stored(DType dtype, String shape, byte[] content) {
      this.dtype = dtype;
      this.shape = shape;
      this.content = content;
    }

    DType dtype() {
      return dtype;
    }

    String shape() {
      return shape;
    }

    byte[] content() {
      return content;
    }
  }

  private static Map<String, Stored> bytes(Path file) throws IOException {
    Stores stores = LocalStores.ALL;
    Map<String, Stored> tensors = new TreeMap<>();
    try (RandomAccess access = stores.open(stores.file(Locations.of(file)).orElseThrow())) {
      SafetensorsHeader header = SafetensorsHeader.read(access);
      for (SafetensorsHeader.Entry entry : header.entries()) {
        byte[] bytes = new byte[Math.toIntExact(entry.spec().bytes())];
        access.readFully(header.position(entry), bytes, 0, bytes.length);
        tensors.put(
            entry.spec().name(),
            new Stored(entry.spec().dtype(), entry.spec().shape().toString(), bytes));
      }
    }
    return tensors;
  }
}
