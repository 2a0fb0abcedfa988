package dev.reweave.format.pytorch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class UnpicklerTest {

  private static Object load(Pickle pickle) {
    return load(pickle, new PickleBudget("test"));
  }

  private static Object load(Pickle pickle, PickleBudget budget) {
    PickleInput input = PickleInput.of(pickle.bytes(), "test");
    try {
      return new Unpickler(input, new TorchGlobals(budget), budget).load();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Pickle pickle(String latin1) {
    return new Pickle().op(latin1);
  }

  static Stream<Arguments> hostile() {
    String long2GiB = "\u008b";
    return Stream.of(
        Arguments.of(pickle("\u008d").u8(1L << 40).op("x."), "states a length"),
        Arguments.of(pickle("\u008d").u8(-1).op("x."), "states a length"),
        Arguments.of(pickle("X").u4(0xffffffffL).op("x."), "states a length"),
        Arguments.of(pickle("B").u4(0x7fffffff).op("x."), "states a length"),
        Arguments.of(pickle("\u0096").u8(Long.MAX_VALUE).op("x."), "states a length"),
        Arguments.of(pickle(long2GiB).u4(0x7fffffff).op("x."), "states a length"),
        Arguments.of(pickle(long2GiB).u4(-1).op("x."), "states a length"),
        Arguments.of(pickle("\u0095").u8(1L << 50).op("N."), "states a length"),
        Arguments.of(pickle("Nr").u4(0x7ffffff0).op("."), "far index"),
        Arguments.of(pickle("Nr").u4(0xffffffffL).op("."), "far index"),
        Arguments.of(pickle("j").u4(0xffffffffL).op("."), "nothing at index"),
        Arguments.of(pickle("g99999999999999\n."), "nothing at index"),
        Arguments.of(pickle("g-1\n."), "malformed memo index"),
        Arguments.of(pickle("h\5."), "nothing at index"),
        Arguments.of(pickle("\u00ff."), "unknown opcode 0xff"),
        Arguments.of(pickle("."), "empty stack"),
        Arguments.of(pickle("N(\u0085."), "empty stack"),
        Arguments.of(pickle("Nt."), "lacks a mark"),
        Arguments.of(pickle("\u0080\2}q\0(X"), "cut off"),
        Arguments.of(pickle("N"), "cut off"),
        Arguments.of(pickle("\u0080\6N."), "protocol 6"),
        Arguments.of(pickle("\u0082\1."), "extension registry"),
        Arguments.of(pickle("\u0097."), "out-of-band"),
        Arguments.of(pickle("P0\n."), "persistent ids of text"),
        Arguments.of(pickle("}(Nu."), "without a value"),
        Arguments.of(pickle("N(NNu."), "something but a dict"),
        Arguments.of(pickle(")Na."), "something but a list"),
        Arguments.of(pickle("cos\nsystem\nNR."), "something but a tuple"),
        Arguments.of(pickle("NN\u0093."), "something but text"),
        Arguments.of(pickle("(o."), "no class"),
        Arguments.of(pickle("Iabc\n."), "malformed integer"),
        Arguments.of(pickle("L" + "9".repeat(5000) + "L\n."), "malformed integer"),
        Arguments.of(pickle("Fx\n."), "malformed number"),
        Arguments.of(pickle("Sx\n."), "without quotes"),
        Arguments.of(pickle("V\\Uffffffff\n."), "not Unicode"),
        Arguments.of(pickle("\u008c\1\u00ff."), "not UTF-8"),
        Arguments.of(pickle("ccollections\nOrderedDict\n]Na\u0085R."), "but pairs"),
        Arguments.of(pickle("ctorch._utils\n_rebuild_tensor\n)R."), "a tensor of 0 arguments"),
        Arguments.of(tensor("1", "(I-1\nt", "(I1\nt"), "negative dimension"),
        Arguments.of(tensor("1", "(I5\nt", ")"), "strides"),
        Arguments.of(tensor("1", "(Nt", "(Nt"), "no integers"),
        Arguments.of(tensor("-1", "(I1\nt", "(I1\nt"), "storage 0 of -1"),
        Arguments.of(
            tensor("1", "(L4611686018427387904L\nI4\nt", "(I1\nI1\nt"), "shape overflows"));
  }

  /** A float32 tensor at offset 0. */
  private static Pickle tensor(String storageElements, String shape, String strides) {
    return pickle("ctorch._utils\n_rebuild_tensor\n((Vstorage\nctorch\nFloatStorage\nV0\nVcpu\nI")
        .op(storageElements + "\ntQI0\n" + shape + strides + "tR.");
  }

  @ParameterizedTest
  @MethodSource
  void hostile(Pickle pickle, String problem) {
    String message = assertThrows(ReweaveException.class, () -> load(pickle)).getMessage();
    assertTrue(message.contains(problem), message);
    assertTrue(message.contains("test"), message);
  }

  @Test
  void callsNothing() {
    PickleObject made =
        assertInstanceOf(
            PickleObject.class, load(pickle("cposix\nsystem\n(Vtouch pwned\ntR}Va\nK\1sb.")));
    assertEquals("posix.system", made.callable().toString());
    assertEquals("touch pwned", made.arguments().item(0));
    assertEquals(1L, made.attribute("a").orElseThrow());
  }

  @Test
  void nestsWithoutLimit() {
    int depth = 100_000;
    Object at = load(pickle("").repeat("]", depth).repeat("a", depth - 1).op("."));
    int found = 0;
    for (; at instanceof PickleSequence list && list.size() > 0; at = list.item(0)) {
      found++;
    }
    assertEquals(depth - 1, found);
    load(pickle(")").repeat("\u0085", depth).op("."));
    load(pickle("").repeat("(", depth).op("N").repeat("t", depth).op("."));
  }

  @Test
  void keysThatNestAreNotCompared() {
    // Each tuple holds the one before it twice: to hash the last would take 2^100 steps.
    Pickle pickle = pickle("})").repeat("2\u0086", 100);
    assertInstanceOf(PickleDict.class, load(pickle.op("Ns.")));
  }

  @Test
  void copiesNothingOften() {
    // A list of 1,000 pairs, made into a dict 1,000 times.
    Pickle pickle = pickle("ccollections\nOrderedDict\nq\0](").repeat("NN\u0086", 1000);
    pickle.op("e\u0085q\1").repeat("h\0h\1R", 1000).op(".");
    assertCostsMoreThan(100_000, pickle);
    pickle = pickle("c_codecs\nencode\nq\0(X").u4(32_000).repeat("x", 32_000);
    pickle.op("Vlatin1\ntq\1").repeat("h\0h\1R", 1000).op(".");
    assertCostsMoreThan(100_000, pickle);
    pickle = pickle("X").u4(32_000).repeat("x", 32_000).op("q\0").repeat("h\0h\0\u0093", 1000);
    assertCostsMoreThan(100_000, pickle.op("."));
  }

  @Test
  void holdsNoMoreThanMemoryCanTake() {
    assertCostsMoreThan(1000, pickle(")").repeat("\u0085", 1000).op("."));
    load(pickle(")").repeat("\u0085", 999).op("."), new PickleBudget("test", 1000));
  }

  private static void assertCostsMoreThan(long values, Pickle pickle) {
    PickleBudget budget = new PickleBudget("test", values);
    String message = assertThrows(ReweaveException.class, () -> load(pickle, budget)).getMessage();
    assertTrue(message.contains("more values than the memory can take"), message);
  }

  @Test
  void readsTextOpcodes() {
    assertEquals(true, load(pickle("I01\n.")));
    assertEquals(-7L, load(pickle("L-7L\n.")));
    assertEquals(1e300, load(pickle("F1e300\n.")));
    assertEquals(Double.NEGATIVE_INFINITY, load(pickle("F-inf\n.")));
    assertEquals("a\u20ac\\", load(pickle("Va\\u20ac\\u005c\n.")));
    assertEquals("it's\n", load(pickle("S'it\\'s\\n'\n.")));
    assertEquals("\u00e9", load(pickle("U\2\u00c3\u00a9.")));
    assertEquals("\u00e9", load(pickle("U\1\u00e9.")));
  }

  @Test
  void readsNumbersAtTheirBounds() {
    assertEquals(0L, load(pickle("\u008a\0.")));
    assertEquals(-1L, load(pickle("\u008a\1\u00ff.")));
    assertEquals(255L, load(pickle("\u008a\2\u00ff\0.")));
    assertEquals(Long.MIN_VALUE, load(pickle("\u008a\10\0\0\0\0\0\0\0\u0080.")));
    assertEquals(-2L, load(pickle("J\u00fe\u00ff\u00ff\u00ff.")));
    assertEquals(65535L, load(pickle("M\u00ff\u00ff.")));
    assertEquals(-0.5, load(pickle("G\u00bf\u00e0\0\0\0\0\0\0.")));
  }

  @Test
  void readsRareOpcodes() {
    assertEquals(3, ((PickleSequence) load(pickle("(NNNl."))).size());
    assertEquals(1L, ((PickleDict) load(pickle("(Va\nK\1d."))).entries().get("a"));
    assertEquals(2, ((PickleSequence) load(pickle("\u008f(K\1K\2\u0090."))).size());
    assertEquals(1L, load(pickle("K\1K\0020.")));
    assertEquals(1L, load(pickle("K\1(NN1.")));
    assertEquals(1L, load(pickle("K\1(0.")));
    assertArrayEquals(
        "ab".getBytes(StandardCharsets.US_ASCII), (byte[]) load(pickle("\u0096").u8(2).op("ab.")));
    PickleObject instance = (PickleObject) load(pickle("(K\1im\nC\n."));
    assertEquals("m.C", instance.callable().toString());
    assertEquals(1L, ((PickleObject) load(pickle("(cm\nC\nK\1o."))).arguments().item(0));
    assertEquals(1L, ((PickleObject) load(pickle("cm\nC\n(K\1t}\u0092."))).arguments().item(0));
  }

  @Test
  void readsLongFormsOfShortValues() {
    byte[] ab = "ab".getBytes(StandardCharsets.US_ASCII);
    assertEquals(300L, load(pickle("\u008b").u4(2).op("\54\1.")));
    assertEquals("ab", load(pickle("\u008d").u8(2).op("ab.")));
    assertEquals("ab", load(pickle("X").u4(2).op("ab.")));
    assertEquals("ab", load(pickle("T").u4(2).op("ab.")));
    assertArrayEquals(ab, (byte[]) load(pickle("C\2ab.")));
    assertArrayEquals(ab, (byte[]) load(pickle("B").u4(2).op("ab.")));
    assertArrayEquals(ab, (byte[]) load(pickle("\u008e").u8(2).op("ab.")));
    assertEquals(2L, load(pickle("\u0095").u8(3).op("K\2.")));
  }

  /** An index may be as high as the number of opcodes so far. */
  @Test
  void remembersValuesByTheirIndex() {
    assertEquals(7L, load(pickle("K\7q\2N0h\2.")));
    assertEquals(7L, load(pickle("K\7r").u4(2).op("Nj").u4(2).op(".")));
    assertEquals(7L, load(pickle("K\7p2\nNg2\n.")));
    assertEquals(7L, load(pickle("K\7\u0094Nh\0.")));
    String far = assertThrows(ReweaveException.class, () -> load(pickle("Nq\3."))).problem();
    assertTrue(far.contains("at the far index 3"), far);
  }

  @Test
  void readsPairsOfAnOrderedDict() {
    PickleDict dict =
        (PickleDict) load(pickle("ccollections\nOrderedDict\n((Vb\nK\1l(Va\nK\2ll\u0085R."));
    assertEquals("[b, a]", dict.entries().keySet().toString());
  }

  @Test
  void readsViewsOfOldStorages() {
    TorchTensor tensor =
        (TorchTensor)
            load(
                pickle("ctorch._utils\n_rebuild_tensor\n((Vstorage\nctorch\nLongStorage\nV7\n")
                    .op("Vcpu\nK\12(V8\nK\3K\4ttQK\1(K\2t(K\1ttR."));
    assertEquals("7", tensor.storageKey());
    assertEquals(10, tensor.storageElements());
    assertEquals(4, tensor.offset());
  }
}
