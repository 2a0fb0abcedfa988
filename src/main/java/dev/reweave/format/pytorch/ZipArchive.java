package dev.reweave.format.pytorch;

import dev.reweave.common.ReweaveException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32;

/**
 * The entries of a torch.save zip, which all stand in one folder named after the file that was
 * written first.
 */
final class ZipArchive {
  private static final String PICKLE = "/data.pkl";
  private static final int LOCAL_SIGNATURE = 0x04034b50;
  private static final int MAX_U32 = -1;

  private final BufferedFile file;
  private final ZipDirectory directory;
  private final String root;

  /**
   * @throws ReweaveException unless just one folder holds a {@code data.pkl} of torch.save
   */
  ZipArchive(BufferedFile file, ZipDirectory directory) {
    this.file = file;
    this.directory = directory;
    List<String> pickles =
        directory.entries().keySet().stream().filter(name -> name.endsWith(PICKLE)).toList();
    if (pickles.size() != 1) {
      throw ReweaveException.unsupported(
          "a zip with " + pickles.size() + " entries NAME/data.pkl is not a torch.save file",
          file.file().uri(),
          "name a file that torch.save wrote");
    }
    this.root = pickles.get(0).substring(0, pickles.get(0).length() - PICKLE.length());
    if (directory.entries().containsKey(root + "/constants.pkl")) {
      throw ReweaveException.unsupported(
          "a TorchScript program is not a torch.save file",
          file.file().uri(),
          "save the state dict of the model with torch.save");
    }
  }

  /** The entry of this name below the archive's folder. */
  Optional<ZipEntry> find(String name) {
    return Optional.ofNullable(directory.entries().get(root + "/" + name));
  }

  /** A small entry, read whole and compared with its checksum. */
  byte[] read(ZipEntry entry) throws IOException {
    long position = position(entry);
    file.limit().require(entry.bytes(), "the pickle", place(entry));
    byte[] bytes = file.read(position, (int) entry.bytes()).array();
    CRC32 crc = new CRC32();
    crc.update(bytes);
    if (entry.crc32() != 0 && entry.crc32() != crc.getValue()) {
      throw damaged(entry, "the bytes do not match their CRC-32");
    }
    return bytes;
  }

  /** Position of an entry's first byte, as its local header, which is read, gives it. */
  long position(ZipEntry entry) throws IOException {
    if (!entry.isPlain()) {
      throw ReweaveException.unsupported(
          "a zip entry is compressed or encrypted, which torch.save never does",
          place(entry),
          "unpack the file and pack it again without compression (zip -0), or save it anew");
    }
    byte[] name = entry.name().getBytes(StandardCharsets.UTF_8);
    int length = ZipDirectory.LOCAL_BYTES + name.length;
    if (entry.end() - entry.header() < length) {
      throw damaged(entry, "the zip directory and the entry's own header differ");
    }
    ByteBuffer local = file.read(entry.header(), length);
    boolean agrees =
        local.getInt(0) == LOCAL_SIGNATURE
            && entry.isEncryptedAs(local.getShort(6))
            && Short.toUnsignedInt(local.getShort(8)) == entry.method()
            && Short.toUnsignedInt(local.getShort(26)) == name.length
            && local.slice(ZipDirectory.LOCAL_BYTES, name.length).equals(ByteBuffer.wrap(name));
    if (!agrees) {
      throw damaged(entry, "the zip directory and the entry's own header differ");
    }
    int extra = Short.toUnsignedInt(local.getShort(28));
    long position = entry.header() + length + extra;
    if (position > entry.end() || entry.end() - position < entry.bytes()) {
      throw damaged(entry, "the entry runs into what follows it");
    }
    requireSame(entry, local, file.read(entry.header() + length, extra));
    return position;
  }

  /** Checksum and sizes, which may be left out of the local header where they stand behind. */
  private void requireSame(ZipEntry entry, ByteBuffer local, ByteBuffer extra) {
    ByteBuffer wide = ZipDirectory.zip64(extra);
    boolean agrees =
        agrees(entry, Integer.toUnsignedLong(local.getInt(14)), entry.crc32())
            && agrees(entry, wide(local.getInt(22), wide), entry.bytes())
            && agrees(entry, wide(local.getInt(18), wide), entry.stored());
    if (!agrees) {
      throw damaged(entry, "the zip directory and the entry's own header differ");
    }
  }

  private static long wide(int narrow, ByteBuffer zip64) {
    return narrow == MAX_U32 && zip64.remaining() >= Long.BYTES
        ? zip64.getLong()
        : Integer.toUnsignedLong(narrow);
  }

  private static boolean agrees(ZipEntry entry, long local, long central) {
    return local == central || (entry.sizesBehind() && local == 0);
  }

  /** The file and entry, for messages. */
  String place(ZipEntry entry) {
    return file.file().uri() + " entry " + entry.name();
  }

  private ReweaveException damaged(ZipEntry entry, String problem) {
    return new ReweaveException(
        problem, place(entry), "the file is damaged: copy it again from its source");
  }
}
