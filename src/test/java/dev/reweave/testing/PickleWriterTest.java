package dev.reweave.testing;

import static dev.reweave.testing.PickleWriter.dict;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reweave.testing.PickleWriter.OrderedDict;
import dev.reweave.testing.PickleWriter.Tuple;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PickleWriterTest {

  /** The bytes are what Python's {@code pickle.dumps(value, 2)} gives. */
  @Test
  void picklesAsPythonDoes() {
    List<Object> value =
        Arrays.asList(
            0,
            255,
            256,
            65535,
            65536,
            -1,
            Integer.MAX_VALUE,
            1L << 31,
            Integer.MIN_VALUE,
            -(1L << 31) - 1,
            Long.MAX_VALUE,
            Long.MIN_VALUE,
            1.5,
            null,
            true,
            false,
            "é",
            new Tuple(List.of()),
            new Tuple(List.of(1)),
            new Tuple(List.of(1, 2, 3, 4)),
            List.of(),
            dict(),
            dict("a", 1),
            new OrderedDict(dict()),
            new OrderedDict(dict("b", List.of(1, 2), "c", dict(1, 2, 3, 4))));
    assertEquals(
        "80025d7100284b004bff4d00014dffff4a000001004affffffff4affffff7f8a0500000080004a00"
            + "0000808a05ffffff7fff8a08ffffffffffffff7f8a080000000000000080473ff80000000000004e"
            + "88895802000000c3a97101294b01857102284b014b024b034b047471035d71047d71057d71065801"
            + "0000006171074b017363636f6c6c656374696f6e730a4f726465726564446963740a710829527109"
            + "68082952710a28580100000062710b5d710c284b014b0265580100000063710d7d710e284b014b02"
            + "4b034b047575652e",
        HexFormat.of().formatHex(PickleWriter.pickle(value)));
  }

  @Test
  void picklesManyItemsAsPythonDoes() throws Exception {
    List<String> strings = IntStream.range(0, 2500).mapToObj(i -> "number " + i).toList();
    Map<Object, Object> dict = dict();
    IntStream.range(0, 2500).forEach(i -> dict.put(i, i));
    byte[] pickle = PickleWriter.pickle(List.of(strings, strings.get(2000), dict));
    assertEquals(
        "693118af0998f898c845d5396846520256f0d2e855a75417a8095c1766ffea61",
        HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(pickle)));
  }

  @Test
  void refusesOtherValues() {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> PickleWriter.pickle(List.of('c')));
    assertEquals("cannot pickle a class java.lang.Character", e.getMessage());
  }
}
