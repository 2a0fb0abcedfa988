package dev.reweave.target.mapping;

import static dev.reweave.target.mapping.Tensors.mapping;
import static dev.reweave.target.mapping.Tensors.tensor;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Dimensions that become numbers in names, and numbers that become dimensions. */
class StackingTest {
  private static final String UNSTACK =
      "{'match': '(.*)\\\\.gate_up', 'unstack': {'dim': 0, 'split':"
          + " {'dim': 0, 'into': ['$1.${index}.gate', '$1.${index}.up']}}}";
  private static final String STACK =
      "{'match': '(.*)\\\\.(\\\\d+)\\\\.(gate|up)', 'stack': {'to': '$1.gate_up', 'dim': 0,"
          + " 'index': '$2', 'join': {'dim': 0, 'part': '$3', 'order': ['gate', 'up']}}}";
  private static final String PLAIN =
      "{'match': '(.*)\\\\.(\\\\w+)', 'stack': {'to': '$1', 'dim': %d, 'index': '$2'}}";

  private static Mapped apply(Mapping mapping, NamedTensor... tensors) {
    return mapping.apply(List.of(tensors), Map.of());
  }

  private static List<String> names(Mapped mapped) {
    return mapped.tensors().stream().map(NamedTensor::name).toList();
  }

  private static void refuses(String message, Mapping mapping, NamedTensor... tensors) {
    ReweaveException e = assertThrows(ReweaveException.class, () -> apply(mapping, tensors));
    assertEquals(message, e.getMessage());
  }

  /** The number of each element in the storage, in the tensor's order. */
  private static List<Long> elements(NamedTensor tensor) {
    List<Long> elements = new ArrayList<>();
    tensor
        .layout()
        .runs(
            0,
            tensor.spec().elements(),
            (storage, at, count) -> {
              for (long i = 0; i < count; i++) {
                elements.add(at + i);
              }
            });
    return elements;
  }

  private static Mapping unstacking(int dim, String then) {
    return mapping("{'prefix': 'x.', 'unstack': {'dim': " + dim + ", " + then + "}}");
  }

  @Test
  void unstacksAndSplits() {
    Mapped mapped = apply(mapping(UNSTACK), tensor("e.gate_up", 2, 4, 3));

    assertEquals(List.of("e.0.gate", "e.0.up", "e.1.gate", "e.1.up"), names(mapped));
    assertEquals(Shape.of(2, 3), mapped.tensors().get(3).spec().shape());
    assertEquals(List.of("data/e.gate_up@0+6"), Tensors.runs(mapped.tensors().get(0)));
    assertEquals(List.of("data/e.gate_up@6+6"), Tensors.runs(mapped.tensors().get(1)));
    assertEquals(List.of("data/e.gate_up@12+6"), Tensors.runs(mapped.tensors().get(2)));
    assertEquals(new Mapped.Row("e.gate_up", "e.1.up", Shape.of(2, 3)), mapped.rows().get(3));
  }

  @Test
  void takesTheNumberOfPartsFromTheShape() {
    Mapping mapping = unstacking(0, "'into': '$1.${index}'");

    assertEquals(
        List.of("a.0", "b.0", "b.1", "c.0"),
        names(apply(mapping, tensor("x.a", 1, 3), tensor("x.b", 2), tensor("x.c", 1, 0))));
    assertEquals(
        IntStream.range(0, 12).mapToObj(i -> "d." + i).toList(),
        names(apply(mapping, tensor("x.d", 12, 2))));
    assertEquals(Shape.SCALAR, apply(mapping, tensor("x.b", 2)).tensors().get(1).spec().shape());
  }

  @Test
  void unstacksAnInnerDimensionAndSplitsBySizesOrRegroups() {
    Mapped sized =
        apply(
            unstacking(
                1, "'split': {'dim': 1, 'into': ['q${index}', 'k${index}'], 'sizes': [2, 1]}"),
            tensor("x.t", 2, 2, 3));
    assertEquals(List.of("q0", "k0", "q1", "k1"), names(sized));
    assertEquals(List.of(3L, 4L, 9L, 10L), elements(sized.tensors().get(2)));
    assertEquals(Shape.of(2, 1), sized.tensors().get(3).spec().shape());
    assertEquals(List.of(5L, 11L), elements(sized.tensors().get(3)));

    Mapped regrouped =
        apply(
            unstacking(
                0,
                "'split': {'dim': 0, 'parts': 4, 'into': [{'to': 'g${index}', 'take': [0, 2]},"
                    + " {'to': 'u${index}', 'take': [1, 3]}]}"),
            tensor("x.t", 2, 4));
    assertEquals(List.of("g0", "u0", "g1", "u1"), names(regrouped));
    assertEquals(List.of(5L, 7L), elements(regrouped.tensors().get(3)));
  }

