package dev.reweave.testing;

import dev.reweave.format.safetensors.SafetensorsHeader;
import dev.reweave.storage.RandomAccess;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The tensors of a safetensors file, to be changed and written. */
public final class SafetensorsFile {
  private final Map<String, TensorSpec> specs = new TreeMap<>();
  private final Map<String, ByteBuffer> contents = new TreeMap<>();

  private Map<String, String> metadata = Map.of("format", "pt");

  /** Reads a file, but for its metadata. */
  public static SafetensorsFile read(Path path) throws IOException {
    SafetensorsFile file = new SafetensorsFile();
    try (RandomAccess access =
        LocalStores.ALL.open(LocalStores.ALL.file(Locations.of(path)).orElseThrow())) {
      SafetensorsHeader header = SafetensorsHeader.read(access);
      for (SafetensorsHeader.Entry entry : header.entries()) {
        byte[] bytes = new byte[Math.toIntExact(entry.spec().bytes())];
        access.readFully(header.position(entry), bytes, 0, bytes.length);
        file.with(entry.spec().name(), entry.spec().dtype(), entry.spec().shape(), bytes);
      }
    }
    return file;
  }

  /** Adds a tensor, or replaces it. */
  public SafetensorsFile with(String name, DType type, Shape shape, byte[] content) {
    specs.put(name, new TensorSpec(name, type, shape));
    contents.put(name, ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN));
    return this;
  }

  /** The same with float32 numbers. */
  public SafetensorsFile with(String name, Shape shape, float... numbers) {
    ByteBuffer content =
        ByteBuffer.allocate(numbers.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    content.asFloatBuffer().put(numbers);
    return with(name, DType.F32, shape, content.array());
  }

  /** The same tensor in another shape. */
  public SafetensorsFile reshaped(String name, long... dims) {
    return with(name, specs.get(name).dtype(), Shape.of(dims), contents.get(name).array());
  }

  /** Takes a tensor away. */
  public SafetensorsFile without(String name) {
    specs.remove(name);
    contents.remove(name);
    return this;
  }

  /** With this metadata in its header, and no other. */
  public SafetensorsFile saying(Map<String, String> entries) {
    metadata = Map.copyOf(entries);
    return this;
  }

  /** The metadata in the header of a file. */
  public static Map<String, String> metadata(Path path) throws IOException {
    try (RandomAccess access =
        LocalStores.ALL.open(LocalStores.ALL.file(Locations.of(path)).orElseThrow())) {
      return SafetensorsHeader.read(access).metadata();
    }
  }

  /** The bytes of a tensor, little-endian, to be read and changed. */
  public ByteBuffer content(String name) {
    return contents.get(name);
  }

  /** The numbers of a float32 tensor. */
  public float[] floats(String name) {
    float[] numbers = new float[contents.get(name).capacity() / Float.BYTES];
    contents.get(name).asFloatBuffer().get(numbers);
    return numbers;
  }

  /** The names of all tensors. */
  public List<String> names() {
    return List.copyOf(specs.keySet());
  }

  /** Bytes of all tensors. */
  public long bytes() {
    return specs.values().stream().mapToLong(TensorSpec::bytes).sum();
  }

  /** Writes the file; gives its path. */
  public Path write(Path path) throws IOException {
    SafetensorsHeader header = SafetensorsHeader.layOut(new ArrayList<>(specs.values()), metadata);
    ByteBuffer file = ByteBuffer.allocate(Math.toIntExact(header.fileLength()));
    file.put(header.bytes());
    header.entries().forEach(e -> file.put(contents.get(e.spec().name()).array()));
    return Files.write(path, file.array());
  }
}
