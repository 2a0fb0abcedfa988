package dev.reweave.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Elements that are made of the same elements of several ranks. */
class CopiesTest {
  private static byte[] floats(float... values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      bytes.putFloat(value);
    }
    return bytes.array();
  }

  private static byte[] shorts(int... bits) {
    ByteBuffer bytes =
        ByteBuffer.allocate(bits.length * Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int value : bits) {
      bytes.putShort((short) value);
    }
    return bytes.array();
  }

  private static List<Integer> bits(byte[] bytes, int size) {
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    List<Integer> bits = new ArrayList<>();
    while (buffer.hasRemaining()) {
      bits.add(size == 2 ? buffer.getShort() & 0xffff : buffer.getInt());
    }
    return bits;
  }

  @Test
  void meansAreSummedFromTheFirstOnAsPythonDoes() {
    byte[] first = floats(1e8f, -0f, 1, Float.MAX_VALUE, 9);
    byte[] others = floats(1, -0f, 2, Float.MAX_VALUE, 8, -1e8f, -0f, 4, 0, 7);

    new RankCopies(DType.F32, first, 0, others, 0, 5, 3).average();

    assertEquals(
        bits(floats((1e8f + 1 - 1e8f) / 3, 0f, 7f / 3, Float.POSITIVE_INFINITY, 8), 4),
        bits(first, 4));
  }

  /** BF16: the mean of 1 and 1 + 2^-7 is halfway, and goes to the even one. */
  @Test
  void narrowElementsAreRoundedOnce() {
    byte[] bf16 = shorts(0x3f80, 0x3f81);
    new RankCopies(DType.BF16, bf16, 0, shorts(0x3f81, 0x3f82), 0, 2, 2).average();
    assertEquals(List.of(0x3f80, 0x3f82), bits(bf16, 2));

    // 65504 + 65504 is infinite as a half, and not as a float.
    byte[] half = shorts(0x7bff, 0x3c00);
    new RankCopies(DType.F16, half, 0, shorts(0x7bff, 0x4200), 0, 2, 2).average();
    assertEquals(List.of(0x7bff, 0x4000), bits(half, 2));
  }

  @Test
  void doublesAreSummedAsDoubles() {
    byte[] first = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putDouble(0.1).array();
    byte[] other = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putDouble(0.2).array();

    new RankCopies(DType.F64, first, 0, other, 0, 1, 2).average();

    assertEquals(
        (0.1 + 0.2) / 2, ByteBuffer.wrap(first).order(ByteOrder.LITTLE_ENDIAN).getDouble());
  }

  /** An element that differs in two copies counts once. */
  @Test
  void differencesAreCountedByElement() {
    byte[] first = floats(1, 2, 3, 0f);
    byte[] others = floats(1, 5, 3, -0f, 1, 6, 4, 0f);

    assertEquals(3, new RankCopies(DType.F32, first, 0, others, 0, 4, 3).differences());
    assertEquals(0, new RankCopies(DType.F32, first, 0, first, 0, 4, 2).differences());
    assertEquals(0, new RankCopies(DType.F32, first, 0, new byte[0], 0, 4, 1).differences());
  }

  @Test
  void rangesAreChecked() {
    assertThrows(
        IndexOutOfBoundsException.class,
        () -> new RankCopies(DType.F32, new byte[8], 0, new byte[8], 0, 2, 3));
  }

  private static NamedTensor tensor(int file, DType type, long... dims) {
    Shape shape = Shape.of(dims);
    StorageRef storage =
        new StorageRef(
            file, "data/0", 0, type, shape.elements(), StorageRef.Endian.LITTLE, StorageRef.NO_CRC);
    return new NamedTensor(
        new TensorSpec("t", type, shape), StoredLayout.contiguous(storage, 0, shape));
  }

  private static NamedTensor averaged() {
    return new Slicing.Copied(CombinedLayout.Kind.AVERAGED)
        .whole(List.of(tensor(0, DType.F32, 4, 3), tensor(1, DType.F32, 4, 3)));
  }

  private static List<String> combined(Layout layout) {
    List<String> found = new ArrayList<>();
    layout.runs(
        0,
        layout.elements(),
        new RunConsumer() {
          @Override
          public void run(StorageRef storage, long offset, long elements) {
            found.add("run " + offset + "+" + elements);
          }

          @Override
          public void combined(CombinedLayout.Kind kind, List<Layout> copies, long from, long to) {
            found.add(kind + " of " + copies.size() + ": " + from + "-" + to);
          }
        });
    return found;
  }

  @Test
  void partsAndWholesOfCombinedTensors() {
    NamedTensor part = averaged().narrowed("p", 1, 1, 2);
    NamedTensor whole = NamedTensor.joined("w", 0, List.of(part, tensor(2, DType.F32, 1, 2)));

    assertEquals(
        List.of(
            "AVERAGED of 2: 1-3",
            "AVERAGED of 2: 4-6",
            "AVERAGED of 2: 7-9",
            "AVERAGED of 2: 10-12",
            "run 0+2"),
        combined(whole.layout()));
    assertEquals(2, whole.layout().width());
    assertEquals(18, whole.layout().storedElements());
  }

  /** Who only asks where elements lie is told of every copy. */
  @Test
  void runsOfAllCopies() {
    List<String> runs = new ArrayList<>();
    RunConsumer consumer =
        (storage, offset, n) -> runs.add(storage.file() + ": " + offset + "+" + n);

    averaged().layout().runs(2, 5, consumer);
    averaged().layout().runsIn(1, consumer);
    averaged().layout().runsIn(2, consumer);

    assertEquals(List.of("0: 2+3", "1: 2+3", "1: 0+12"), runs);
  }

  @Test
  void whatCannotBeCombined() {
    Layout floats = tensor(0, DType.F32, 4).layout();
    Layout integers = tensor(0, DType.I64, 4).layout();
    refuses("no copies", CombinedLayout.Kind.AVERAGED, List.of());
    refuses("copies of different types", CombinedLayout.Kind.AVERAGED, List.of(floats, integers));
    refuses("no mean of I64", CombinedLayout.Kind.AVERAGED, List.of(integers, integers));
    refuses(
        "copies that are made of copies",
        CombinedLayout.Kind.REPLICATED,
        List.of(new CombinedLayout(CombinedLayout.Kind.AVERAGED, List.of(floats, floats))));
  }

  private static void refuses(String problem, CombinedLayout.Kind kind, List<Layout> parts) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> new CombinedLayout(kind, parts));
    assertEquals(problem, e.getMessage().substring(0, problem.length()));
  }
}
