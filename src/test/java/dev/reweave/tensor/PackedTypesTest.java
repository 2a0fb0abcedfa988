package dev.reweave.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Types whose elements share bytes. */
class PackedTypesTest {
  private static NamedTensor fours(String name, long... dims) {
    TensorSpec spec = new TensorSpec(name, DType.F4, Shape.of(dims));
    StorageRef storage =
        new StorageRef(
            0, name, 0, DType.F4, spec.units(), StorageRef.Endian.LITTLE, StorageRef.NO_CRC);
    return new NamedTensor(spec, StoredLayout.contiguous(storage, 0, Shape.of(spec.units())));
  }

  @ParameterizedTest
  @CsvSource({"F4, 12", "F6_E2M3, 18", "F6_E3M2, 18", "U8, 24", "BF16, 48"})
  void sizesAreCountedInBits(DType type, long bytes) {
    TensorSpec spec = new TensorSpec("t", type, Shape.of(3, 8));
    assertEquals(bytes, spec.bytes());
    assertEquals(24, spec.elements());
    assertEquals(type.isPacked() ? bytes : 24, spec.units());
  }

  @ParameterizedTest
  @CsvSource({"F4, 3", "F6_E2M3, 2", "F6_E3M2, 6"})
  void elementsEndWithAByte(DType type, long elements) {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> new TensorSpec("t", type, Shape.of(elements)));
    assertTrue(e.getMessage().contains("ends within a byte"), e.getMessage());
  }

  @Test
  void sizesDoNotOverflow() {
    assertThrows(
        IllegalArgumentException.class,
        () -> new TensorSpec("t", DType.F6_E3M2, Shape.of(Long.MAX_VALUE / 4)));
  }

  @Test
  void torchCountsPairs() {
    TensorSpec spec = TensorSpec.ofTorch("t", DType.F4, Shape.of(2, 8));
    assertEquals(Shape.of(2, 16), spec.shape());
    assertEquals(Shape.of(2, 8), spec.torchShape());
    assertEquals(Optional.of(DType.F4), DType.ofTorchName("float4_e2m1fn_x2"));
    assertEquals(Shape.of(2, 8), TensorSpec.ofTorch("t", DType.U8, Shape.of(2, 8)).shape());
  }

  @Test
  void rowsOfWholeBytesCanBeTakenApart() {
    NamedTensor part = fours("t", 4, 6).narrowed("part", 0, 1, 2);
    assertEquals(12, part.spec().elements());
    assertEquals(6, part.layout().elements());
    NamedTensor both = NamedTensor.joined("both", 0, List.of(part, fours("u", 1, 6)));
    assertEquals(Shape.of(3, 6), both.spec().shape());
    assertEquals(9, both.layout().elements());
  }

  @Test
  void elementsThatShareBytesCannot() {
    ReweaveException e =
        assertThrows(ReweaveException.class, () -> fours("t", 2, 6).narrowed("part", 1, 1, 2));
    assertEquals(
        "elements of float4_e2m1fn share bytes, so that a mapping cannot part or join them along"
            + " dimension 1",
        e.problem());
  }

  @Test
  void theyAreComparedWithTheirOwnKindAlone() {
    assertTrue(Comparer.compares(DType.F4, DType.F4));
    assertEquals(false, Comparer.compares(DType.F4, DType.F32));
    assertEquals(false, Comparer.compares(DType.U8, DType.F6_E2M3));
  }
}
