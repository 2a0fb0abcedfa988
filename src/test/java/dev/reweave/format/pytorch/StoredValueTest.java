package dev.reweave.format.pytorch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.ZipBytes;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What was written is read as it was, and what was read is written as it was. */
class StoredValueTest {
  @TempDir Path folder;

  private static Arbitrary<PickledValue> plain() {
    return Arbitraries.oneOf(
        Arbitraries.just(PickledValue.none()),
        Arbitraries.of(true, false).map(PickledValue::truth),
        Arbitraries.longs().map(PickledValue::integer),
        Arbitraries.bigIntegers()
            .between(BigInteger.TWO.pow(63), BigInteger.TWO.pow(200))
            .map(PickledValue::integer),
        Arbitraries.doubles().map(PickledValue::real),
        text());
  }

  private static Arbitrary<PickledValue> text() {
    return Arbitraries.strings().ascii().ofMaxLength(8).map(PickledValue::text);
  }

  private static Arbitrary<PickledValue> nested(int depth) {
    Arbitrary<PickledValue> names =
        Combinators.combine(Arbitraries.of("m", "n.o"), Arbitraries.of("C", "D", "f"))
            .as(PickledValue::global);
    Arbitrary<PickledValue> bytes =
        Arbitraries.bytes().array(byte[].class).ofMaxSize(9).map(PickledValue::bytes);
    Arbitrary<PickledValue> leaves = Arbitraries.oneOf(plain(), names, bytes);
    if (depth == 0) {
      return leaves;
    }
    Arbitrary<PickledValue> items = Arbitraries.lazy(() -> nested(depth - 1));
    Arbitrary<List<PickledValue>> lists = items.list().ofMaxSize(5);
    Arbitrary<Map<PickledValue, PickledValue>> maps = Arbitraries.maps(text(), items).ofMaxSize(5);
    Arbitrary<PickledValue> made =
        Combinators.combine(names, lists, items, Arbitraries.of(true, false))
            .as(
                (type, arguments, state, isNew) ->
                    isNew
                        ? PickledValue.instance(type, arguments)
                            .withState(PickledValue.tuple(List.of(state)))
                        : PickledValue.call(type, arguments));
    return Arbitraries.oneOf(
        leaves,
        lists.map(PickledValue::list),
        lists.map(PickledValue::tuple),
        lists.map(PickledValue::set),
        lists.map(PickledValue::size),
        items.map(item -> PickledValue.list(List.of(item, item))),
        maps.map(PickledValue::dict),
        maps.map(PickledValue::ordered),
        made);
  }

  @Provide
  static Arbitrary<PickledValue> values() {
    return nested(3);
  }

