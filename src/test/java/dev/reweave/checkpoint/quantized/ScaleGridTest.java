package dev.reweave.checkpoint.quantized;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.tensor.Shape;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which elements have one scale. */
class ScaleGridTest {
  private static Shape shape(String dims) {
    return Shape.of(lengths(dims));
  }

  private static List<Long> lengths(String dims) {
    return dims == null ? List.of() : Arrays.stream(dims.split("x")).map(Long::valueOf).toList();
  }

  @ParameterizedTest
  @CsvSource({
    // One of all.
    "16x12, , , 16x12",
    "16x12, 1, , 16x12",
    "16x12, 1x1, , 16x12",
    "3x4x5x6, 1, , 3x4x5x6",
    // One of each channel, or of each expert.
    "16x12, 16, , 1x12",
    "16x12, 16x1, , 1x12",
    "16x12, 16x1, 128x128, 1x12",
    "12x12, 12, , 1x12",
    "4x16x12, 4, , 1x16x12",
    "4x16x12, 4x16, , 1x1x12",
    "4x16x12, 4x16x1, , 1x1x12",
    "4x16x12, 4x1x12, , 1x16x1",
    "16x3x3x3, 16x1x1x1, , 1x3x3x3",
    // Blocks, the last ones cut off.
    "8x8, 2x2, 4x4, 4x4",
    "10x6, 3x2, 4x4, 4x4",
    "576x7168, 5x56, 128x128, 128x128",
    "4x576x7168, 4x5x56, 128x128, 1x128x128",
    // Without a config.
    "576x7168, 5x56, , 128x128",
    "192x7168, 2x56, , 128x128",
    "64x7168, 1x56, , 64x128",
    "8x8, 2x2, , 4x4",
    "10x6, 3x2, , 4x4",
    "6x64, 6x2, , 1x32",
    // Another one than the config says.
    "6x64, 6x2, 128x128, 1x32",
  })
  void blocksFollowFromShapes(String weight, String scales, String stated, String blocks) {
    assertEquals(
        Optional.of(lengths(blocks)),
        ScaleGrid.blocks(
            shape(weight), scales == null ? Shape.SCALAR : shape(scales), lengths(stated)));
  }

  @ParameterizedTest
  @CsvSource({
    "16x12, 3",
    "16x12, 12",
    "16x12, 32x12",
    "16x12, 16x12x2",
    "4x16x12, 4x2",
    "11x5, 4x3"
  })
  void shapesThatTellNothing(String weight, String scales) {
    assertEquals(Optional.empty(), ScaleGrid.blocks(shape(weight), shape(scales), List.of()));
  }
}
