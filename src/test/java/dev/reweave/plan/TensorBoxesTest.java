package dev.reweave.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class TensorBoxesTest {

  /** Every element is in one box, where torch looks for it. */
  @Property
  void boxesAreTheTensor(
      @ForAll @Size(max = 4) List<@IntRange(min = 1, max = 9) Integer> dims,
      @ForAll @LongRange(min = 1, max = 600) long row,
      @ForAll @LongRange(min = 2, max = 400) long room) {
    Shape shape = Shape.of(dims.stream().map(Integer::longValue).toList());
    TensorBoxes boxes = new TensorBoxes(new TensorSpec("t", DType.BF16, shape), row);
    long at = 0;
    while (at < shape.elements()) {
      long taken = boxes.take(at, room);
      if (taken == 0) {
        assertTrue(row > room, "a row that is not to be cut has no room, and no other has none");
        return;
      }
      assertTrue(taken * 2 <= room);
      TensorBoxes.Box box = TensorBoxes.Box.of(shape, at, at + taken);
      assertEquals(taken, box.sizes().elements());
      for (long element = 0; element < taken; element++) {
        assertEquals(at + element, place(shape, box, element));
      }
      at += taken;
    }
    assertEquals(shape.elements(), at);
  }

  /** The element of the tensor that is one of a box. */
  private static long place(Shape shape, TensorBoxes.Box box, long element) {
    long[] strides = shape.rowMajorStrides();
    long[] ofBox = box.sizes().rowMajorStrides();
    long place = 0;
    for (int dim = 0; dim < shape.rank(); dim++) {
      long index = element / ofBox[dim] % box.sizes().dim(dim);
      place += (box.offsets().get(dim) + index) * strides[dim];
    }
    return place;
  }

  @Test
  void whatHasNoElementsIsOneBox() {
    TensorBoxes.Box box = TensorBoxes.Box.of(Shape.of(3, 0, 2), 0, 0);

    assertEquals(List.of(0L, 0L, 0L), box.offsets());
    assertEquals(Shape.of(3, 0, 2), box.sizes());
    assertEquals(List.of(), TensorBoxes.Box.of(Shape.SCALAR, 0, 1).offsets());
  }
}
