package dev.reweave.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.math.BigDecimal;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ExactAdderTest {
  private static final List<Double> EXTREMES =
      List.of(
          0.0,
          -0.0,
          1.0,
          -1.0,
          0.1,
          Double.MIN_VALUE,
          -Double.MIN_VALUE,
          Double.MIN_NORMAL,
          Math.nextDown(Double.MIN_NORMAL),
          Double.MAX_VALUE,
          -Double.MAX_VALUE,
          Math.nextUp(1.0),
          0x1.fffffffffffffp31,
          -0x1.fffffffffffffp32,
          0x1p-1042);

  private static ExactSum sum(List<Double> numbers) {
    ExactAdder adder = new ExactAdder();
    numbers.forEach(adder::add);
    return adder.take();
  }

  private static ExactSum asDecimals(List<Double> numbers) {
    BigDecimal sum = BigDecimal.ZERO;
    for (double number : numbers) {
      sum = sum.add(new BigDecimal(number));
    }
    return new ExactSum(sum, false);
  }

  @Test
  void eachNumberIsKeptWhole() {
    for (double number : EXTREMES) {
      assertEquals(asDecimals(List.of(number)), sum(List.of(number)));
      assertEquals(asDecimals(List.of(number, -1e300)), sum(List.of(number, -1e300)));
    }
  }

  @Test
  void sumsAreThoseOfDecimals() {
    Random random = new Random(1);
    List<Double> numbers =
        random
            .longs(5000)
            .mapToObj(Double::longBitsToDouble)
            .filter(d -> Double.isFinite(d))
            .toList();
    assertEquals(asDecimals(numbers), sum(numbers));
    assertEquals(asDecimals(EXTREMES), sum(EXTREMES));
  }

  @Test
  void aSumThatWasTakenIsGone() {
    ExactAdder adder = new ExactAdder();
    adder.add(2.5);
    adder.add(Double.POSITIVE_INFINITY);
    assertEquals(new ExactSum(new BigDecimal("2.5"), true), adder.take());
    adder.add(0.25);
    assertEquals(new ExactSum(new BigDecimal("0.25"), false), adder.take());
  }
}