  @Test
  void refusesWhatCannotBeUnstacked() {
    Mapping mapping = unstacking(1, "'into': '${index}'");
    String remedy = ": conf/x.json, rule 1; correct the rule, or let it match fewer tensors";
    for (NamedTensor bad : List.of(tensor("x.a"), tensor("x.a", 3), tensor("x.a", 3, 0))) {
      refuses(
          "tensor x.a of shape "
              + bad.spec().shape()
              + " has no dimension 1 that can be unstacked"
              + remedy,
          mapping,
          bad);
    }
    refuses(
        "each part of tensor e.gate_up of shape [3, 2] has no dimension 0 that can be cut into 2"
            + " equal parts"
            + remedy,
        mapping(UNSTACK),
        tensor("e.gate_up", 2, 3, 2));
    refuses(
        "several tensors would become 1 tensor: 0 (from x.a, x.b): conf/x.json;"
            + " correct the rules so that each gets a name of its own",
        mapping,
        tensor("x.a", 1, 1),
        tensor("x.b", 1, 1));
  }

  /** A shape is a statement: that of an empty tensor can state as many parts as it likes. */
  @Test
  void refusesTooManyParts() {
    refuses(
        "tensor x.b of shape [600000, 0] would be unstacked into 600000 parts, and all are to be"
            + " 1000000 at most: conf/x.json, rule 1;"
            + " correct the rule, or let it match fewer tensors",
        unstacking(0, "'into': '$1.${index}'"),
        tensor("x.a", 600_000, 0),
        tensor("x.b", 600_000, 0));
    refuses(
        "tensor x.a of shape [9223372036854775807, 0] would be unstacked into"
            + " 9223372036854775807 parts, and all are to be 1000000 at most: conf/x.json, rule 1;"
            + " correct the rule, or let it match fewer tensors",
        unstacking(0, "'into': '$1.${index}'"),
        tensor("x.a", Long.MAX_VALUE, 0));
  }

  @Test
  void stacksByNumberWhateverTheOrder() {
    List<NamedTensor> parts = new ArrayList<>();
    IntStream.range(0, 12).forEach(i -> parts.add(tensor("t." + i, 2)));
    Collections.reverse(parts);

    Mapped mapped = mapping(String.format(PLAIN, 0)).apply(parts, Map.of());

    assertEquals(List.of("t"), names(mapped));
    assertEquals(Shape.of(12, 2), mapped.tensors().get(0).spec().shape());
    assertEquals(
        IntStream.range(0, 12).mapToObj(i -> "data/t." + i + "@0+2").toList(),
        Tensors.runs(mapped.tensors().get(0)));
    assertEquals(new Mapped.Row("t.11", "t", Shape.of(2)), mapped.rows().get(0));
  }

  @Test
  void stacksAlongAnInnerDimension() {
    Mapped mapped =
        apply(mapping(String.format(PLAIN, 1)), tensor("t.0", 2, 2), tensor("t.1", 2, 2));

    assertEquals(Shape.of(2, 2, 2), mapped.tensors().get(0).spec().shape());
    assertEquals(
        List.of("data/t.0@0+2", "data/t.1@0+2", "data/t.0@2+2", "data/t.1@2+2"),
        Tensors.runs(mapped.tensors().get(0)));
  }

  @Test
  void stacksScalars() {
    Mapped mapped = apply(mapping(String.format(PLAIN, 0)), tensor("t.1"), tensor("t.0"));

    assertEquals(Shape.of(2), mapped.tensors().get(0).spec().shape());
    assertEquals(List.of("data/t.0@0+1", "data/t.1@0+1"), Tensors.runs(mapped.tensors().get(0)));
  }

  @Test
  void joinsThePiecesOfEachPartFirst() {
    Mapped mapped =
        apply(
            mapping(STACK),
            tensor("e.1.up", 2, 3),
            tensor("e.0.up", 2, 3),
            tensor("e.0.gate", 2, 3),
            tensor("e.1.gate", 2, 3));

    assertEquals(List.of("e.gate_up"), names(mapped));
    assertEquals(Shape.of(2, 4, 3), mapped.tensors().get(0).spec().shape());
    assertEquals(
        List.of("data/e.0.gate@0+6", "data/e.0.up@0+6", "data/e.1.gate@0+6", "data/e.1.up@0+6"),
        Tensors.runs(mapped.tensors().get(0)));
  }

