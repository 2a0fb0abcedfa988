package dev.reweave.fuzz;

import dev.reweave.format.safetensors.SafetensorsHeader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The header of a safetensors file. */
public final class HeaderFuzz {
  private static final List<byte[]> FILES =
      List.of(
          Seeds.bytes("safetensors/dtypes.safetensors"),
          Seeds.bytes("safetensors/names.safetensors"),
          Seeds.bytes("safetensors/none.safetensors"),
          Seeds.bytes("safetensors/bare.safetensors"));
  private static final Documents DOCUMENTS = new Documents(headers(), Words.jsonValues());

  private HeaderFuzz() {}

  private static List<List<byte[]>> headers() {
    List<List<byte[]>> headers = new ArrayList<>();
    for (byte[] file : FILES) {
      headers.add(Words.json(Arrays.copyOfRange(file, Long.BYTES, Long.BYTES + jsonBytes(file))));
    }
    return headers;
  }

  private static int jsonBytes(byte[] file) {
    return (int) ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong();
  }

  static List<byte[]> seeds() {
    List<byte[]> seeds = new ArrayList<>(DOCUMENTS.seeds());
    for (byte[] file : FILES) {
      byte[] seed = new byte[1 + file.length];
      System.arraycopy(file, 0, seed, 1, file.length);
      seeds.add(seed);
    }
    return seeds;
  }

  /** Called by the fuzzer. */
  public static void fuzzerTestOneInput(byte[] input) {
    MemoryFile file = file(input);
    Promise.check(
        () -> {
          SafetensorsHeader header = SafetensorsHeader.read(file);
          if (header.fileLength() != file.file().length()) {
            throw new AssertionError("a header of a file of " + header.fileLength() + " bytes");
          }
        });
  }

  /** Edited headers get their length put before them, and the bytes of tensors behind them. */
  private static MemoryFile file(byte[] input) {
    byte[] document = DOCUMENTS.read(input);
    if (Documents.isWhole(input)) {
      return new MemoryFile(document);
    }
    byte[] file = FILES.get(DOCUMENTS.document(input));
    int data = file.length - Long.BYTES - jsonBytes(file);
    ByteBuffer bytes =
        ByteBuffer.allocate(Long.BYTES + document.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(document.length).put(document);
    return new MemoryFile("memory:/header", bytes.array(), (long) bytes.capacity() + data);
  }
}
