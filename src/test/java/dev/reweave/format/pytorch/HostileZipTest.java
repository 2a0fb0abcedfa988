package dev.reweave.format.pytorch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.MetadataLimit;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.PickleWriter;
import dev.reweave.testing.TensorValue;
import dev.reweave.testing.ZipBytes;
import dev.reweave.testing.ZipBytes.Entry;
import dev.reweave.testing.ZipBytes.Form;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Zips of torch.save that lie in one field each. */
class HostileZipTest {
  private static final String PICKLE = "model/data.pkl";
  private static final String STORAGE = "model/data/0";
  private static final String FILE = "memory:/file.pt";
  private static final String COPY = "the file is damaged: copy it again from its source";

  private static byte[] pickle() {
    return PickleWriter.pickle(
        PickleWriter.dict(
            "w", new TensorValue("0", "FloatStorage", 2, 0, Shape.of(2), List.of(1L))));
  }

  private static ZipBytes torch(Form form) {
    return ZipBytes.torch(form, pickle(), new byte[] {1, 2, 3, 4, 5, 6, 7, 8});
  }

  /** Reads the file and finds its only tensor. */
  private static long position(byte[] bytes) throws IOException {
    TorchFile file = TorchFile.read(new BytesAccess(bytes), 0);
    return file.layout(file.root().at("w").tensor()).storage().position();
  }

  private static String message(byte[] bytes) {
    return assertThrows(ReweaveException.class, () -> position(bytes)).getMessage();
  }

  private static void assertDamaged(String problem, ZipBytes zip) {
    assertEquals(problem + ": " + FILE + "; " + COPY, message(zip.bytes()));
  }

  private static void assertDamaged(String problem, String entry, ZipBytes zip) {
    assertEquals(problem + ": " + FILE + " entry " + entry + "; " + COPY, message(zip.bytes()));
  }

  private static void assertSplit(ZipBytes zip) {
    assertEquals(
        "the zip is one part of several: "
            + FILE
            + "; join the parts (zip -s 0), or save the file anew",
        message(zip.bytes()));
  }

  @ParameterizedTest
  @EnumSource
  void aSoundOneIsRead(Form form) throws IOException {
    ZipBytes zip = torch(form);
    assertEquals(zip.directory() - 8, position(zip.bytes()));
  }

  @ParameterizedTest
  @EnumSource
  void everyTruncationIsTold(Form form) {
    byte[] whole = torch(form).bytes();
    for (int length = 4; length < whole.length; length++) {
      assertEquals(
          "the file is truncated: a zip without its end: "
              + FILE
              + "; copy it again from its source; if it is as long there, the run died while"
              + " saving it",
          message(Arrays.copyOf(whole, length)));
    }
  }

  @Nested
  class Ends {
    @ParameterizedTest
    @EnumSource
    void trailingBytes(Form form) {
      assertDamaged("3 bytes follow the end of the zip", torch(form).append(new byte[3]));
    }

    @Test
    void twoEnds() {
      byte[] other = torch(Form.NARROW).bytes();
      byte[] end = Arrays.copyOfRange(other, other.length - 22, other.length);
      ZipBytes zip = torch(Form.NARROW);
      assertDamaged("the zip has two end records", zip.put2(zip.end() + 20, 22).append(end));
    }

    @ParameterizedTest
    @EnumSource
    void twoZipsBehindEachOther(Form form) {
      String problem =
          form == Form.NARROW
              ? "the zip directory is damaged: other bytes lie between it and the end of the zip"
              : "the Zip64 end record does not reach up to its locator";
      assertDamaged(problem, torch(form).append(torch(form).bytes()));
    }

