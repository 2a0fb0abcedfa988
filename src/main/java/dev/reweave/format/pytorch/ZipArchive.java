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
  private final ZipEntry pickle;
  private final String root;

  /**
   * @throws ReweaveException unless just one folder holds a {@code data.pkl} of torch.save
   */
  ZipArchive(BufferedFile file, ZipDirectory directory) {
    this.file = file;
    this.directory = directory;
    List<ZipEntry> pickles = directory.findEndingIn(PICKLE);
    if (pickles.size() != 1) {
      throw TorchFileFailures.notOnePickle(pickles.size(), file.file());
    }
    this.pickle = pickles.get(0);
    this.root = pickle.name().substring(0, pickle.name().length() - PICKLE.length());
    if (directory.find(root + "/constants.pkl").isPresent()) {
      throw TorchFileFailures.torchScript(file.file());
    }
  }

  /** The entry of the pickle. */
  ZipEntry pickle() {
    return pickle;
  }

  /** The entry of this name below the archive's folder. */
  Optional<ZipEntry> find(String name) {
    return directory.find(root + "/" + name);
  }

  /** A small entry, read whole and compared with its checksum. */
  byte[] read(ZipEntry entry) throws IOException {
    long position = position(entry);
    file.limit().require(entry.bytes(), "the pickle", place(entry));
    byte[] bytes = file.read(position, (int) entry.bytes()).array();
    CRC32 crc = new CRC32();
    crc.update(bytes);
    if (entry.crc32() != 0 && entry.crc32() != crc.getValue()) {
      throw ZipFailures.checksumDiffers(place(entry));
    }
    return bytes;
  }

  /** Position of an entry's first byte, as its local header, which is read, gives it. */
  long position(ZipEntry entry) throws IOException {
    if (!entry.isPlain()) {
      throw ZipFailures.compressed(place(entry));
    }
    byte[] name = entry.name().getBytes(StandardCharsets.UTF_8);
    int length = ZipDirectory.LOCAL_BYTES + name.length;
    if (entry.end() - entry.header() < length) {
      throw ZipFailures.headersDiffer(place(entry));
    }
    ByteBuffer local = file.read(entry.header(), length);
    boolean agrees =
        local.getInt(0) == LOCAL_SIGNATURE
            && entry.isEncryptedAs(local.getShort(6))
            && Short.toUnsignedInt(local.getShort(8)) == entry.method()
            && Short.toUnsignedInt(local.getShort(26)) == name.length
            && local.slice(ZipDirectory.LOCAL_BYTES, name.length).equals(ByteBuffer.wrap(name));
    if (!agrees) {
      throw ZipFailures.headersDiffer(place(entry));
    }
    int extra = Short.toUnsignedInt(local.getShort(28));
    long position = entry.header() + length + extra;
    if (position > entry.end() || entry.end() - position < entry.bytes()) {
      throw ZipFailures.entryTooLong(place(entry));
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
      throw ZipFailures.headersDiffer(place(entry));
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
    return file.place() + " entry " + entry.name();
  }
}
