package dev.reweave.format.pytorch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reweave.common.ReweaveException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Directories of zips, byte by byte as APPNOTE.TXT has them. */
class ZipDirectoryTest {
  private static final long WIDE = 0xffffffffL;

  /** Bytes before the directory, where entries would lie. */
  private static final int START = 300;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private int entries;

  ZipDirectoryTest() {
    out.writeBytes(new byte[START]);
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private void entry(String name, long bytes, long header, byte[] extra, String comment) {
    byte[] path = name.getBytes(StandardCharsets.UTF_8);
    out.writeBytes(
        buffer(46)
            .putInt(0, 0x02014b50)
            .putShort(8, (short) 8)
            .putInt(16, 0xfedcba98)
            .putInt(20, (int) bytes)
            .putInt(24, (int) bytes)
            .putShort(28, (short) path.length)
            .putShort(30, (short) extra.length)
            .putShort(32, (short) comment.length())
            .putInt(42, (int) header)
            .array());
    out.writeBytes(path);
    out.writeBytes(extra);
    out.writeBytes(comment.getBytes(StandardCharsets.US_ASCII));
    entries++;
  }

  private void entry(String name, long bytes, long header) {
    entry(name, bytes, header, new byte[0], "");
  }

  /** A field of numbers that do not fit, behind a field of three bytes that nobody knows. */
  private static byte[] wide(long... numbers) {
    byte[] field = new byte[7 + 4 + numbers.length * 8];
    ByteBuffer extra = ByteBuffer.wrap(field).order(ByteOrder.LITTLE_ENDIAN);
    extra.putShort((short) 0x4246).putShort((short) 3).put(new byte[3]);
    extra.putShort((short) 1).putShort((short) (numbers.length * 8));
    for (long number : numbers) {
      extra.putLong(number);
    }
    return field;
  }

  private Optional<ZipDirectory> end(long count, long bytes, long offset, String comment)
      throws IOException {
    out.writeBytes(
        buffer(22)
            .putInt(0, 0x06054b50)
            .putShort(8, (short) count)
            .putShort(10, (short) count)
            .putInt(12, (int) bytes)
            .putInt(16, (int) offset)
            .putShort(20, (short) comment.length())
            .array());
    out.writeBytes(comment.getBytes(StandardCharsets.US_ASCII));
    return ZipDirectory.read(BufferedFile.open(new BytesAccess(out.toByteArray())));
  }

  private ZipDirectory read() throws IOException {
    return end(entries, out.size() - START, START, "").orElseThrow();
  }

  private void end64(int signature, long count, long bytes, long offset) {
    out.writeBytes(
        buffer(56)
            .putInt(0, signature)
            .putLong(4, 44)
            .putLong(24, count)
            .putLong(32, count)
            .putLong(40, bytes)
            .putLong(48, offset)
            .array());
  }

  private void locator(long position) {
    out.writeBytes(buffer(20).putInt(0, 0x07064b50).putLong(8, position).putInt(16, 1).array());
  }

  private interface Reading {
    Object read() throws IOException;
  }

  private static void damaged(String problem, Reading reading) {
    ReweaveException e = assertThrows(ReweaveException.class, reading::read);
    assertEquals(
        problem + ": memory:/file.pt; the file is damaged: copy it again from its source",
        e.getMessage());
  }

  private static ZipEntry stored(String name, long bytes, long header) {
    return new ZipEntry(name, 8, 0, 0xfedcba98L, bytes, bytes, header, 0);
  }

  private static List<String> names(ZipDirectory directory) {
    return directory.entries().stream().map(ZipEntry::name).toList();
  }

  private static List<ZipEntry> withoutEnds(ZipDirectory directory) {
    return directory.entries().stream()
        .map(
            e ->
                new ZipEntry(
                    e.name(),
                    e.flags(),
                    e.method(),
                    e.crc32(),
                    e.stored(),
                    e.bytes(),
                    e.header(),
                    0))
        .toList();
  }

  @Test
  void entriesAreReadWithWhatStandsBetweenThem() throws IOException {
    entry("a/data.pkl", 30, 0, new byte[] {9, 0, 1, 0, 7}, "a comment");
    entry("a/ü", 70, 70, wide(), "");
    entry("", 0, START - 30);

    ZipDirectory directory = read();

    assertEquals(START, directory.start());
    assertEquals(
        List.of(stored("a/data.pkl", 30, 0), stored("a/ü", 70, 70), stored("", 0, START - 30)),
        withoutEnds(directory));
  }

  @Test
  void aCommentBehindTheEndIsPassedOver() throws IOException {
    entry("a", 1, 0);
    int bytes = out.size() - START;

    ZipDirectory directory = end(1, bytes, START, "PK\5\6 is how an end begins").orElseThrow();

    assertEquals(List.of("a"), names(directory));
  }

  @Test
  void whatDoesNotEndLikeAZipIsNone() throws IOException {
    entry("a", 1, 0);
    byte[] cut = out.toByteArray();

    assertEquals(Optional.empty(), ZipDirectory.read(BufferedFile.open(new BytesAccess(cut))));
    assertEquals(
        Optional.empty(), ZipDirectory.read(BufferedFile.open(new BytesAccess(new byte[21]))));
  }

  @Test
  void numbersThatDoNotFitStandInTheirField() throws IOException {
    entry("sizes", WIDE, 5, wide(60, 60), "");
    entry("place", 10, WIDE, wide(190), "");
    entry("all", WIDE, WIDE, wide(20, 20, 110), "");

    assertEquals(
        List.of(stored("sizes", 60, 5), stored("place", 10, 190), stored("all", 20, 110)),
        withoutEnds(read()));
  }

  @Test
  void aNumberThatIsMissingInItsFieldIsDamage() {
    entry("all", WIDE, WIDE, wide(20, 20), "");

    damaged("a zip entry lacks its Zip64 sizes", this::read);
  }

  @Test
  void aFieldThatLeavesItsEntryIsCutOff() {
    byte[] extra = wide(20, 20, 80);
    extra[9] = 100;
    entry("all", WIDE, WIDE, extra, "");
    byte[] none = {1, 0, 8};
    entry("cut", WIDE, 0, none, "");

    damaged("a zip entry lacks its Zip64 sizes", this::read);
  }

  /** Up to the directory, which begins at byte 300. */
  @Test
  void entriesLieBeforeTheDirectory() throws IOException {
    entry("last", 0, START - 34);
    entry("long", START - 34 - 34, 0);
    assertEquals(
        List.of(START, START - 34),
        read().entries().stream().map(entry -> (int) entry.end()).toList());

    for (long[] place : new long[][] {{0, START + 1}, {START + 1, 0}, {251, 50}}) {
      ZipDirectoryTest other = new ZipDirectoryTest();
      other.entry("a", place[0], place[1]);
      damaged("a zip entry lies outside the file", other::read);
    }
    ZipDirectoryTest negative = new ZipDirectoryTest();
    negative.entry("a", WIDE, WIDE, wide(-1, -1, -1), "");
    damaged("a zip entry lies outside the file", negative::read);
  }

  @Test
  void theDirectoryLiesInTheFile() {
    entry("a", 1, 0);
    int bytes = out.size() - START;
    long[][] ends = {
      {2, bytes, START}, {1, bytes + 1, START}, {1, bytes, START + 1}, {1, 45, START}
    };
    byte[] sound = out.toByteArray();
    for (long[] wrong : ends) {
      out.reset();
      out.writeBytes(sound);
      damaged(
          "the zip directory lies outside the file", () -> end(wrong[0], wrong[1], wrong[2], ""));
    }
  }

  @Test
  void entriesFillTheirPlaceInTheDirectory() {
    entry("a name", 1, 0);
    byte[] longer = out.toByteArray();
    longer[START + 28]++;
    out.reset();
    out.writeBytes(longer);

    damaged("the zip directory is damaged", this::read);
  }

  @Test
  void anEntryBeginsWithItsSignature() {
    entry("a", 1, 0);
    byte[] other = out.toByteArray();
    other[START + 3]++;
    out.reset();
    out.writeBytes(other);

    damaged("the zip directory is damaged", this::read);
  }

  @Test
  void namesComeOnce() {
    entry("a", 1, 0);
    entry("a", 2, 1);

    damaged("the zip directory has two entries 'a'", this::read);
  }

  @Test
  void theWideEndTellsWhatDoesNotFit() throws IOException {
    entry("a", 1, 0);
    int bytes = out.size() - START;
    end64(0x06064b50, 1, bytes, START);
    locator(START + bytes);

    ZipDirectory directory = end(0xffff, WIDE, WIDE, "").orElseThrow();

    assertEquals(START, directory.start());
    assertEquals(List.of(stored("a", 1, 0)), withoutEnds(directory));
  }

  /** One number alone may be too big. */
  @Test
  void theWideEndIsAskedWhereAnyNumberDoesNotFit() throws IOException {
    for (int number = 0; number < 3; number++) {
      ZipDirectoryTest zip = new ZipDirectoryTest();
      zip.entry("a", 1, 0);
      int bytes = zip.out.size() - START;
      zip.end64(0x06064b50, 1, bytes, START);
      zip.locator(START + bytes);
      Optional<ZipDirectory> directory =
          zip.end(
              number == 0 ? 0xffff : 1, number == 1 ? WIDE : bytes, number == 2 ? WIDE : START, "");
      assertEquals(List.of("a"), names(directory.orElseThrow()));
    }
  }

  @Test
  void theWideEndSaysTheSameWhereAllFits() {
    entry("a", 1, 0);
    int bytes = out.size() - START;
    end64(0x06064b50, 1, bytes, START);
    locator(START + bytes);

    damaged("the two end records of the zip differ", () -> end(1, bytes, START + 1, ""));
  }

  @Test
  void theWideEndIsInTheFile() {
    for (long position : new long[] {-1, START + 1, 1L << 40}) {
      ZipDirectoryTest zip = new ZipDirectoryTest();
      zip.end64(0x06064b50, 0, 0, START);
      zip.locator(position);
      damaged("the Zip64 end record lies outside the file", () -> zip.end(0xffff, WIDE, WIDE, ""));
    }
    end64(0x06064b51, 0, 0, START);
    locator(START);
    damaged("the Zip64 end record is missing", () -> end(0xffff, WIDE, WIDE, ""));
  }

  @Test
  void withoutAWideEndTheFileIsTooShort() {
    damaged("the zip directory lies outside the file", () -> end(0xffff, WIDE, WIDE, ""));
  }

  @Test
  void theWideEndCanLie() {
    long[][] lies = {
      {-1, 0, 0}, {0, -1, 0}, {0, 0, -1}, {1, 45, 0}, {0, Long.MAX_VALUE, 0}, {0, 0, 1L << 40}
    };
    for (long[] lie : lies) {
      ZipDirectoryTest zip = new ZipDirectoryTest();
      zip.end64(0x06064b50, lie[0], lie[1], lie[2]);
      zip.locator(START);
      damaged("the zip directory lies outside the file", () -> zip.end(0xffff, WIDE, WIDE, ""));
    }
  }
}
