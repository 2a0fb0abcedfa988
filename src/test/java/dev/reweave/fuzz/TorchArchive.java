package dev.reweave.fuzz;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/** A torch.save file taken apart, to be put together in memory with another pickle. */
final class TorchArchive {
  private static final String PICKLE = "/data.pkl";

  private final byte[] file;
  private final Map<String, byte[]> entries = new LinkedHashMap<>();
  private String pickleName = "";

  /** Takes a file of either format. */
  TorchArchive(Path path) throws IOException {
    this.file = Files.readAllBytes(path);
    if (file.length < 2 || file[0] != 'P') {
      return;
    }
    try (ZipFile zip = new ZipFile(path.toFile())) {
      for (ZipEntry entry : zip.stream().map(ZipEntry.class::cast).toList()) {
        entries.put(entry.getName(), zip.getInputStream(entry).readAllBytes());
        if (entry.getName().endsWith(PICKLE)) {
          pickleName = entry.getName();
        }
      }
    }
  }

  /** The file as it is. */
  byte[] file() {
    return file;
  }

  private boolean isZip() {
    return !pickleName.isEmpty();
  }

  /** The pickle; the whole of a file that is no zip, which starts with pickles. */
  byte[] pickle() {
    return isZip() ? entries.get(pickleName) : file;
  }

  /** Pickles in a row in {@link #pickle()}. */
  int pickles() {
    return isZip() ? 1 : 5;
  }

  /** The file with another pickle, and without checksums, as torch can be told to write it. */
  byte[] with(byte[] pickle) {
    if (!isZip()) {
      return pickle;
    }
    int size = 22;
    for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
      size += 76 + 2 * entry.getKey().length() + content(entry, pickle).length;
    }
    ByteBuffer out = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer directory = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
      byte[] name = entry.getKey().getBytes(UTF_8);
      byte[] content = content(entry, pickle);
      directory.putInt(0x02014b50).putInt(0).putLong(0).putInt(0);
      directory.putInt(content.length).putInt(content.length).putShort((short) name.length);
      directory.putLong(0).putInt(0).putInt(out.position()).put(name);
      out.putInt(0x04034b50).putShort((short) 0).putLong(0).putInt(0);
      out.putInt(content.length).putInt(content.length);
      out.putShort((short) name.length).putShort((short) 0).put(name).put(content);
    }
    int start = out.position();
    out.put(directory.flip()).putInt(0x06054b50).putInt(0);
    out.putShort((short) entries.size()).putShort((short) entries.size());
    out.putInt(directory.limit()).putInt(start).putShort((short) 0);
    return out.array();
  }

  private byte[] content(Map.Entry<String, byte[]> entry, byte[] pickle) {
    return entry.getKey().equals(pickleName) ? pickle : entry.getValue();
  }
}
