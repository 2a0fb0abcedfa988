package dev.reweave.format.pytorch;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Writes pickles by hand. */
final class Pickle {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  /** Opcodes and arguments as Latin-1. */
  Pickle op(String latin1) {
    out.writeBytes(latin1.getBytes(StandardCharsets.ISO_8859_1));
    return this;
  }

  Pickle repeat(String latin1, int times) {
    return op(latin1.repeat(times));
  }

  Pickle raw(byte[] bytes) {
    out.writeBytes(bytes);
    return this;
  }

  Pickle u4(long value) {
    return raw(number(value, 4));
  }

  Pickle u8(long value) {
    return raw(number(value, 8));
  }

  private static byte[] number(long value, int bytes) {
    byte[] all = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
    return java.util.Arrays.copyOf(all, bytes);
  }

  byte[] bytes() {
    return out.toByteArray();
  }
}
