package dev.reweave.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StepMeansTest {
  private static float mean(float... steps) {
    ByteBuffer data = ByteBuffer.allocate(4 * steps.length).order(ByteOrder.LITTLE_ENDIAN);
    data.asFloatBuffer().put(steps);
    byte[] target = new byte[6];
    StepMeans.mean(DType.F32, data.array(), 0, 1, steps.length, target, 2);
    return ByteBuffer.wrap(target).order(ByteOrder.LITTLE_ENDIAN).getFloat(2);
  }

  private static void assertSameBits(float expected, float actual) {
    assertEquals(Float.floatToRawIntBits(expected), Float.floatToRawIntBits(actual));
  }

  @Test
  void isRoundedOnce() {
    // In 32 bits the sum would lose the ones, and then overflow.
    assertSameBits(0x1p24f / 3 + 0.6666667f, mean(0x1p24f, 1, 1));
    assertSameBits(Float.MAX_VALUE, mean(Float.MAX_VALUE, Float.MAX_VALUE));
    assertSameBits((float) ((0.1f + (double) 0.7f + 0.3f) / 3), mean(0.1f, 0.7f, 0.3f));
  }

  @ParameterizedTest
  @ValueSource(floats = {0, -0f, 0.1f, -Float.MIN_VALUE, Float.MAX_VALUE, Float.POSITIVE_INFINITY})
  void ofOneNumberIsThatNumber(float number) {
    assertSameBits(number, mean(number, number, number, number, number, number, number));
  }

  @Test
  void ofNarrowerTypesIsOf32Bits() {
    short[] halves = {(short) FloatBits.floatToHalf(Float.floatToIntBits(1f)), (short) 0x3C01};
    byte[] data =
        ByteBuffer.allocate(4)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putShort(halves[0])
            .putShort(halves[1])
            .array();
    byte[] target = new byte[4];
    StepMeans.mean(DType.F16, data, 0, 1, 2, target, 0);

    assertSameBits(1 + 0x1p-11f, ByteBuffer.wrap(target).order(ByteOrder.LITTLE_ENDIAN).getFloat());
    assertEquals(DType.F32, StepMeans.typeOf(DType.BF16));
    assertEquals(DType.F64, StepMeans.typeOf(DType.F64));
  }

  @Test
  void stepsLieBehindEachOther() {
    ByteBuffer data = ByteBuffer.allocate(6 * 8 + 8).order(ByteOrder.LITTLE_ENDIAN);
    data.position(8);
    for (double number : new double[] {1, 2, 3, 10, 20, 30}) {
      data.putDouble(number);
    }
    byte[] target = new byte[24];
    StepMeans.mean(DType.F64, data.array(), 8, 3, 2, target, 0);

    ByteBuffer means = ByteBuffer.wrap(target).order(ByteOrder.LITTLE_ENDIAN);
    assertEquals(
        List.of(5.5, 11.0, 16.5),
        List.of(means.getDouble(0), means.getDouble(8), means.getDouble(16)));
    assertThrows(
        IndexOutOfBoundsException.class,
        () -> StepMeans.mean(DType.F64, data.array(), 16, 3, 2, target, 0));
  }
}
