package dev.reweave.format.pytorch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reweave.common.ReweaveException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Pickles that are longer than what is read of them at once, as in legacy files. */
class PickleInputTest {
  /** More than two buffers of 64 KiB. */
  private static final int LENGTH = 150_000;

  private static byte[] content() {
    byte[] content = new byte[LENGTH];
    for (int i = 0; i < content.length; i++) {
      content[i] = (byte) ('a' + i % 23);
    }
    return content;
  }

  private static PickleInput input() {
    return PickleInput.of(new BytesAccess(content()));
  }

  private static long number(int at, int bytes) {
    long number = 0;
    for (int i = bytes - 1; i >= 0; i--) {
      number = number << 8 | content()[at + i];
    }
    return number;
  }

  private static String text(int from, int to) {
    return new String(Arrays.copyOfRange(content(), from, to), StandardCharsets.US_ASCII);
  }

  /** What is asked for begins before the end of a buffer, and ends behind it. */
  @ParameterizedTest
  @ValueSource(ints = {65_528, 65_529, 65_535, 65_536, 65_537, 131_070})
  void valuesCrossTheEndsOfBuffers(int start) throws IOException {
    PickleInput input = input();

    assertArrayEquals(Arrays.copyOf(content(), start), input.bytes(start));
    assertEquals(start, input.position());
    assertEquals(number(start, 8), input.littleEndian(8));
    assertEquals(number(start + 8, 3), input.littleEndian(3));
    assertEquals(content()[start + 11], input.u1());
    assertEquals(text(start + 12, start + 32), input.text(20));
    assertEquals(start + 32, input.position());
    byte[] rest = input.bytes(LENGTH - start - 32);
    assertArrayEquals(Arrays.copyOfRange(content(), start + 32, LENGTH), rest);
    assertEquals(LENGTH, input.position());
    assertThrows(ReweaveException.class, input::u1);
  }

  /** Byte by byte and in words of every length, with none skipped or read twice. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 7, 8})
  void wordsFollowEachOther(int bytes) throws IOException {
    PickleInput input = input();
    byte[] content = content();

    for (int at = 0; at + bytes <= LENGTH; at += bytes) {
      long number = 0;
      for (int i = bytes - 1; i >= 0; i--) {
        number = number << 8 | content[at + i];
      }
      assertEquals(number, input.littleEndian(bytes));
    }
  }

  @Test
  void aLengthIsComparedWithWhatIsLeft() throws IOException {
    PickleInput input = input();
    input.bytes(100_000);

    assertEquals(50_000, input.checkLength(50_000));
    assertEquals(
        "the pickle states a length of 50001 bytes where 50000 are left (byte 100000)",
        assertThrows(ReweaveException.class, () -> input.bytes(50_001)).problem());
    input.bytes(49_997);
    assertEquals(
        "the pickle is cut off (byte 149997)",
        assertThrows(ReweaveException.class, () -> input.littleEndian(4)).problem());
    assertEquals(number(149_997, 3), input.littleEndian(3));
  }
}
