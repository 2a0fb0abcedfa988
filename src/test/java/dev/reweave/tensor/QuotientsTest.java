package dev.reweave.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Quotients, whose bits torch 2.15 gave for {@code tensor / number} on a CPU. */
class QuotientsTest {
  private static final double THIRD = 1.0 / 3;

  private static byte[] bytes(int size, long... bits) {
    ByteBuffer buffer = ByteBuffer.allocate(size * bits.length).order(ByteOrder.LITTLE_ENDIAN);
    for (long b : bits) {
      switch (size) {
        case 2 -> buffer.putShort((short) b);
        case 4 -> buffer.putInt((int) b);
        default -> buffer.putLong(b);
      }
    }
    return buffer.array();
  }

  private static void gives(DType type, double divisor, long[] before, long[] after) {
    byte[] data = bytes(type.bytes(), before);
    Quotients.divide(type, data, 0, before.length, divisor);
    assertArrayEquals(bytes(type.bytes(), after), data);
  }

  @Test
  void quotientsAreThoseOfTorch() {
    gives(
        DType.F32,
        THIRD,
        new long[] {
          0x3f294e60,
          0x3e88aa47,
          0x3d7ca14b,
          0x3f1f0ea7,
          0xbee76038,
          0xbe2a1e0b,
          0xbfc2ea14,
          0x3ec36c13,
          0xbf8388ae,
          0xbf10243a,
          0xbf646d27,
          0x00000000,
          0x80000000,
          0x7f800000,
          0x37fba882,
          0x476a6000
        },
        new long[] {
          0x3ffdf590,
          0x3f4cff6a,
          0x3e3d78f8,
          0x3fee95fa,
          0xbfad882a,
          0xbeff2d10,
          0xc0922f8f,
          0x3f92910e,
          0xc0454d05,
          0xbfd83657,
          0xc02b51dd,
          0x00000000,
          0x80000000,
          0x7f800000,
          0x38bcbe61,
          0x482fc800
        });
    gives(
        DType.F32,
        0.7,
        new long[] {
          0x3f294e60,
          0x3e88aa47,
          0x3d7ca14b,
          0x3f1f0ea7,
          0xbee76038,
          0xbe2a1e0b,
          0xbfc2ea14,
          0x3ec36c13,
          0xbf8388ae,
          0xbf10243a,
          0xbf646d27,
          0x00000000,
          0x80000000,
          0x7f800000,
          0x37fba882,
          0x476a6000
        },
        new long[] {
          0x3f71ddae,
          0x3ec33c66,
          0x3db47336,
          0x3f633981,
          0xbf2544ba,
          0xbe730659,
          0xc00b397c,
          0x3f0b9657,
          0xbfbbe7d4,
          0xbf4dea9c,
          0xbfa32965,
          0x00000000,
          0x80000000,
          0x7f800000,
          0x3833c182,
          0x47a76925
        });
    gives(
        DType.BF16,
        THIRD,
        new long[] {
          0x3f29, 0x3e89, 0x3d7d, 0x3f1f, 0xbee7, 0xbe2a, 0xbfc3, 0x3ec3, 0xbf84, 0xbf10, 0xbf64,
          0x0000, 0x8000, 0x7f80, 0x37fc, 0x476a
        },
        new long[] {
          0x3ffe, 0x3f4e, 0x3e3e, 0x3fee, 0xbfad, 0xbeff, 0xc092, 0x3f92, 0xc046, 0xbfd8, 0xc02b,
          0x0000, 0x8000, 0x7f80, 0x38bd, 0x4830
        });
    gives(
        DType.BF16,
        0.7,
        new long[] {
          0x3f29, 0x3e89, 0x3d7d, 0x3f1f, 0xbee7, 0xbe2a, 0xbfc3, 0x3ec3, 0xbf84, 0xbf10, 0xbf64,
          0x0000, 0x8000, 0x7f80, 0x37fc, 0x476a
        },
        new long[] {
          0x3f71, 0x3ec4, 0x3db5, 0x3f63, 0xbf25, 0xbe73, 0xc00b, 0x3f0b, 0xbfbd, 0xbf4e, 0xbfa3,
          0x0000, 0x8000, 0x7f80, 0x3834, 0x47a7
        });
    gives(
        DType.F16,
        THIRD,
        new long[] {
          0x394a, 0x3445, 0x2be5, 0x38f8, 0xb73b, 0xb151, 0xbe17, 0x361b, 0xbc1c, 0xb881, 0xbb23,
          0x0000, 0x8000, 0x7c00, 0x01f7, 0x7b53
        },
        new long[] {
          0x3fef, 0x3a68, 0x31ec, 0x3f74, 0xbd6c, 0xb7fa, 0xc491, 0x3c94, 0xc22a, 0xbec2, 0xc15a,
          0x0000, 0x8000, 0x7c00, 0x05e5, 0x7c00
        });
    gives(
        DType.F16,
        0.7,
        new long[] {
          0x394a, 0x3445, 0x2be5, 0x38f8, 0xb73b, 0xb151, 0xbe17, 0x361b, 0xbc1c, 0xb881, 0xbb23,
          0x0000, 0x8000, 0x7c00, 0x01f7, 0x7b53
        },
        new long[] {
          0x3b8e, 0x3619, 0x2da4, 0x3b19, 0xb92a, 0xb398, 0xc05a, 0x385c, 0xbddf, 0xba6f, 0xbd19,
          0x0000, 0x8000, 0x7c00, 0x02cf, 0x7c00
        });
    gives(
        DType.F64,
        THIRD,
        new long[] {
          0x3fe529cc078113daL,
          0x3fd11548d02b8fe5L,
          0x3faf94295e129d76L,
          0x3fe3e1d4e0e48b01L,
          0xbfdcec06fed14fffL,
          0xbfc543c16a1a81f7L,
          0xbff85d427c6372fcL,
          0x3fd86d825192ee02L,
          0xbff07115b0a48f26L,
          0xbfe204874d847519L,
          0xbfec8da4d337dd1fL,
          0x0000000000000000L,
          0x8000000000000000L,
          0x7ff0000000000000L,
          0x3eff75104d551d69L,
          0x40ed4c0000000000L
        },
        new long[] {
          0x3fffbeb20b419dc7L,
          0x3fe99fed384157d8L,
          0x3fc7af1f068df619L,
          0x3ffdd2bf5156d082L,
          0xbff5b1053f1cfc00L,
          0xbfdfe5a21f27c2f3L,
          0xc01245f1dd4a963dL,
          0x3ff25221bd2e3282L,
          0xc008a9a088f6d6b9L,
          0xbffb06caf446afa6L,
          0xc0056a3b9e69e5d8L,
          0x0000000000000000L,
          0x8000000000000000L,
          0x7ff0000000000000L,
          0x3f1797cc39ffd60fL,
          0x4105f90000000000L
        });
    gives(
        DType.F64,
        0.7,
        new long[] {
          0x3fe529cc078113daL,
          0x3fd11548d02b8fe5L,
          0x3faf94295e129d76L,
          0x3fe3e1d4e0e48b01L,
          0xbfdcec06fed14fffL,
          0xbfc543c16a1a81f7L,
          0xbff85d427c6372fcL,
          0x3fd86d825192ee02L,
          0xbff07115b0a48f26L,
          0xbfe204874d847519L,
          0xbfec8da4d337dd1fL,
          0x0000000000000000L,
          0x8000000000000000L,
          0x7ff0000000000000L,
          0x3eff75104d551d69L,
          0x40ed4c0000000000L
        },
        new long[] {
          0x3fee3bb5c193d338L,
          0x3fd8678c9719a8feL,
          0x3fb68e66b0e8b99eL,
          0x3fec67301cb4344bL,
          0xbfe4a897484c5db7L,
          0xbfce60cb29dcb9abL,
          0xc001672f7d6b9b47L,
          0x3fe172cacc8d856fL,
          0xbff77cfa6a0fa7eeL,
          0xbfe9bd53934f82b6L,
          0xbff4652c96dec284L,
          0x0000000000000000L,
          0x8000000000000000L,
          0x7ff0000000000000L,
          0x3f067830373ccbdeL,
          0x40f4ed2492492493L
        });
  }

