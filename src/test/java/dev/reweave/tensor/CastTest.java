package dev.reweave.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class CastTest {
  private static final long[] ALL_23 = LongStream.range(0, 23).toArray();
  private static final long[] SECONDS_52 = {0, 28, 29, 41, 42, 44, 45};
  private static final Map<DType, byte[]> INPUTS = new EnumMap<>(DType.class);

  /** The file has a line per cast: from, to, SHA-256 of what torch gives for the input. */
  @ParameterizedTest
  @CsvFileSource(resources = "/casts/digests.txt", delimiter = ' ')
  void castsAsTorchDoes(DType from, DType to, String sha256) throws NoSuchAlgorithmException {
    byte[] digest = MessageDigest.getInstance("SHA-256").digest(cast(from, to, input(from)));
    assertEquals(sha256, HexFormat.of().formatHex(digest));
  }

  @ParameterizedTest
  @CsvSource({
    "F32, BF16, 3f800000, 3f80",
    "F32, BF16, 3f808000, 3f80", // a tie goes to even
    "F32, BF16, 3f818000, 3f82",
    "F32, BF16, 3f808001, 3f81",
    "F32, BF16, 7f7fffff, 7f80", // rounds up to infinity
    "F32, BF16, ff800000, ff80",
    "F32, BF16, 00008001, 0001", // subnormal
    "F32, BF16, 7f800001, ffff",
    "F32, BF16, ffc12345, ffff",
    "F32, F16, 3f801000, 3c00", // a tie goes to even
    "F32, F16, 3f803000, 3c02",
    "F32, F16, 477fefff, 7bff", // just below the middle of 65504 and 65536
    "F32, F16, 477ff000, 7c00",
    "F32, F16, c77ff000, fc00",
    "F32, F16, 33000000, 0000", // half of the least subnormal
    "F32, F16, 33000001, 0001",
    "F32, F16, 387fffff, 0400", // the greatest below 2^-14
    "F32, F16, 80000000, 8000",
    "F32, F16, 7f800001, 7e00",
    "F32, F16, 7fc12345, 7e09",
    "F32, F16, ffffffff, ffff",
    "F32, F64, 7f800001, 7ff8000020000000",
    "F64, F32, 7ff0000000000001, 7fc00000",
    "F64, F32, fff8123456789abc, ffc091a2",
    "F64, F16, 3ff0020000001000, 3c00", // 1 + 2^-11 + 2^-40: rounded twice
    "F64, BF16, 3ff0100000001000, 3f80",
    "F64, BF16, 7ff8000000000000, ffff",
    "F16, F32, 7c01, 7fc02000", // a signalling NaN becomes quiet
    "F16, F32, 0001, 33800000",
    "F16, F32, 83ff, b87fc000",
    "F16, BF16, fe00, 7fc0",
    "BF16, F32, 7f81, 7f810000", // stays signalling
    "BF16, F16, 7f81, 7e08",
    "BF16, F16, 7f7f, 7c00",
  })
  void castsNamedValues(DType from, DType to, String in, String out) {
    byte[] result = cast(from, to, reversed(HexFormat.of().parseHex(in)));
    assertEquals(out, HexFormat.of().formatHex(reversed(result)));
  }

  /** Several numbers are cast at a time, among them such as carry into the next one. */
  @ParameterizedTest
  @CsvSource({"BF16, 0", "BF16, 1", "BF16, 40", "F16, 40", "F64, 40"})
  void manyAreCastAsEachIs(DType to, int odds) {
    SplittableRandom random = new SplittableRandom(5);
    int[] odd = {-1, 0xffff8000, 0x7f800001, 0x7f800000, 0xff800000, 0x80000000, 0, 1, 0xff7fffff};
    for (int n : new int[] {0, 1, 3, 4, 5, 7, 8, 31, 4095, 4096, 4097, 10_003}) {
      byte[] data = new byte[4 * n];
      ByteBuffer in = littleEndian(data);
      for (int i = 0; i < n; i++) {
        boolean isOdd = random.nextInt(1000) < odds;
        in.putInt(4 * i, isOdd ? odd[random.nextInt(odd.length)] : random.nextInt(0x7f800000));
      }
      byte[] all = cast(DType.F32, to, data);
      for (int i = 0; i < n; i++) {
        int size = to.bytes();
        byte[] one = cast(DType.F32, to, Arrays.copyOfRange(data, 4 * i, 4 * i + 4));
        byte[] among = Arrays.copyOfRange(all, size * i, size * i + size);
        assertArrayEquals(
            one, among, i + " of " + n + ": " + Integer.toHexString(in.getInt(4 * i)));
      }
    }
  }

  /** What a half is by its definition, for all of them. */
  @Test
  void widensHalvesExactly() {
    ByteBuffer floats = littleEndian(cast(DType.F16, DType.F32, input(DType.F16)));
    ByteBuffer doubles = littleEndian(cast(DType.F16, DType.F64, input(DType.F16)));
    for (int h = 0; h < 1 << 16; h++) {
      double value = valueOfHalf(h);
      assertEquals(value, floats.getFloat(4 * h), "half " + Integer.toHexString(h));
      assertEquals(value, doubles.getDouble(8 * h), "half " + Integer.toHexString(h));
    }
  }

  /** No half is nearer than the result, and of two as near the result is the even one. */
  @Test
  void narrowsToTheNearestHalf() {
    SplittableRandom random = new SplittableRandom(11);
    for (int i = 0; i < 200_000; i++) {
      float value = (float) Math.scalb(random.nextDouble() + 1, random.nextInt(-26, 15));
      byte[] in = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(value).array();
      int half = littleEndian(cast(DType.F32, DType.F16, in)).getShort(0);
      double error = Math.abs(valueOfHalf(half) - value);
      double below = half == 0 ? Double.MAX_VALUE : Math.abs(valueOfHalf(half - 1) - value);
      double above = half == 0x7bff ? Double.MAX_VALUE : Math.abs(valueOfHalf(half + 1) - value);
      assertTrue(error <= below && error <= above, () -> value + " became " + half);
      assertTrue((error < below && error < above) || half % 2 == 0, () -> value + " to odd");
    }
  }

  private static double valueOfHalf(int half) {
    int exponent = (half >> 10) & 0x1f;
    double mantissa = (half & 0x3ff) / 1024.0;
    double magnitude =
        switch (exponent) {
          case 0 -> mantissa * 0x1p-14;
          case 31 -> mantissa == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
          default -> Math.scalb(1 + mantissa, exponent - 15);
        };
    return (half & 0x8000) == 0 ? magnitude : -magnitude;
  }

  @Test
  void writesOnlyItsRange() {
    byte[] in = new byte[3 + 8];
    littleEndian(in).putFloat(3, 1f).putFloat(7, -2f);
    byte[] out = new byte[9];
    Cast.between(DType.F32, DType.BF16).apply(in, 3, out, 1, 2);
    assertArrayEquals(new byte[] {0, (byte) 0x80, 0x3f, 0, (byte) 0xc0, 0, 0, 0, 0}, out);
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void copiesBetweenTheSameType(DType type) {
    Cast cast = Cast.between(type, type);
    byte[] in = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17};
    byte[] out = new byte[17];
    cast.apply(in, 1, out, 0, 16 / type.bytes());
    assertTrue(cast.isCopy());
    for (int i = 0; i < 16; i++) {
      assertEquals(in[i + 1], out[i]);
    }
    assertEquals(0, out[16]);
  }

  /** SHA-256 of what torch 2.15 gives for all 256 numbers, NaNs too. */
  @ParameterizedTest
  @CsvSource(
      delimiter = ' ',
      value = {
        "F8_E4M3 F32 8c7066d2da2e927f14261b753a1335e027ff331349e91d5b568e1a8c45ce189a",
        "F8_E4M3 BF16 15e7e4f7f07a1a04e832bfcea81d297a794c9e60824e4f72ab5537c9050f26c7",
        "F8_E4M3 F16 c81eb9389835971f22b6a6939307beeb5a003f2dd063d98f7a9a3af3e0b04f40",
        "F8_E4M3 F64 df0486bcf5528589a1a5c9b7106ef65676cd93767c9c68085e3b29e7c66fa5d4",
        "F8_E5M2 F32 f27340bbd2d23b7ee6ed74aef34425c94f9037517888fe98870711bec0be8f6c",
        "F8_E5M2 BF16 d6e0c4cfe40a633142ae7efca8a782ba24232c4ef2197ddd57df87ea1894ef90",
        "F8_E5M2 F16 bf959bba531d710d2b5d71e932621a33446ec87c6101addb8f805116ff7b7671",
        "F8_E5M2 F64 1db7f0a17bdc36797724fb920d586909e1853c6ad31b6f2f8853f79537fc5336",
        "F8_E4M3FNUZ F32 6b26d984a28fcec380ee5cc88f61418dc54e7043e807db8c336e52d28fa9726e",
        "F8_E4M3FNUZ BF16 6e00d3dd9a1f38fb71a060f2ae867a25ef7c2cafa093638e84cbce4509a79c92",
        "F8_E4M3FNUZ F16 be4fefb4e266bdb5768a0f97e5368e473a3b5692e71372a132e45e3f929aa402",
        "F8_E4M3FNUZ F64 481927b62ab5d0a81a686e82250d0f9cf4197824e24da64c78ff10c3e1bef00a",
        "F8_E5M2FNUZ F32 3d9ca48a491b8b4af21543e4603592f87a7feadd17c7d2091013cb65034b3fe2",
        "F8_E5M2FNUZ BF16 4364d98bdc8bc8cfc173858f2380f040121c4beb1433f14dae83cd145920dae9",
        "F8_E5M2FNUZ F16 8607ba7d8d78152a16a839340694b26dc29c06a98f20f38c672e3baf34dc6d1b",
        "F8_E5M2FNUZ F64 cecab86e7ee454a779555a8a0e997f457a38f3da62cbf115282be07027536e6c",
        "F8_E8M0 F32 32402a0a1e6da55bed0094e09eb803e8934fdcc84193606c2605b3f2acb24c80",
        "F8_E8M0 BF16 a14d04d51cf9dd86703cd173733b7cde9a098ebdd5071187211bdda4984771e3",
        "F8_E8M0 F16 18b6eb0c3764225a11f72d89dc0e2a8626570825cc8b57260e27a2b96403fe6a",
        "F8_E8M0 F64 4dcc73e8c3404622764d310084c3dad4d4c4f3460a6b58e83ac2e553b6914716",
      })
  void widensNumbersOf8BitsAsTorchDoes(DType from, DType to, String sha256)
      throws NoSuchAlgorithmException {
    byte[] all = new byte[256];
    IntStream.range(0, 256).forEach(i -> all[i] = (byte) i);
    byte[] digest = MessageDigest.getInstance("SHA-256").digest(cast(from, to, all));
    assertEquals(sha256, HexFormat.of().formatHex(digest));
  }

  @Test
  void knowsThatACastIsNoCopy() {
    assertFalse(Cast.between(DType.F32, DType.F64).isCopy());
  }

  @ParameterizedTest
  @CsvSource({"I64, F32", "F32, I32", "BOOL, U8", "BF16, F8_E4M3", "F4, F32", "F32, C64"})
  void refusesOtherTypes(DType from, DType to) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> Cast.between(from, to));
    assertEquals("no cast from " + from + " to " + to, e.getMessage());
  }

  @ParameterizedTest
  @CsvSource({"-1, 0, 1", "0, -1, 1", "0, 0, -1", "1, 0, 2", "0, 1, 2", "0, 0, 536870912"})
  void refusesWhatDoesNotFit(int inOffset, int outOffset, int elements) {
    for (DType to : List.of(DType.F32, DType.F64)) {
      Cast cast = Cast.between(DType.F32, to);
      byte[] out = new byte[2 * to.bytes()];
      assertThrows(
          IndexOutOfBoundsException.class,
          () -> cast.apply(new byte[8], inOffset, out, outOffset, elements));
      assertArrayEquals(new byte[2 * to.bytes()], out);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "U8, 0001020304050607080910111213141516",
    "BF16, 0002010403060508071009121114131516",
    "F32, 0004030201080706051211100916151413",
    "C64, 0004030201080706051211100916151413",
    "I64, 0008070605040302011615141312111009",
  })
  void reversesBytesOfEachElement(DType type, String expected) {
    HexFormat hex = HexFormat.of();
    byte[] data = hex.parseHex("0001020304050607080910111213141516");
    Cast.toLittleEndian(type, data, 1, type.bytes() == 2 ? 7 : 16 / type.bytes());
    assertEquals(expected, hex.formatHex(data));
  }

  @Test
  void refusesToReverseBehindTheEnd() {
    byte[] data = new byte[8];
    assertThrows(IndexOutOfBoundsException.class, () -> Cast.toLittleEndian(DType.F32, data, 1, 2));
    assertThrows(
        IndexOutOfBoundsException.class, () -> Cast.toLittleEndian(DType.I64, data, 0, 1 << 29));
  }

  private static byte[] cast(DType from, DType to, byte[] in) {
    int elements = in.length / from.bytes();
    byte[] out = new byte[elements * to.bytes()];
    Cast.between(from, to).apply(in, 0, out, 0, elements);
    return out;
  }

  /** All values of 16 bits; of the others, a structured choice, in the order of the digests. */
  private static byte[] input(DType type) {
    return INPUTS.computeIfAbsent(type, CastTest::makeInput);
  }

  private static byte[] makeInput(DType type) {
    return switch (type) {
      case F32 -> structured(type, 23, ALL_23, IntStream.range(0, 256).toArray());
      case F64 -> {
        IntStream middle = IntStream.rangeClosed(1023 - 160, 1023 + 139);
        IntStream all = IntStream.concat(IntStream.of(0, 1), middle);
        int[] exponents = IntStream.concat(all, IntStream.of(2046, 2047)).toArray();
        yield structured(type, 52, SECONDS_52, exponents);
      }
      default -> {
        byte[] all = new byte[1 << 17];
        IntStream.range(0, 1 << 16).forEach(i -> littleEndian(all).putShort(2 * i, (short) i));
        yield all;
      }
    };
  }

  private static byte[] structured(DType type, int bits, long[] seconds, int[] exponents) {
    long mask = (1L << bits) - 1;
    List<Long> mantissas = new ArrayList<>();
    for (int a = 0; a < bits; a++) {
      for (long b : seconds) {
        for (int d = -1; d <= 1; d++) {
          long mantissa = (((1L << a) | (1L << b)) + d) & mask;
          mantissas.add(mantissa);
          mantissas.add(mantissa ^ mask);
        }
      }
    }
    byte[] result = new byte[2 * exponents.length * mantissas.size() * type.bytes()];
    ByteBuffer out = littleEndian(result);
    for (long sign = 0; sign < 2; sign++) {
      for (long exponent : exponents) {
        long head = sign << (8 * type.bytes() - 1) | exponent << bits;
        for (long mantissa : mantissas) {
          if (type == DType.F32) {
            out.putInt((int) (head | mantissa));
          } else {
            out.putLong(head | mantissa);
          }
        }
      }
    }
    return result;
  }

  private static ByteBuffer littleEndian(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static byte[] reversed(byte[] bytes) {
    byte[] out = new byte[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      out[bytes.length - 1 - i] = bytes[i];
    }
    return out;
  }
}
