package dev.reweave.sql;

import dev.reweave.format.safetensors.SafetensorsHeader;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.Locations;
import dev.reweave.testing.TestSpark;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;

/** Small safetensors files, written and read without what is tested. */
final class WeightSample {
  private final List<TensorSpec> specs = new ArrayList<>();
  private final Map<String, byte[]> contents = new HashMap<>();

  /** Adds a tensor of F32 values. */
  WeightSample floats(String name, float... values) {
    ByteBuffer data = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      data.putFloat(value);
    }
    return add(name, DType.F32, Shape.of(values.length), data.array());
  }

  /** Adds a tensor of these bytes. */
  WeightSample add(String name, DType dtype, Shape shape, byte[] content) {
    specs.add(new TensorSpec(name, dtype, shape));
    contents.put(name, content);
    return this;
  }

  /** Writes all of them to a new file, whose folders are made. */
  Path write(Path file) throws IOException {
    SafetensorsHeader header = SafetensorsHeader.layOut(specs, Map.of("format", "pt"));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(header.bytes());
    for (SafetensorsHeader.Entry entry : header.entries()) {
      out.write(contents.get(entry.spec().name()));
    }
    Files.createDirectories(file.getParent());
    return Files.write(file, out.toByteArray());
  }

  /** A header, to compare with. */
  static SafetensorsHeader header(Path file) throws IOException {
    Stores stores = TestSpark.stores();
    try (RandomAccess access = stores.open(stores.file(Locations.of(file)).orElseThrow())) {
      return SafetensorsHeader.read(access);
    }
  }

  /** The bytes of one tensor. */
  static byte[] content(Path file, SafetensorsHeader header, SafetensorsHeader.Entry entry)
      throws IOException {
    byte[] all = Files.readAllBytes(file);
    int from = (int) header.position(entry);
    return java.util.Arrays.copyOfRange(all, from, from + (int) entry.spec().bytes());
  }

  static String crc32c(byte[] content) {
    CRC32C crc = new CRC32C();
    crc.update(content, 0, content.length);
    return HexFormat.of().toHexDigits((int) crc.getValue());
  }

  /** What a query should tell of each tensor of a file: name, type, shape and checksum. */
  static List<String> described(Path file) throws IOException {
    SafetensorsHeader header = header(file);
    List<String> rows = new ArrayList<>();
    for (SafetensorsHeader.Entry entry : header.entries()) {
      rows.add(
          entry.spec().name()
              + " "
              + entry.spec().dtype().torchName()
              + " "
              + entry.spec().shape()
              + " "
              + crc32c(content(file, header, entry)));
    }
    return rows.stream().sorted().toList();
  }
}