  @Test
  void othersStayAsTheyAre() {
    byte[] data = bytes(4, 0x40000000, 0x40000000, 0x40000000);
    Quotients.divide(DType.F32, data, 4, 1, 2);
    assertArrayEquals(bytes(4, 0x40000000, 0x3f800000, 0x40000000), data);
    assertThrows(IndexOutOfBoundsException.class, () -> Quotients.divide(DType.F32, data, 4, 3, 2));
  }

  @Test
  void aLayoutOfQuotientsGivesItsDivisor() {
    StorageRef storage = LayoutModel.storage(0, "s", 8);
    Layout stored = StoredLayout.contiguous(storage, 0, Shape.of(8));
    QuotientLayout layout =
        new QuotientLayout(
            new CombinedLayout(CombinedLayout.Kind.REPLICATED, List.of(stored, stored)), 0.25);
    List<String> taken = new ArrayList<>();
    layout.runs(
        2,
        5,
        new RunConsumer() {
          @Override
          public void run(StorageRef s, long offset, long elements) {
            throw new AssertionError("what is stored is not what it is");
          }

          @Override
          public void divided(Layout base, double divisor, long from, long to) {
            taken.add(base.width() + " " + divisor + " " + from + " " + to);
          }
        });
    assertEquals(List.of("2 0.25 2 5"), taken);
    List<String> runs = new ArrayList<>();
    layout.runs(2, 5, (s, offset, elements) -> runs.add(offset + "+" + elements));
    layout.runsIn(0, (s, offset, elements) -> runs.add("in " + offset + "+" + elements));
    assertEquals(List.of("2+3", "2+3", "in 0+8", "in 0+8"), runs);
    assertTrue(layout.isComputed());
    assertEquals(2, layout.width());
    assertEquals(16, layout.storedElements());
    assertEquals(8, layout.elements());
    assertEquals(DType.F32, layout.dtype());
    assertThrows(IndexOutOfBoundsException.class, () -> layout.runs(2, 9, (s, o, n) -> {}));
  }

