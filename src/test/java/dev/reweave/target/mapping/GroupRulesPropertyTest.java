package dev.reweave.target.mapping;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.tensor.NamedTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** Rules that put the rows of a tensor in another order, against loops over arrays. */
class GroupRulesPropertyTest {

  /** A tensor of these lengths, of which element i is at i of its storage. */
  private static NamedTensor tensor(String name, int... dims) {
    return Tensors.tensor(name, IntStream.of(dims).asLongStream().toArray());
  }

  private static List<Long> elements(NamedTensor tensor) {
    List<Long> elements = new ArrayList<>();
    tensor
        .layout()
        .runs(
            0,
            tensor.spec().elements(),
            (s, at, n) -> LongStream.range(at, at + n).forEach(elements::add));
    return elements;
  }

  /** The elements of rows of a tensor that was stacked: those of one layer, row by row. */
  private static List<Long> rows(int layer, int rows, int width, int count, IntUnaryOperator from) {
    List<Long> elements = new ArrayList<>();
    for (int row = 0; row < count; row++) {
      for (int column = 0; column < width; column++) {
        elements.add(((long) layer * rows + from.applyAsInt(row)) * width + column);
      }
    }
    return elements;
  }

  private static Mapped apply(String values, String rule, NamedTensor tensor, Map<String, Long> n) {
    return Tensors.parse(
            "{'name': 'm', 'description': 'd', 'values': {"
                + values
                + "}, 'rules': [{'match': '(\\\\D*)', 'unstack': {'dim': 0, 'then': '${index}'}}, "
                + rule
                + "]}")
        .apply(
            List.of(tensor),
            Map.of(),
            new ModelFacts(Tensors.arguments(n), Map.of(), "", List::of));
  }

  private static final String HEADS =
      "'heads': {'checkpoint': ['h']}, 'groups': {'checkpoint': ['g']},"
          + " 'size': {'checkpoint': ['s']}";

  @Property
  void queriesKeysAndValuesComeOutOfTheirGroups(
      @ForAll @IntRange(min = 1, max = 3) int layers,
      @ForAll @IntRange(min = 1, max = 4) int groups,
      @ForAll @IntRange(min = 1, max = 4) int each,
      @ForAll @IntRange(min = 1, max = 5) int size,
      @ForAll @IntRange(min = 1, max = 3) int width) {
    int rows = groups * (each + 2) * size;
    Mapped mapped =
        apply(
            HEADS,
            "{'match': '(.*)', 'split': {'dim': 0, 'groups': 'groups', 'unit': 'size',"
                + " 'sizes': ['heads/groups', 1, 1], 'into': ['$1.q', '$1.k', '$1.v']}}",
            tensor("qkv", layers, rows, width),
            Map.of("h", (long) groups * each, "g", (long) groups, "s", (long) size));

    for (int layer = 0; layer < layers; layer++) {
      List<NamedTensor> parts = mapped.tensors().subList(3 * layer, 3 * layer + 3);
      assertEquals(
          List.of(layer + ".q", layer + ".k", layer + ".v"),
          parts.stream().map(NamedTensor::name).toList());
      int group = (each + 2) * size;
      assertEquals(
          rows(
              layer,
              rows,
              width,
              groups * each * size,
              row -> row / (each * size) * group + row % (each * size)),
          elements(parts.get(0)));
      assertEquals(
          rows(
              layer,
              rows,
              width,
              groups * size,
              row -> row / size * group + each * size + row % size),
          elements(parts.get(1)));
      assertEquals(
          rows(
              layer,
              rows,
              width,
              groups * size,
              row -> row / size * group + (each + 1) * size + row % size),
          elements(parts.get(2)));
    }
  }

  @Property
  void pairsBecomeHalvesAndPairsAgain(
      @ForAll @IntRange(min = 1, max = 3) int layers,
      @ForAll @IntRange(min = 1, max = 4) int heads,
      @ForAll @IntRange(min = 1, max = 5) int half,
      @ForAll @IntRange(min = 1, max = 3) int width) {
    int rows = heads * 2 * half;
    Map<String, Long> numbers = Map.of("h", (long) heads, "s", 2L * half, "g", 1L);
    NamedTensor tensor = tensor("q", layers, rows, width);
    String halves =
        "'reorder': {'dim': 0, 'as': ['heads', 'size/2', 2], 'order': [0, 2, 1], 'into': '$1.h'}";
    Mapped mapped = apply(HEADS, "{'match': '(.*)', " + halves + "}", tensor, numbers);

    for (int layer = 0; layer < layers; layer++) {
      assertEquals(
          rows(
              layer,
              rows,
              width,
              rows,
              row -> row / (2 * half) * 2 * half + row % half * 2 + row % (2 * half) / half),
          elements(mapped.tensors().get(layer)));
      Mapped back =
          Tensors.parse(
                  "{'name': 'm', 'description': 'd', 'values': {"
                      + HEADS
                      + "}, 'rules': [{'match': '.*', 'reorder': {'dim': 0, 'as': ['heads', 2, '*'],"
                      + " 'order': [0, 2, 1], 'into': 'q'}}]}")
              .apply(
                  List.of(mapped.tensors().get(layer)),
                  Map.of(),
                  new ModelFacts(Tensors.arguments(numbers), Map.of(), "", List::of));
      assertEquals(rows(layer, rows, width, rows, row -> row), elements(back.tensors().get(0)));
    }
  }

  /** Two leading dimensions, one after the other. */
  @Property
  void layersAndExpertsAreUnstacked(
      @ForAll @IntRange(min = 1, max = 3) int layers,
      @ForAll @IntRange(min = 1, max = 4) int experts,
      @ForAll @IntRange(min = 1, max = 3) int inner,
      @ForAll @IntRange(min = 1, max = 3) int width) {
    Mapped mapped =
        Tensors.mapping(
                "{'match': 'fc', 'unstack': {'dim': 0, 'then': '${index}.fc'}}",
                "{'match': '(\\\\d+)\\\\.fc', 'unstack': {'dim': 0, 'then': '$1.${index}.fc'}}",
                "{'match': '(.*)\\\\.fc', 'split': {'dim': 0, 'into': ['$1.gate', '$1.up']}}")
            .apply(List.of(tensor("fc", layers, experts, 2 * inner, width)), Map.of());

    int at = 0;
    for (int layer = 0; layer < layers; layer++) {
      for (int expert = 0; expert < experts; expert++) {
        for (int part = 0; part < 2; part++) {
          NamedTensor tensor = mapped.tensors().get(at++);
          assertEquals(layer + "." + expert + (part == 0 ? ".gate" : ".up"), tensor.name());
          int first = part * inner;
          assertEquals(
              rows(layer * experts + expert, 2 * inner, width, inner, row -> first + row),
              elements(tensor));
        }
      }
    }
    assertEquals(at, mapped.tensors().size());
  }
}
