package dev.reweave.checkpoint.deepspeed;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.plan.Format;
import dev.reweave.plan.PlanOptions;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.StoredTensors;
import dev.reweave.testing.SyntheticCheckpoint;
import dev.reweave.testing.SyntheticOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;

/**
 * Masters and moments of parameters of any shapes, split as ZeRO does it for any number of ranks by
 * the straight-line writer of the tests, are whole in a universal checkpoint.
 */
class StatesRoundTripTest {
  @Provide
  static Arbitrary<List<Shape>> shapes() {
    return RoundTripTest.shapes();
  }

  @Property(tries = 60, shrinking = ShrinkingMode.BOUNDED, seed = "20261201")
  void whatWasSplitIsWhole(
      @ForAll("shapes") List<Shape> shapes,
      @ForAll @IntRange(min = 2, max = 3) int stage,
      @ForAll @IntRange(min = 1, max = 13) int world,
      @ForAll @LongRange(min = 1, max = 60_000) long subGroup,
      @ForAll @LongRange(min = 64_000, max = 200_000) long chunk)
      throws IOException {
    Path temp = Files.createTempDirectory("reweave-states-");
    try {
      List<TensorSpec> parameters = new ArrayList<>();
      for (int i = 0; i < shapes.size(); i++) {
        parameters.add(new TensorSpec("layer" + i + ".weight", DType.F32, shapes.get(i)));
      }
      SyntheticOptions options =
          new SyntheticOptions(stage, world)
              .with(SyntheticOptions.Moments.ADAM)
              .withSubGroupElements(subGroup);
      SyntheticCheckpoint written =
          SyntheticCheckpoint.write(temp.resolve("in"), options, parameters, 5);

      Map<String, String> made =
          Converting.between(temp.resolve("in"), temp.resolve("out"))
              .planning(
                  PlanOptions.DEFAULTS
                      .with(PlanOptions.FORMAT, Format.UNIVERSAL)
                      .with(PlanOptions.CHUNK_SIZE, Optional.of(chunk / 8 * 8)))
              .gather()
              .tensors();

      assertEquals(expected(parameters, written), made);
    } finally {
      Fixtures.remove(temp);
    }
  }

  private static Map<String, String> expected(
      List<TensorSpec> parameters, SyntheticCheckpoint written) {
    Map<String, String> expected = new TreeMap<>();
    for (int p = 0; p < parameters.size(); p++) {
      TensorSpec spec = parameters.get(p);
      int param = p;
      if (spec.elements() == 0) {
        continue; // Its files have no elements that anything could give.
      }
      put(expected, spec, "", e -> written.value(param, e));
      put(expected, spec, "/exp_avg", e -> written.moment(0, param, e));
      put(expected, spec, "/exp_avg_sq", e -> written.moment(1, param, e));
    }
    return expected;
  }

  /** One element of a tensor. */
  private interface Values {
    float at(long element);
  }

  private static void put(
      Map<String, String> expected, TensorSpec spec, String state, Values values) {
    ByteBuffer bytes = ByteBuffer.allocate((int) spec.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < spec.elements(); i++) {
      bytes.putFloat(values.at(i));
    }
    String shape = spec.shape().rank() == 0 ? Shape.of(1).toString() : spec.shape().toString();
    expected.put(spec.name() + state, StoredTensors.describe(DType.F32, shape, bytes.array()));
  }
}
