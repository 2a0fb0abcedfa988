package dev.reweave.checkpoint.fsdp;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.checkpoint.fsdp.MadeRanks.Form;
import dev.reweave.checkpoint.fsdp.MadeRanks.Part;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Gathered;
import dev.reweave.testing.StoredTensors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.constraints.IntRange;

/** A tensor that was cut on any mesh in any way comes back as it was. */
class FsdpRoundTripTest {
  /** A mesh, and what its dimensions do to a tensor. */
  record Cut(List<Integer> mesh, List<Part> parts, Shape shape) {}

  @Provide
  static Arbitrary<Cut> cuts() {
    Arbitrary<List<Integer>> meshes =
        Arbitraries.integers().between(1, 4).list().ofMinSize(1).ofMaxSize(3);
    Arbitrary<Shape> shapes =
        Arbitraries.longs().between(0, 9).list().ofMinSize(1).ofMaxSize(3).map(Shape::of);
    return Combinators.combine(meshes, shapes)
        .flatAs(
            (mesh, shape) ->
                part(shape.rank())
                    .list()
                    .ofSize(mesh.size())
                    .map(parts -> new Cut(mesh, parts, shape)));
  }

  private static Arbitrary<Part> part(int rank) {
    Arbitrary<Part> shard =
        Combinators.combine(
                Arbitraries.integers().between(-rank, rank - 1),
                Arbitraries.integers().between(0, 5))
            .as(Part::new);
    return Arbitraries.oneOf(shard, shard, Arbitraries.just(Part.REPLICATE));
  }

  @Property(tries = 150, shrinking = ShrinkingMode.BOUNDED, seed = "20261130")
  void whatWasCutComesBack(@ForAll("cuts") Cut cut, @ForAll Form form) throws IOException {
    Path temp = Files.createTempDirectory("reweave-fsdp-");
    try {
      MadeRanks.write(temp.resolve("in"), cut.mesh(), cut.parts(), cut.shape(), form);

      Gathered gathered = Converting.between(temp.resolve("in"), temp.resolve("out")).gather();

      assertEquals(counted(cut.shape()), gathered.tensors());
      assertEquals(Map.of(), gathered.differences());
    } finally {
      Fixtures.remove(temp);
    }
  }

  /** A tensor whose elements are their own numbers. */
  static Map<String, String> counted(Shape shape) {
    ByteBuffer whole =
        ByteBuffer.allocate(Float.BYTES * (int) shape.elements()).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < shape.elements(); i++) {
      whole.putFloat(i);
    }
    return Map.of("w", StoredTensors.describe(DType.F32, shape.toString(), whole.array()));
  }

  /** A cut of rows and columns, and a number for each block. */
  @Property(tries = 80, shrinking = ShrinkingMode.BOUNDED, seed = "20261130")
  void shardsAreWholeAgain(
      @ForAll("borders") List<Integer> rows,
      @ForAll("borders") List<Integer> columns,
      @ForAll @IntRange(min = 1, max = 5) int world)
      throws IOException {
    List<MadeShards.Box> boxes = new ArrayList<>();
    int row = 0;
    for (int height : rows) {
      int column = 0;
      for (int width : columns) {
        int rank = (row * 7 + column * 3) % world;
        boxes.add(new MadeShards.Box(rank, row, column, height, width));
        column += width;
      }
      row += height;
    }
    Shape shape = Shape.of(row, columns.stream().mapToInt(Integer::intValue).sum());
    Path temp = Files.createTempDirectory("reweave-fsdp-");
    try {
      new MadeShards(shape, world, boxes).write(temp.resolve("in"));

      Gathered gathered = Converting.between(temp.resolve("in"), temp.resolve("out")).gather();

      assertEquals(counted(shape), gathered.tensors());
    } finally {
      Fixtures.remove(temp);
    }
  }

  /** Lengths of blocks that follow each other. */
  @Provide
  static Arbitrary<List<Integer>> borders() {
    return Arbitraries.integers().between(1, 5).list().ofMinSize(1).ofMaxSize(4);
  }

  /** Ranges of indexes, cut again and again, are what lists of them are. */
  @Property(tries = 300, seed = "20261130")
  void spansAreWhatListsAre(@ForAll("lengths") int length, @ForAll("lists") List<Integer> cuts) {
    List<Long> list = new ArrayList<>();
    for (long i = 0; i < length; i++) {
      list.add(i);
    }
    Spans spans = Spans.all(length);
    for (int c = 0; c + 2 < cuts.size(); c += 3) {
      int ranks = cuts.get(c);
      int rank = cuts.get(c + 1) % ranks;
      int factor = cuts.get(c + 2) - 1;
      list = MadeRanks.share(list, new Part(0, factor), ranks, rank);
      spans = factor == 0 ? spans.shard(ranks, rank) : spans.strided(factor, ranks, rank);
    }
    List<Long> found = new ArrayList<>();
    for (Spans.Span span : spans.list()) {
      for (long i = 0; i < span.length(); i++) {
        found.add(span.from() + i);
      }
    }
    assertEquals(list, found);
  }

  @Provide
  static Arbitrary<Integer> lengths() {
    return Arbitraries.integers().between(0, 60);
  }

  @Provide
  static Arbitrary<List<Integer>> lists() {
    return Arbitraries.integers().between(1, 9).list().ofMaxSize(9);
  }
}
