package dev.reweave.format.pytorch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.StorageRef;
import dev.reweave.tensor.TensorSpec;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TorchFileLayoutTest {
  private static final Map<String, String> TIES = Map.of("tied", "float32", "tied too", "uint16");

  @TempDir Path folder;

  /** Every type, a scalar, no elements, more dimensions than three. */
  private static List<TensorSpec> tensors() {
    List<TensorSpec> tensors = new ArrayList<>();
    for (DType dtype : DType.values()) {
      if (!dtype.isPacked()) {
        tensors.add(new TensorSpec(dtype.torchName(), dtype, Shape.of(2, 3)));
      }
    }
    tensors.add(new TensorSpec("scalar", DType.F32, Shape.SCALAR));
    tensors.add(new TensorSpec("empty", DType.BF16, Shape.of(0, 4)));
    tensors.add(new TensorSpec("wide", DType.I8, Shape.of(1, 2, 1, 300)));
    return tensors;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 13, 64, 4096, 1 << 20})
  void filesPutTogetherOfRangesAreRead(int step) throws IOException {
    PlannedFile planned = PlannedFile.of(tensors(), TIES);
    Path path = Files.write(folder.resolve("model.bin"), planned.bytes(step));
    assertEquals(planned.layout().length(), Files.size(path));
    try (OpenTorchFile file = OpenTorchFile.open(path)) {
      List<String> names = new ArrayList<>(tensors().stream().map(TensorSpec::name).toList());
      names.addAll(List.of("tied", "tied too"));
      assertEquals(names, names(file.root()));
      for (int t = 0; t < tensors().size(); t++) {
        TensorSpec spec = tensors().get(t);
        TorchValue value = file.root().at(spec.name());
        assertEquals(spec.dtype(), value.tensor().dtype(), spec.name());
        assertEquals(spec.shape(), value.tensor().shape(), spec.name());
        assertTrue(file.layout(value).isContiguous(), spec.name());
        assertArrayEquals(planned.storage(t), file.bytes(value), spec.name());
        StorageRef storage = file.layout(value).storage();
        assertEquals("data/" + t, storage.name());
        assertEquals(StorageRef.Endian.LITTLE, storage.order());
        assertEquals(planned.layout().slot(t).position(), storage.position(), spec.name());
        assertEquals(0, storage.position() % 64, spec.name());
        assertEquals(Integer.toUnsignedLong(planned.crc(t)), storage.crc32(), spec.name());
      }
    }
  }

  @Test
  void tiedTensorsShareStorages() throws IOException {
    Path path = Files.write(folder.resolve("model.bin"), PlannedFile.of(tensors(), TIES).bytes(99));
    try (OpenTorchFile file = OpenTorchFile.open(path)) {
      TorchValue root = file.root();
      TIES.forEach((name, of) -> assertEquals(root.at(of).tensor(), root.at(name).tensor()));
    }
  }

  @Test
  void otherReadersFindTheEntriesOfTorch() throws IOException {
    PlannedFile planned = PlannedFile.of(tensors().subList(0, 2), Map.of());
    Path path = Files.write(folder.resolve("model.bin"), planned.bytes(4096));
    try (ZipFile zip = new ZipFile(path.toFile())) {
      assertEquals(
          List.of(
              "model/data.pkl",
              "model/.format_version",
              "model/.storage_alignment",
              "model/byteorder",
              "model/data/0",
              "model/data/1",
              "model/version",
              "model/.data/serialization_id"),
          zip.stream().map(ZipEntry::getName).toList());
      for (ZipEntry entry : Collections.list(zip.entries())) {
        CRC32 crc = new CRC32();
        crc.update(content(zip, entry.getName()));
        assertEquals(crc.getValue(), entry.getCrc(), entry.getName());
      }
      assertArrayEquals(planned.storage(1), content(zip, "model/data/1"));
      assertEquals("little", text(zip, "model/byteorder"));
      assertEquals("3\n", text(zip, "model/version"));
      assertEquals("1", text(zip, "model/.format_version"));
      assertEquals("64", text(zip, "model/.storage_alignment"));
      assertTrue(text(zip, "model/.data/serialization_id").matches("[0-9]{40}"));
    }
  }

  @Test
  void allLiesWhereTorchPutsIt() throws IOException {
    Path torchs = FileAccess.resource("torch/state_dict.pt");
    TorchFileLayout layout = TorchFileLayout.of("state_dict", tensors(), TIES);
    assertEquals(Files.size(torchs), layout.length());
    try (FileAccess access = FileAccess.open(torchs)) {
      BufferedFile file = BufferedFile.open(access);
      BufferedFile ours = BufferedFile.open(new PlannedAccess(layout));
      ZipDirectory directory = ZipDirectory.read(file).orElseThrow();
      ZipDirectory planned = ZipDirectory.read(ours).orElseThrow();
      assertEquals(directory.start(), planned.start());
      List<String> names = names(directory);
      assertEquals(names, names(planned));
      for (String name : names) {
        ZipEntryFacts expected = ZipEntryFacts.of(directory, name);
        assertEquals(expected, ZipEntryFacts.of(planned, name));
        long position =
            new ZipArchive(file, directory).position(directory.find(name).orElseThrow());
        assertEquals(
            position,
            new ZipArchive(ours, planned).position(planned.find(name).orElseThrow()),
            name);
      }
      ZipArchive archive = new ZipArchive(file, directory);
      ZipArchive plannedArchive = new ZipArchive(ours, planned);
      assertArrayEquals(
          archive.read(archive.find("data.pkl").orElseThrow()),
          plannedArchive.read(plannedArchive.find("data.pkl").orElseThrow()));
    }
  }

  private static List<String> names(ZipDirectory directory) {
    return directory.entries().stream().map(dev.reweave.format.pytorch.ZipEntry::name).toList();
  }

  /** What torch's and a planned entry have in common. */
  private record ZipEntryFacts(int flags, int method, long stored, long bytes, long header) {
    static ZipEntryFacts of(ZipDirectory directory, String name) {
      dev.reweave.format.pytorch.ZipEntry entry = directory.find(name).orElseThrow();
      return new ZipEntryFacts(
          entry.flags(), entry.method(), entry.stored(), entry.bytes(), entry.header());
    }
  }

  /**
   * Of pickles in files that torch 2.13 wrote of {@code OrderedDict}s {@code t0}, {@code t1}, ….
   */
  @ParameterizedTest
  @CsvSource({
    "0, f415ed8a5f5414778834b70e68576b4cb1004836b3d1c11c0081e680872fd89e",
    "1, ec342cce2b8776037f395c0c9b9c4d5f78e93bc07a19d7304cae17823773ba99",
    "1000, 77c5a131e8f95c268128c4785841f2b49be7b99653769aa496d990227435af74",
    "1001, c0bed10fc5e62c79342b64182d8f15bf8d09087bee72880b2c0cee218d136073",
    "1002, 2480f34c532b7f01a4046e1db8bc9b11a10bf3a0feb5a584701ff3b956e986f2",
    "2001, 93aac54ecd26dc19f01f890d0b401dabe78ba3524fdb5d0f9f2664a9fc66e80f"
  })
  void picklesAreThoseOfTorch(int count, String sha256) throws Exception {
    byte[] pickle = StateDictPickle.of(numbered(count), Collections.emptySortedMap());
    assertEquals(sha256, sha256(pickle));
  }

  /**
   * The constant is that of a file of this writer which torch 2.13, Python and unzip took as sound.
   */
  @Test
  void filesAreByteStable() throws Exception {
    List<TensorSpec> tensors = tensors();
    Map<String, String> sameTies = new HashMap<>();
    sameTies.put("tied too", "uint16");
    sameTies.put("tied", "float32");
    byte[] bytes = PlannedFile.of(tensors, TIES).bytes(1000);
    assertArrayEquals(bytes, PlannedFile.of(tensors, sameTies).bytes(77));
    assertEquals("af320113cf0b586a596cbeda270b93fee72c1157d451338f09661fb6b314fe44", sha256(bytes));
  }

  @Test
  void readsNamesOfEveryKind() throws IOException {
    List<String> names =
        List.of(
            "it's \"quoted\"",
            "a/b\\c",
            "two\nlines\ttab\0nul",
            "Größe €😀",
            "",
            "0",
            "cpu",
            "storage",
            "x".repeat(70_000));
    List<TensorSpec> tensors =
        names.stream().map(name -> new TensorSpec(name, DType.I16, Shape.of(3))).toList();
    PlannedFile planned = PlannedFile.of(tensors, Map.of("😀", ""));
    Path path = Files.write(folder.resolve("model.bin"), planned.bytes(4096));
    try (OpenTorchFile file = OpenTorchFile.open(path)) {
      List<String> expected = new ArrayList<>(names);
      expected.add("😀");
      assertEquals(expected, names(file.root()));
      for (int t = 0; t < names.size(); t++) {
        assertArrayEquals(planned.storage(t), file.bytes(file.root().at(names.get(t))));
      }
    }
  }

  @Test
  void piecesCoverTheFileWithoutGaps() {
    TorchFileLayout layout = TorchFileLayout.of("model", tensors(), TIES);
    List<TorchFilePiece> pieces = layout.pieces(0, layout.length());
    long at = 0;
    int slots = 0;
    for (TorchFilePiece piece : pieces) {
      assertEquals(at, piece.position());
      at += piece.length();
      if (piece instanceof TorchFilePiece.Literal literal) {
        assertEquals(literal.length(), literal.bytes().length);
      } else if (piece instanceof TorchFilePiece.Slot slot) {
        slots++;
        assertEquals(tensors().get(slot.tensor()).bytes(), slot.length());
      }
    }
    assertEquals(layout.length(), at);
    assertEquals(tensors().size() - 1, slots, "the empty tensor has no bytes");
    assertEquals(layout.tail(), pieces.get(pieces.size() - 1));
    assertEquals(layout.tail().length(), layout.tail().bytes(new int[tensors().size()]).length);
    assertTrue(layout.pieces(5, 5).isEmpty());
    TorchFilePiece.Slot slot = layout.slot(3);
    assertEquals(List.of(slot), layout.pieces(slot.position(), slot.position() + slot.length()));
    assertEquals(2, layout.pieces(slot.position() - 1, slot.position() + 1).size());
    assertThrows(IndexOutOfBoundsException.class, () -> layout.pieces(0, layout.length() + 1));
  }

  /** Positions are those that torch 2.13 gave the storages of the same tensors. */
  @Test
  void hugeStoragesHaveZip64Lengths() throws IOException {
    long gib = 1L << 30;
    List<TensorSpec> tensors =
        List.of(
            new TensorSpec("small", DType.F32, Shape.of(7)),
            new TensorSpec("big", DType.U8, Shape.of(5 * gib)),
            new TensorSpec("after", DType.BF16, Shape.of(3, 3)),
            new TensorSpec("empty", DType.F32, Shape.of(0)),
            new TensorSpec("last", DType.U8, Shape.of(6 * gib)));
    TorchFileLayout layout = TorchFileLayout.of("model", tensors, Map.of());
    List<Long> torchs = List.of(1024L, 1152L, 5368710400L, 5368710528L, 5368710656L);
    assertEquals(torchs, positions(layout));
    assertEquals(11811162795L, layout.length());
    assertEquals(torchs, positionsRead(layout));
  }

  @Test
  void lengthsAtTheLimitAreRead() throws IOException {
    long limit = (1L << 32) - 1;
    List<TensorSpec> tensors = new ArrayList<>();
    for (long bytes = limit - 2; bytes <= limit + 1; bytes++) {
      tensors.add(new TensorSpec("t" + bytes, DType.U8, Shape.of(bytes)));
    }
    TorchFileLayout layout = TorchFileLayout.of("model", tensors, Map.of());
    assertEquals(positions(layout), positionsRead(layout));
  }

  @Test
  void manyEntriesAreCountedInZip64() throws IOException {
    int count = 100_000;
    TorchFileLayout layout = TorchFileLayout.of("model", numbered(count), Map.of());
    // The reader would read each storage's header for itself: the last tells as much as all.
    TorchFile file = TorchFile.read(new PlannedAccess(layout), 0);
    assertEquals(count, file.root().entries().size());
    TorchTensor last = file.root().at("t99999").tensor();
    assertEquals(layout.slot(count - 1).position(), file.layout(last).storage().position());
    ZipDirectory directory =
        ZipDirectory.read(BufferedFile.open(new PlannedAccess(layout))).orElseThrow();
    assertEquals(count + 6, directory.entries().size());
    assertEquals(layout.tail().position(), directory.start());
  }

  @Test
  void layoutsAndTailsTravel() throws Exception {
    TorchFileLayout layout = TorchFileLayout.of("model", tensors(), TIES);
    int[] crcs = IntStream.range(0, layout.storages()).toArray();
    assertArrayEquals(layout.tail().bytes(crcs), copy(layout.tail()).bytes(crcs));
    assertEquals(layout.length(), copy(layout).length());
    assertArrayEquals(layout.literal(0), copy(layout).literal(0));
  }

  @Test
  void refusesNamesThatUtf8CannotWrite() {
    TensorSpec half = new TensorSpec("half\ud83d", DType.F32, Shape.of(1));
    ReweaveException e =
        assertThrows(
            ReweaveException.class, () -> TorchFileLayout.of("model", List.of(half), Map.of()));
    assertTrue(e.getMessage().startsWith("name has half a surrogate pair"), e.getMessage());
    assertTrue(e.getMessage().endsWith("rename or drop the tensor with a mapping"));
  }

  @Test
  void refusesWhatCannotBeAFile() {
    List<TensorSpec> one = numbered(1);
    List<TensorSpec> two = List.of(one.get(0), one.get(0));
    List<TensorSpec> huge =
        List.of(
            new TensorSpec("a", DType.U8, Shape.of(Long.MAX_VALUE)),
            new TensorSpec("b", DType.U8, Shape.of(Long.MAX_VALUE)));
    assertRefused("two tensors of the name t0", "model", two, Map.of());
    assertRefused("two tensors of the name t0", "model", one, Map.of("t0", "t0"));
    assertRefused("a is tied to b, which is not here", "model", one, Map.of("a", "b"));
    assertRefused("total size overflows", "model", huge, Map.of());
    assertRefused("no name of an archive: ''", "", one, Map.of());
    assertRefused("no name of an archive: 'a/b'", "a/b", one, Map.of());
    TorchFileTail tail = TorchFileLayout.of("model", one, Map.of()).tail();
    assertThrows(IllegalArgumentException.class, () -> tail.bytes(new int[2]));
  }

  private static void assertRefused(
      String message, String archive, List<TensorSpec> tensors, Map<String, String> ties) {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> TorchFileLayout.of(archive, tensors, ties));
    assertEquals(message, e.getMessage());
  }

  private static List<TensorSpec> numbered(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> new TensorSpec("t" + i, DType.F32, Shape.of(1)))
        .toList();
  }

  private static List<Long> positions(TorchFileLayout layout) {
    return IntStream.range(0, layout.storages()).mapToObj(i -> layout.slot(i).position()).toList();
  }

  /** The same as the reader finds them. */
  private static List<Long> positionsRead(TorchFileLayout layout) throws IOException {
    TorchFile file = TorchFile.read(new PlannedAccess(layout), 0);
    List<Long> positions = new ArrayList<>();
    for (Map.Entry<String, TorchValue> entry : file.root().entries()) {
      positions.add(file.layout(entry.getValue().tensor()).storage().position());
    }
    return positions;
  }

  private static List<String> names(TorchValue dict) {
    return dict.entries().stream().map(Map.Entry::getKey).toList();
  }

  private static byte[] content(ZipFile zip, String name) throws IOException {
    try (InputStream in = zip.getInputStream(zip.getEntry(name))) {
      return in.readAllBytes();
    }
  }

  private static String text(ZipFile zip, String name) throws IOException {
    return new String(content(zip, name), StandardCharsets.US_ASCII);
  }

  private static String sha256(byte[] bytes) throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }

  @SuppressWarnings("unchecked")
  private static <T> T copy(T value) throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(value);
    }
    try (ObjectInputStream in =
        new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      return (T) in.readObject();
    }
  }
}