  @Property(tries = 300)
  void whatIsWrittenIsReadAndWrittenAgainAsItWas(@ForAll("values") PickledValue value)
      throws IOException {
    byte[] written = StoredValue.of(value).file("v");
    TorchFile file = TorchFile.read(new BytesAccess(written), 0);

    assertArrayEquals(written, StoredValue.of(file, file.root()).file("v"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"protocol2.pt", "protocol4.pt", "protocol5.pt", "objects_protocol4.pt"})
  void whatPythonWroteIsTheSameWhenItIsWrittenAgain(String name) throws IOException {
    StoredValue first;
    try (OpenTorchFile file = OpenTorchFile.sample(name)) {
      first = file.stored(file.root());
      Path again = Files.write(folder.resolve("again.pt"), first.file("again"));
      try (OpenTorchFile copy = OpenTorchFile.open(again)) {
        assertTrue(first.isSameAs(copy.stored(copy.root())));
        assertSame(file, file.root(), copy, copy.root(), 0);
      }
    }
  }

  /** Compares what can be asked of two values. */
  private static void assertSame(
      OpenTorchFile file, TorchValue expected, OpenTorchFile copy, TorchValue found, int depth)
      throws IOException {
    assertEquals(expected.kind(), found.kind(), expected.path());
    if (depth > 20) {
      return;
    }
    if (expected.isTensor()) {
      assertArrayEquals(file.bytes(expected), copy.bytes(found), expected.path());
    } else if (expected.isDict()) {
      assertEquals(expected.entries().size(), found.entries().size(), expected.path());
      for (int i = 0; i < expected.entries().size(); i++) {
        assertEquals(expected.entries().get(i).getKey(), found.entries().get(i).getKey());
        TorchValue value = expected.entries().get(i).getValue();
        assertSame(file, value, copy, found.entries().get(i).getValue(), depth + 1);
      }
    } else if (expected.isSequence()) {
      assertEquals(expected.size(), found.size(), expected.path());
      for (int i = 0; i < expected.size(); i++) {
        assertSame(file, expected.items().get(i), copy, found.items().get(i), depth + 1);
      }
    } else if (expected.isText()) {
      assertEquals(expected.text(), found.text(), expected.path());
    } else if (expected.isReal()) {
      assertEquals(expected.real(), found.real(), expected.path());
    } else if (expected.isTruth()) {
      assertEquals(expected.truth(), found.truth(), expected.path());
    } else if (expected.state().isPresent()) {
      TorchValue state = expected.state().get();
      assertSame(file, state, copy, found.state().orElseThrow(), depth + 1);
    }
  }

  @Test
  void tensorsTakeStoragesInTheOrderInWhichTheyAreMet() throws IOException {
    PickledValue first = PickledValue.tensor(new TensorSpec("", DType.U8, Shape.of(3)));
    PickledValue second = PickledValue.tensor(new TensorSpec("", DType.BF16, Shape.of(1, 2)));
    StoredValue value =
        new StoredValue(
            PickledValue.list(List.of(first, second, first)),
            List.of(new byte[] {1, 2, 3}, new byte[] {4, 5, 6, 7}));

    try (OpenTorchFile file = open(value.file("v"))) {
      List<TorchValue> items = file.root().items();
      assertArrayEquals(new byte[] {1, 2, 3}, file.bytes(items.get(0)));
      assertArrayEquals(new byte[] {4, 5, 6, 7}, file.bytes(items.get(1)));
      assertEquals(items.get(0).identity(), items.get(2).identity());
    }
  }

  @Test
  void dictsKeepTheirClass() throws IOException {
    Map<PickledValue, PickledValue> entries = new LinkedHashMap<>();
    entries.put(PickledValue.text("a"), PickledValue.integer(1));
    byte[] plain = ValuePickle.of(PickledValue.dict(entries)).pickle();
    byte[] ordered = ValuePickle.of(PickledValue.ordered(entries)).pickle();

    assertFalse(java.util.Arrays.equals(plain, ordered));
    for (PickledValue value : List.of(PickledValue.dict(entries), PickledValue.ordered(entries))) {
      StoredValue stored = StoredValue.of(value);
      try (OpenTorchFile file = open(stored.file("v"))) {
        assertEquals(1, file.root().at("a").integer());
        assertTrue(stored.isSameAs(file.stored(file.root())));
      }
    }
  }

  @Test
  void whatHoldsItselfIsRefused() throws IOException {
    List<String> problems = new ArrayList<>();
    try (OpenTorchFile file = OpenTorchFile.sample("recursive.pt")) {
      problems.add(refused(file).problem());
    }
    assertEquals(List.of("a value that holds itself cannot be written"), problems);
  }

  @Test
  void whatIsMadeWithKeywordsIsRefused() throws IOException {
    byte[] pickle = new Pickle().op("\u0080\4cm\nC\n)}Va\nK\1s\u0092.").bytes();

    assertEquals(
        Optional.of(
            "it holds an object of m.C that cannot be written: it is made with more than is read"),
        Optional.of(refused(pickle).problem()));
    byte[] none = new Pickle().op("\u0080\4cm\nC\n)}\u0092.").bytes();
    try (OpenTorchFile file = withPickle(none)) {
      assertTrue(
          StoredValue.of(PickledValue.instance(PickledValue.global("m", "C"), List.of()))
              .isSameAs(file.stored(file.root())));
    }
  }

  @Test
  void storagesWithoutATensorAreRefused() throws IOException {
    byte[] pickle = new Pickle().op("(Vstorage\nctorch\nFloatStorage\nV0\nVcpu\nK\1tQ.").bytes();

    assertEquals(
        "it holds a storage without a tensor, which cannot be written", refused(pickle).problem());
  }

  @Test
  void whatLiesDeepIsRefused() throws IOException {
    byte[] pickle = new Pickle().repeat("]", 300).repeat("a", 299).op(".").bytes();

    assertEquals(
        "values in each other, more than 200 deep, cannot be written", refused(pickle).problem());
  }

  @Test
  void namesThatPythonWouldNotWriteAreRefused() {
    PickledValue name = PickledValue.global("m", "Größe");

    ReweaveException e = assertThrows(ReweaveException.class, () -> ValuePickle.of(name));
    assertEquals("a class or function has a name that torch.save does not write", e.problem());
  }

  private ReweaveException refused(byte[] pickle) throws IOException {
    try (OpenTorchFile file = withPickle(pickle)) {
      return refused(file);
    }
  }

  private static ReweaveException refused(OpenTorchFile file) throws IOException {
    TorchValue root = file.root();
    return assertThrows(ReweaveException.class, () -> file.stored(root));
  }

  private OpenTorchFile open(byte[] content) throws IOException {
    return OpenTorchFile.open(Files.write(folder.resolve("value.pt"), content));
  }

  /** A file of a pickle that is written by hand, and of one storage. */
  private OpenTorchFile withPickle(byte[] pickle) throws IOException {
    return open(ZipBytes.torch(ZipBytes.Form.TORCH, pickle, new byte[4]).bytes());
  }
}