  @Test
  void refusesPartsThatAreMissing() {
    String remedy =
        ": conf/x.json; check that the checkpoint is whole and that this is the mapping for it";
    refuses(
        "parts are missing of 1 tensor: t (lacks number 0, numbers 2 to 4, number 6)" + remedy,
        mapping(String.format(PLAIN, 0)),
        tensor("t.7", 1),
        tensor("t.5", 1),
        tensor("t.1", 1));
    refuses(
        "parts are missing of 1 tensor: t (lacks numbers 0 to 999999998)" + remedy,
        mapping(String.format(PLAIN, 0)),
        tensor("t.999999999", 1));
    refuses(
        "parts are missing of 2 tensors: e.gate_up (lacks number 1, up of number 2),"
            + " f.gate_up (lacks gate of number 0)"
            + remedy,
        mapping(STACK),
        tensor("e.0.gate", 1),
        tensor("e.0.up", 1),
        tensor("e.2.gate", 1),
        tensor("f.0.up", 1));
  }

  @Test
  void refusesPartsThatAreNone() {
    Mapping mapping = mapping(String.format(PLAIN, 0));
    for (String number : List.of("x", "01", "1000000000", "٣")) {
      refuses(
          "tensor t."
              + number
              + " is number '"
              + number
              + "' of t, which is no number such as 0 or 12: conf/x.json, rule 1; correct the rule",
          mapping(String.format(PLAIN, 0).replace("\\\\w", ".")),
          tensor("t." + number, 1));
    }
    refuses(
        "a.0 and b.0 are both number 0 of w: conf/x.json, rule 1; correct the rule",
        mapping("{'match': '.*(\\\\d)', 'stack': {'to': 'w', 'dim': 0, 'index': '$1'}}"),
        tensor("a.0", 1),
        tensor("b.0", 1));
    refuses(
        "parts of t are of different types: t.0 BF16 [1], t.1 F32 [1]: conf/x.json, rule 1;"
            + " correct the rule",
        mapping,
        tensor("t.0", 1),
        tensor(DType.F32, "t.1", 1));
    refuses(
        "parts of t are of different shapes: t.0 BF16 [2, 3], t.1 BF16 [3, 2]: conf/x.json, rule 1;"
            + " correct the rule",
        mapping,
        tensor("t.0", 2, 3),
        tensor("t.1", 3, 2));
    refuses(
        "parts of t cannot be stacked along dimension 2: t.0 BF16 [4]: conf/x.json, rule 1;"
            + " correct the rule",
        mapping(String.format(PLAIN, 2)),
        tensor("t.0", 4));
  }

  @Test
  void refusesPiecesThatMakeNoPart() {
    refuses(
        "parts of number 1 of e.gate_up are of different types: e.1.gate BF16 [2, 3],"
            + " e.1.up F32 [2, 3]: conf/x.json, rule 1; correct the rule",
        mapping(STACK),
        tensor("e.1.gate", 2, 3),
        tensor(DType.F32, "e.1.up", 2, 3));
    refuses(
        "parts of e.gate_up are of different shapes: number 0 of e.gate_up BF16 [2],"
            + " number 1 of e.gate_up BF16 [3]: conf/x.json, rule 1; correct the rule",
        mapping(STACK),
        tensor("e.0.gate", 1),
        tensor("e.0.up", 1),
        tensor("e.1.gate", 1),
        tensor("e.1.up", 2));
    refuses(
        "tensor e.1.x is part 'x' of number 1 of e.gate_up, which has [gate, up]:"
            + " conf/x.json, rule 1; correct the rule",
        mapping(STACK.replace("gate|up", ".*")),
        tensor("e.1.x", 1));
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "0, 1", "1, 0", "1, 1", "2, 0", "2, 1"})
  void thereAndBackIsTheSame(int dim, int inner) {
    String each = "'split': {'dim': " + inner + ", 'into': ['$1.${index}.gate', '$1.${index}.up']}";
    Mapping back =
        mapping(
            STACK
                .replace("'$1.gate_up', 'dim': 0", "'x.$1', 'dim': " + dim)
                .replace("'join': {'dim': 0", "'join': {'dim': " + inner));
    NamedTensor whole = tensor("x.t", 4, 6, 2);

    Mapped apart = apply(unstacking(dim, each), whole);
    NamedTensor again = back.apply(apart.tensors(), Map.of()).tensors().get(0);

    assertEquals(whole.spec(), again.spec());
    assertEquals(elements(whole), elements(again));
    Mapping wrong = mapping(STACK.replace("['gate', 'up']", "['up', 'gate']"));
    assertNotEquals(
        elements(whole), elements(wrong.apply(apart.tensors(), Map.of()).tensors().get(0)));
  }

  @Test
  void makesTensorsOfTiedNamesThatAreUnstacked() {
    Mapped mapped =
        mapping("{'match': '(.*)', 'unstack': {'dim': 0, 'into': '$1.${index}'}}")
            .apply(List.of(tensor("emb", 2, 3)), Map.of("head", "emb"));

    assertEquals(List.of("emb.0", "emb.1", "head.0", "head.1"), names(mapped));
    assertEquals(List.of("data/emb@3+3"), Tensors.runs(mapped.tensors().get(3)));
    assertEquals(Map.of(), mapped.aliases());
  }
}
