package dev.reweave.format.pytorch;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.util.HashMap;
import java.util.Map;

/**
 * A pickle of protocol 2 in the making, with a memo as CPython keeps it: all but numbers, booleans
 * and the empty tuple is numbered, and what is the same object is named by its number the second
 * time ({@code Modules/_pickle.c}, {@code Lib/pickletools.py}).
 */
final class PickleOutput {
  private static final int BYTE = 1 << 8;
  private static final int SHORT = 1 << 16;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final Map<String, Integer> shared = new HashMap<>();
  private int numbered;

  PickleOutput() {
    op(0x80).op(2);
  }

  /** One byte: an operation without argument. */
  PickleOutput op(int code) {
    out.write(code);
    return this;
  }

  /** Numbers the value on top of the stack. */
  int put() {
    indexed('q', 'r', numbered);
    return numbered++;
  }

  /** How many values have a number. */
  int numbered() {
    return numbered;
  }

  /** Pushes the value of this number again. */
  PickleOutput get(int number) {
    return indexed('h', 'j', number);
  }

  /** A class or function. */
  PickleOutput global(String module, String name) {
    String path = module + '\n' + name + '\n';
    return share('c' + path, () -> op('c').raw(path.getBytes(US_ASCII)));
  }

  /** Text that is one object wherever it stands in Python. */
  PickleOutput sharedText(String value) {
    return share('X' + value, () -> write(value));
  }

  /** Text that is an object of its own; gives its number. */
  int text(String value) {
    write(value);
    return put();
  }

  /** A number. */
  PickleOutput integer(long value) {
    if (value >= 0 && value < BYTE) {
      return op('K').op((int) value);
    }
    if (value >= 0 && value < SHORT) {
      return op('M').little(value, Short.BYTES);
    }
    if (value == (int) value) {
      return op('J').little(value, Integer.BYTES);
    }
    int bytes = BigInteger.valueOf(value).toByteArray().length;
    return op(0x8a).op(bytes).little(value, bytes);
  }

  /**
   * A number of any size, of at most 255 bytes.
   *
   * @throws IllegalArgumentException if it has more
   */
  PickleOutput integer(BigInteger value) {
    if (value.bitLength() < Long.SIZE) {
      return integer(value.longValue());
    }
    byte[] bytes = value.toByteArray();
    if (bytes.length >= BYTE) {
      throw new IllegalArgumentException("a number of " + bytes.length + " bytes");
    }
    op(0x8a).op(bytes.length);
    for (int i = bytes.length - 1; i >= 0; i--) {
      op(bytes[i]);
    }
    return this;
  }

  /** A floating-point number. */
  PickleOutput real(double value) {
    long bits = Double.doubleToRawLongBits(value);
    op('G');
    for (int shift = Long.SIZE - Byte.SIZE; shift >= 0; shift -= Byte.SIZE) {
      op((int) (bits >> shift));
    }
    return this;
  }

  /** A tuple of numbers. */
  PickleOutput tuple(long... values) {
    if (values.length == 0) {
      return op(')');
    }
    if (values.length > 3) {
      op('(');
    }
    for (long value : values) {
      integer(value);
    }
    op(values.length > 3 ? 't' : 0x84 + values.length);
    put();
    return this;
  }

  byte[] bytes() {
    return out.toByteArray();
  }

  private PickleOutput share(String key, Runnable write) {
    Integer number = shared.get(key);
    if (number != null) {
      return get(number);
    }
    write.run();
    shared.put(key, put());
    return this;
  }

  private PickleOutput write(String value) {
    byte[] bytes = value.getBytes(UTF_8);
    return op('X').little(bytes.length, Integer.BYTES).raw(bytes);
  }

  private PickleOutput indexed(int narrow, int wide, int number) {
    return number < BYTE ? op(narrow).op(number) : op(wide).little(number, Integer.BYTES);
  }

  private PickleOutput little(long value, int bytes) {
    for (int i = 0; i < bytes; i++) {
      out.write((int) (value >> (Byte.SIZE * i)));
    }
    return this;
  }

  private PickleOutput raw(byte[] bytes) {
    out.writeBytes(bytes);
    return this;
  }
}
