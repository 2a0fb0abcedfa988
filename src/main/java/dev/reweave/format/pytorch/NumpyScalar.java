package dev.reweave.format.pytorch;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * Numbers that numpy pickles as {@code numpy.core.multiarray.scalar(numpy.dtype('f8'), bytes)}, the
 * byte order in the state of the dtype.
 */
final class NumpyScalar {
  private NumpyScalar() {}

  /** The number as Long, Double or Boolean; empty for all other dtypes. */
  static Optional<Object> read(PickleSequence arguments) {
    if (arguments.size() != 2
        || !(arguments.item(0) instanceof PickleObject dtype)
        || !(arguments.item(1) instanceof byte[] bytes)
        || !(dtype.callable() instanceof PickleGlobal type && type.path().equals("numpy.dtype"))
        || dtype.arguments().size() == 0
        || !(dtype.arguments().item(0) instanceof String code)
        || !code.matches("[biuf][1248]")
        || bytes.length != code.charAt(1) - '0') {
      return Optional.empty();
    }
    boolean big =
        dtype.state() instanceof PickleSequence state
            && state.size() > 1
            && state.item(1).equals(">");
    ByteBuffer data = ByteBuffer.wrap(bytes);
    data.order(big ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
    return Optional.ofNullable(
        switch (code) {
          case "b1" -> data.get(0) != 0;
          case "i1" -> (long) data.get(0);
          case "i2" -> (long) data.getShort(0);
          case "i4" -> (long) data.getInt(0);
          case "i8" -> data.getLong(0);
          case "u1" -> (long) Byte.toUnsignedInt(data.get(0));
          case "u2" -> (long) Short.toUnsignedInt(data.getShort(0));
          case "u4" -> Integer.toUnsignedLong(data.getInt(0));
          case "u8" -> data.getLong(0) < 0 ? null : (Object) data.getLong(0);
          case "f4" -> (double) data.getFloat(0);
          case "f8" -> data.getDouble(0);
          default -> null;
        });
  }
}