  @Test
  void aGridTellsOfItsBlocks() {
    StorageRef storage = LayoutModel.storage(0, "s", 8);
    Layout stored = StoredLayout.contiguous(storage, 0, Shape.of(4));
    Layout copies = new CombinedLayout(CombinedLayout.Kind.REPLICATED, List.of(stored, stored));
    GridLayout grid =
        new GridLayout(
            Shape.of(8),
            List.of(
                new GridLayout.Block(List.of(0L), Shape.of(4), copies),
                new GridLayout.Block(List.of(4L), Shape.of(4), stored)));
    assertEquals(2, grid.width());
    assertEquals(12, grid.storedElements());
    assertFalse(grid.isComputed());
    GridLayout divided =
        new GridLayout(
            Shape.of(4),
            List.of(new GridLayout.Block(List.of(0L), Shape.of(4), new QuotientLayout(stored, 2))));
    assertTrue(divided.isComputed());
  }

  private static void refused(String message, Runnable run) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, run::run).getMessage());
  }

  @Test
  void refusesWhatGivesNoQuotient() {
    Layout floats = StoredLayout.contiguous(LayoutModel.storage(0, "s", 2), 0, Shape.of(2));
    StorageRef numbers =
        new StorageRef(0, "n", 64, DType.I64, 2, StorageRef.Endian.LITTLE, StorageRef.NO_CRC);
    Layout integers = StoredLayout.contiguous(numbers, 0, Shape.of(2));
    refused("no quotient of I64 elements", () -> new QuotientLayout(integers, 2));
    refused("nothing can be divided by 0.0", () -> new QuotientLayout(floats, 0));
    refused("nothing can be divided by NaN", () -> new QuotientLayout(floats, Double.NaN));
    refused("nothing can be divided by 1.0E-60", () -> new QuotientLayout(floats, 1e-60));
    refused("nothing can be divided by 1.0E60", () -> new QuotientLayout(floats, 1e60));
  }
}
