package dev.reweave.format.safetensors;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.format.safetensors.SafetensorsHeader.Entry;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class SafetensorsHeaderTest {
  private static final Map<String, String> PT = Map.of("format", "pt");

  @Test
  void laysOutAllTypesAsTheReference() throws IOException {
    assertLaidOut("dtypes.safetensors", Samples.ofAllTypes(), PT);
  }

  @Test
  void ordersAndEscapesNamesAsTheReference() throws IOException {
    assertLaidOut("names.safetensors", Samples.named(), Map.of("clé 😀", "a \"b\"\n\1\177"));
  }

  @Test
  void laysOutWithoutMetadataAsTheReference() throws IOException {
    assertLaidOut("bare.safetensors", List.of(floats("a", 2)), Map.of());
  }

  @Test
  void laysOutNoTensorsAsTheReference() throws IOException {
    assertLaidOut("none.safetensors", List.of(), Map.of());
  }

  private static void assertLaidOut(
      String file, List<TensorSpec> tensors, Map<String, String> metadata) throws IOException {
    byte[] bytes = Samples.bytes(file);
    SafetensorsHeader header = SafetensorsHeader.layOut(Samples.shuffled(tensors), metadata);

    assertEquals(json(Arrays.copyOf(bytes, (int) header.dataStart())), json(header.bytes()));
    assertArrayEquals(Arrays.copyOf(bytes, header.bytes().length), header.bytes());
    assertEquals(bytes.length, header.fileLength());

    SafetensorsHeader read = SafetensorsHeader.read(new BytesAccess(bytes));
    assertEquals(header.entries(), read.entries());
    assertEquals(metadata, read.metadata());
    assertArrayEquals(header.bytes(), read.bytes());
  }

  @TestFactory
  Stream<DynamicTest> readsAndLaysOutWhatTrainingRunsExpect() throws Exception {
    Path fixtures = Path.of(SafetensorsHeaderTest.class.getResource("/fixtures").toURI());
    List<Path> files;
    try (Stream<Path> walk = Files.walk(fixtures)) {
      files = walk.filter(p -> p.toString().endsWith(".safetensors")).sorted().toList();
    }
    assertTrue(files.size() >= 40, "fixtures are there");
    return files.stream()
        .map(
            file ->
                DynamicTest.dynamicTest(
                    fixtures.relativize(file).toString(), () -> assertSameAfterReading(file)));
  }

  private static void assertSameAfterReading(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    SafetensorsHeader read = SafetensorsHeader.read(new BytesAccess(bytes));

    assertEquals(bytes.length, read.fileLength());
    assertArrayEquals(Arrays.copyOf(bytes, (int) read.dataStart()), read.bytes());
    assertTrue(read.metadata().size() <= 1, "one order of the metadata alone");
    List<TensorSpec> specs = read.entries().stream().map(Entry::spec).toList();
    SafetensorsHeader again = SafetensorsHeader.layOut(Samples.shuffled(specs), read.metadata());
    assertArrayEquals(read.bytes(), again.bytes());
    assertEquals(read.entries(), again.entries());
  }

  @Test
  void putsFormatFirstThenOtherMetadataInCodePointOrder() {
    SafetensorsHeader header =
        SafetensorsHeader.layOut(
            List.of(), Map.of("😀", "3", "\uffff", "2", "format", "pt", "a", "1"));
    assertEquals(
        "{\"__metadata__\":{\"format\":\"pt\",\"a\":\"1\",\"\uffff\":\"2\",\"😀\":\"3\"}}",
        json(header.bytes()).strip());
    assertEquals(List.of("format", "a", "\uffff", "😀"), List.copyOf(header.metadata().keySet()));
  }

  /** The reference reads a header with {@code "__metadata__":null}, as of no metadata. */
  @Test
  void takesNullForNoMetadata() throws IOException {
    byte[] bytes = Files.readAllBytes(Path.of("src/test/resources/metadata/null.safetensors"));

    SafetensorsHeader header = SafetensorsHeader.read(new BytesAccess(bytes));

    assertEquals(Map.of(), header.metadata());
    assertEquals(List.of(new Entry(floats("t", 2), 0, 8)), header.entries());
  }

  @Test
  void givesPositionsInTheFile() {
    SafetensorsHeader header =
        SafetensorsHeader.layOut(List.of(floats("b", 3), floats("a", 2)), Map.of());
    Entry b = header.entries().get(1);
    assertEquals(new Entry(floats("b", 3), 8, 20), b);
    assertEquals(header.bytes().length + 8, header.position(b));
    assertEquals(0, header.dataStart() % 8);
    assertEquals(header.dataStart() + 20, header.fileLength());
  }

  @Test
  void ordersCodePointsAsUtf8Bytes() {
    Comparator<String> utf8 =
        (a, b) -> Arrays.compareUnsigned(a.getBytes(UTF_8), b.getBytes(UTF_8));
    for (String a : Samples.NAMES) {
      for (String b : Samples.NAMES) {
        assertEquals(
            Integer.signum(utf8.compare(a, b)),
            Integer.signum(CodePointOrder.INSTANCE.compare(a, b)),
            a + " and " + b);
      }
    }
  }

  @Test
  void goesWithATask() throws Exception {
    SafetensorsHeader header = SafetensorsHeader.layOut(Samples.ofAllTypes(), PT);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(header);
    }
    try (ObjectInputStream in =
        new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      SafetensorsHeader copy = (SafetensorsHeader) in.readObject();
      assertArrayEquals(header.bytes(), copy.bytes());
      assertEquals(header.entries(), copy.entries());
      assertEquals(header.metadata(), copy.metadata());
    }
  }

  @Test
  void refusesNamesThatCannotBeWritten() {
    assertRefused(
        "name means metadata in a safetensors file: tensor '__metadata__';"
            + " rename or drop the tensor with a mapping",
        floats("__metadata__", 1));
    assertRefused(
        "name has half a surrogate pair, which UTF-8 cannot write: tensor 'a\\ud83d';"
            + " rename or drop the tensor with a mapping",
        floats("a\ud83d", 1));
  }

  @Test
  void refusesAHeaderThatNoReaderAccepts() {
    // Two names of which either fits.
    assertRefused(
        "header of 120000112 bytes is longer than the 100000000 that readers accept:"
            + " shard of 2 tensors; choose a smaller shard size",
        floats("a".repeat(60_000_000), 1),
        floats("b".repeat(60_000_000), 1));
  }

  private static void assertRefused(String message, TensorSpec... tensors) {
    ReweaveException e =
        assertThrows(
            ReweaveException.class, () -> SafetensorsHeader.layOut(List.of(tensors), Map.of()));
    assertEquals(message, e.getMessage());
  }

  @Test
  void refusesMisuse() {
    assertThrows(
        IllegalArgumentException.class,
        () -> SafetensorsHeader.layOut(List.of(floats("a", 1), floats("a", 1)), Map.of()));
    assertThrows(
        IllegalArgumentException.class,
        () -> SafetensorsHeader.layOut(List.of(), Map.of("a", "\udc00")));
    assertThrows(IllegalArgumentException.class, () -> new Entry(floats("a", 1), 0, 5));
    TensorSpec huge = new TensorSpec("a", DType.U8, Shape.of(Long.MAX_VALUE));
    assertThrows(
        IllegalArgumentException.class,
        () -> SafetensorsHeader.layOut(List.of(huge, floats("b", 1)), Map.of()));
  }

  private static TensorSpec floats(String name, long elements) {
    return new TensorSpec(name, DType.F32, Shape.of(elements));
  }

  private static String json(byte[] header) {
    return new String(header, 8, header.length - 8, UTF_8);
  }
}