    @Test
    void partsOfSplitArchives() {
      ZipBytes zip = torch(Form.TORCH);
      assertSplit(torch(Form.NARROW).put2(torch(Form.NARROW).end() + 4, 1));
      assertSplit(torch(Form.NARROW).put2(torch(Form.NARROW).end() + 6, 1));
      assertSplit(torch(Form.TORCH).put4(zip.locator() + 4, 1));
      assertSplit(torch(Form.TORCH).put4(zip.locator() + 16, 2));
      assertSplit(torch(Form.TORCH).put4(zip.end64() + 16, 1));
      assertSplit(torch(Form.TORCH).put4(zip.end64() + 20, 1));
      assertDamaged(
          "a zip entry lies in another part of a split zip",
          torch(Form.TORCH).put2(zip.centralHeader(STORAGE) + 34, 1));
    }

    @Test
    void countsThatLie() {
      ZipBytes zip = torch(Form.NARROW);
      String twice = "the end of the zip counts its entries twice, and differently";
      assertDamaged(twice, torch(Form.NARROW).put2(zip.end() + 8, 1));
      assertDamaged(
          "the zip directory has more than the entries that its end counts",
          torch(Form.NARROW).put2(zip.end() + 8, 1).put2(zip.end() + 10, 1));
      assertDamaged(
          "the zip directory lies outside the file",
          torch(Form.NARROW).put2(zip.end() + 8, 9).put2(zip.end() + 10, 9));
      ZipBytes wide = torch(Form.WIDE);
      assertDamaged(twice, torch(Form.WIDE).put8(wide.end64() + 24, 1));
      assertDamaged(
          "the zip directory lies outside the file",
          torch(Form.WIDE).put8(wide.end64() + 24, -1).put8(wide.end64() + 32, -1));
      assertDamaged(
          "the zip directory is damaged",
          torch(Form.WIDE).put8(wide.end64() + 24, 3).put8(wide.end64() + 32, 3));
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 40})
    void directoriesElsewhere(long value) {
      ZipBytes zip = torch(Form.WIDE);
      String outside = "the zip directory lies outside the file";
      assertDamaged(outside, torch(Form.WIDE).put8(zip.end64() + 40, value));
      assertDamaged(outside, torch(Form.WIDE).put8(zip.end64() + 48, value));
      assertDamaged(
          "the Zip64 end record lies outside the file",
          torch(Form.WIDE).put8(zip.locator() + 8, value));
      assertDamaged(
          "the Zip64 end record does not reach up to its locator",
          torch(Form.WIDE).put8(zip.end64() + 4, value));
    }

    @Test
    void directoriesNearby() {
      ZipBytes zip = torch(Form.NARROW);
      assertDamaged(
          "the zip directory is damaged: other bytes lie between it and the end of the zip",
          torch(Form.NARROW).put4(zip.end() + 16, zip.directory() - 1));
      assertDamaged(
          "the Zip64 end record is missing",
          torch(Form.WIDE).put8(torch(Form.WIDE).locator() + 8, 0));
    }

