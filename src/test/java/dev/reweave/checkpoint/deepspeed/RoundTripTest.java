package dev.reweave.checkpoint.deepspeed;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.plan.PlanOptions;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Gathered;
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
import java.util.TreeMap;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.Tuple;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;

/**
 * Tensors of any shapes, split as ZeRO does it for any number of ranks by the straight-line writer
 * of the tests, come back as they were, whatever the sizes of shards and chunks.
 */
class RoundTripTest {
  @Provide
  static Arbitrary<List<Shape>> shapes() {
    Arbitrary<Shape> small =
        Arbitraries.longs().between(0, 7).list().ofMaxSize(4).map(dims -> Shape.of(dims));
    Arbitrary<Shape> long1 = Arbitraries.longs().between(1, 40_000).map(n -> Shape.of(n));
    return Arbitraries.frequencyOf(Tuple.of(4, small), Tuple.of(1, long1))
        .list()
        .ofMinSize(1)
        .ofMaxSize(12);
  }

  @Property(tries = 60, shrinking = ShrinkingMode.BOUNDED, seed = "20261124")
  void whatWasSplitComesBack(
      @ForAll("shapes") List<Shape> shapes,
      @ForAll @IntRange(min = 2, max = 3) int stage,
      @ForAll @IntRange(min = 1, max = 13) int world,
      @ForAll @LongRange(min = 1, max = 60_000) long subGroup,
      @ForAll @LongRange(min = 100, max = 400_000) long shard,
      @ForAll @LongRange(min = 64_000, max = 200_000) long chunk)
      throws IOException {
    Path temp = Files.createTempDirectory("reweave-round-trip-");
    try {
      List<TensorSpec> parameters = new ArrayList<>();
      for (int i = 0; i < shapes.size(); i++) {
        parameters.add(new TensorSpec("layer" + i + ".weight", DType.F32, shapes.get(i)));
      }
      SyntheticOptions options = new SyntheticOptions(stage, world).withSubGroupElements(subGroup);
      SyntheticCheckpoint written =
          SyntheticCheckpoint.write(temp.resolve("in"), options, parameters, 5);

      Gathered gathered =
          Converting.between(temp.resolve("in"), temp.resolve("out"))
              .planning(PlanOptions.DEFAULTS.withSizes(shard, chunk))
              .gather();

      assertEquals(expected(parameters, written), gathered.tensors());
    } finally {
      Fixtures.remove(temp);
    }
  }

  private static Map<String, String> expected(
      List<TensorSpec> parameters, SyntheticCheckpoint written) {
    Map<String, String> expected = new TreeMap<>();
    for (int p = 0; p < parameters.size(); p++) {
      TensorSpec spec = parameters.get(p);
      ByteBuffer bytes = ByteBuffer.allocate((int) spec.bytes()).order(ByteOrder.LITTLE_ENDIAN);
      for (int i = 0; i < spec.elements(); i++) {
        bytes.putFloat(written.value(p, i));
      }
      expected.put(
          spec.name(), StoredTensors.describe(DType.F32, spec.shape().toString(), bytes.array()));
    }
    return expected;
  }
}