    @Test
    void theTwoEndsMustAgree() {
      ZipBytes zip = torch(Form.TORCH);
      String differ = "the two end records of the zip differ";
      assertDamaged(differ, torch(Form.TORCH).put4(zip.end() + 12, 46));
      assertDamaged(differ, torch(Form.TORCH).put4(zip.end() + 16, 0));
      assertDamaged(differ, torch(Form.TORCH).put2(zip.end() + 8, 1).put2(zip.end() + 10, 1));
    }
  }

  @Nested
  class Headers {
    private static final String DIFFER = "the zip directory and the entry's own header differ";

    @ParameterizedTest
    @CsvSource({"0", "6", "8", "14", "18", "22", "26", "30"})
    void differ(int at) {
      ZipBytes zip = torch(Form.TORCH);
      int field = zip.localHeader(STORAGE) + at;
      assertDamaged(DIFFER, STORAGE, zip.put2(field, 0x7e01));
    }

    @Test
    void theZip64FieldOfTheLocalOneDiffers() {
      ZipBytes zip = torch(Form.WIDE);
      assertDamaged(DIFFER, STORAGE, torch(Form.WIDE).put8(zip.localWide(STORAGE), 1L << 40));
      assertDamaged(DIFFER, STORAGE, torch(Form.WIDE).put8(zip.localWide(STORAGE) + 8, -1));
      // Sizes that stand in no field at all.
      assertDamaged(DIFFER, STORAGE, torch(Form.WIDE).put2(zip.localWide(STORAGE) - 4, 0x4246));
    }

    @Test
    void checksumAndSizesMayStandBehind() throws IOException {
      ZipBytes zip = torch(Form.NARROW);
      int local = zip.localHeader(STORAGE);
      zip.put2(zip.centralHeader(STORAGE) + 8, 8).put4(local + 14, 0).put8(local + 18, 0);
      assertEquals(zip.directory() - 8, position(zip.bytes()));
      assertDamaged(DIFFER, STORAGE, zip.put4(local + 18, 7));
    }

    @Test
    void extraFieldsRunIntoTheNextEntry() {
      ZipBytes zip = torch(Form.TORCH);
      assertDamaged(
          "the entry runs into what follows it",
          STORAGE,
          zip.put2(zip.localHeader(STORAGE) + 28, 1));
    }

    @Test
    void entriesOverlap() {
      ZipBytes zip = torch(Form.NARROW);
      int offset = zip.centralHeader(STORAGE) + 42;
      assertDamaged(
          "the zip entry 'model/data.pkl' overlaps 'model/data/0'",
          torch(Form.NARROW).put4(offset, zip.localHeader(PICKLE)));
      assertDamaged(
          "the zip entry 'model/data.pkl' overlaps 'model/data/0'",
          torch(Form.NARROW).put4(offset, zip.localHeader(STORAGE) - 1));
      assertDamaged(
          "the zip entry 'model/data/0' overlaps the directory",
          torch(Form.NARROW).put4(offset, zip.localHeader(STORAGE) + 1));
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 40})
    void entriesElsewhere(long value) {
      ZipBytes zip = torch(Form.WIDE);
      String outside = "a zip entry lies outside the file";
      assertDamaged(outside, torch(Form.WIDE).put8(zip.centralWide(STORAGE) + 8, value));
      assertDamaged(outside, torch(Form.WIDE).put8(zip.centralWide(STORAGE) + 16, value));
    }

    @Test
    void zip64FieldsAreCutOff() {
      ZipBytes zip = torch(Form.WIDE);
      assertDamaged(
          "a zip entry lacks its Zip64 sizes",
          torch(Form.WIDE).put2(zip.centralWide(STORAGE) - 2, 16));
      assertDamaged(
          "the zip directory is damaged", zip.put2(zip.centralHeader(STORAGE) + 30, 0xffff));
    }

    @Test
    void namesStandTwice() {
      List<Entry> twice =
          List.of(
              new Entry(PICKLE, pickle()),
              new Entry(STORAGE, new byte[8]),
              new Entry(STORAGE, new byte[8]));
      assertDamaged(
          "the zip directory has two entries 'model/data/0'", ZipBytes.of(Form.TORCH, twice));
    }

    @ParameterizedTest
    @CsvSource({
      "../../etc/passwd, ../../etc/passwd",
      "model/../../x, model/../../x",
      "model/.., model/..",
      "/etc/passwd, /etc/passwd",
      "model\\x, model\\x",
      "model/\0x, model/\\u0000x"
    })
    void namesLeadOut(String name, String shown) {
      List<Entry> entries = List.of(new Entry(PICKLE, pickle()), new Entry(name, new byte[0]));
      assertEquals(
          "the zip entry '"
              + shown
              + "' has a path that leads out of the zip: "
              + FILE
              + "; torch.save never writes such a file: copy it again from a source that you trust",
          message(ZipBytes.of(Form.TORCH, entries).bytes()));
    }

    @Test
    void namesWithDotsAreHarmless() throws IOException {
      ZipBytes zip = torch(Form.TORCH);
      byte[] bytes =
          zip.put(zip.localHeader(STORAGE) + 30, "mode..")
              .put(zip.centralHeader(STORAGE) + 46, "mode..")
              .bytes();
      assertTrue(TorchFile.read(new BytesAccess(bytes), 0).root().isDict());
    }
  }

  @Nested
  class Sizes {
    private long allocatedBy(byte[] bytes, String expected) {
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      assertEquals(expected, message(bytes)); // warm: classes are loaded
      long before = threads.getThreadAllocatedBytes(Thread.currentThread().getId());
      assertEquals(expected, message(bytes));
      return threads.getThreadAllocatedBytes(Thread.currentThread().getId()) - before;
    }

    @Test
    void aBombIsRefusedBeforeItIsUnpacked() {
      ZipBytes zip = torch(Form.WIDE);
      zip.put2(zip.centralHeader(PICKLE) + 10, 8).put2(zip.localHeader(PICKLE) + 8, 8);
      long size = 1_000_000L * zip.bytes().length;
      zip.put8(zip.centralWide(PICKLE), size).put8(zip.localWide(PICKLE), size);
      long allocated =
          allocatedBy(
              zip.bytes(),
              "a zip entry is compressed or encrypted, which torch.save never does: "
                  + FILE
                  + " entry model/data.pkl; unpack the file and pack it again without compression"
                  + " (zip -0), or save it anew");
      assertTrue(allocated < 1 << 20, allocated + " bytes allocated");
    }

    @Test
    void storedSizesThatDifferFromTheContents() {
      ZipBytes zip = torch(Form.NARROW);
      assertEquals(
          "a zip entry is compressed or encrypted, which torch.save never does: "
              + FILE
              + " entry model/data.pkl; unpack the file and pack it again without compression"
              + " (zip -0), or save it anew",
          message(zip.put4(zip.centralHeader(PICKLE) + 24, 1).bytes()));
    }

    @Test
    void thePickleIsLongerThanAllowed() {
      byte[] bytes = torch(Form.TORCH).bytes();
      int length = pickle().length;
      MetadataLimit limit = new MetadataLimit(length - 1);
      assertEquals(
          "the pickle has "
              + length
              + " bytes, and --max-metadata-bytes allows "
              + (length - 1)
              + ": "
              + FILE
              + " entry model/data.pkl; allow more with --max-metadata-bytes if you trust the file",
          assertThrows(
                  ReweaveException.class,
                  () -> TorchFile.read(new BytesAccess(bytes).limitedTo(limit), 0))
              .getMessage());
    }

    @Test
    void theDirectoryIsLongerThanAllowed() throws IOException {
      byte[] bytes = torch(Form.TORCH).bytes();
      int length = 2 * 46 + PICKLE.length() + STORAGE.length();
      assertTrue(
          TorchFile.read(
                  new BytesAccess(bytes)
                      .limitedTo(new MetadataLimit(Math.max(length, pickle().length))),
                  0)
              .root()
              .isDict());
      ReweaveException e =
          assertThrows(
              ReweaveException.class,
              () ->
                  TorchFile.read(
                      new BytesAccess(bytes).limitedTo(new MetadataLimit(length - 1)), 0));
      assertEquals(
          "the zip directory has "
              + length
              + " bytes, and --max-metadata-bytes allows "
              + (length - 1)
              + ": "
              + FILE
              + "; allow more with --max-metadata-bytes if you trust the file",
          e.getMessage());
    }
  }

  @Test
  void aStorageOfAnotherNameIsNotTaken() {
    ZipBytes zip = torch(Form.NARROW);
    zip.put(zip.localHeader(STORAGE) + 30, "xodel").put(zip.centralHeader(STORAGE) + 46, "xodel");
    assertEquals(
        "a storage is missing: " + FILE + " entry model/data.pkl storage 0; " + COPY,
        message(zip.bytes()));
  }
}
