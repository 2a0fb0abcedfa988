package dev.reweave.target.mapping;

import static dev.reweave.target.mapping.Tensors.mapping;
import static dev.reweave.target.mapping.Tensors.parse;
import static dev.reweave.target.mapping.Tensors.tensor;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class MappingTest {
  private static final String QKV =
      "{'match': '(.*)\\\\.(q|k|v)', 'join':"
          + " {'to': '$1.qkv', 'dim': 0, 'part': '$2', 'order': ['q', 'k', 'v']}}";
  private static final String REST = "{'match': '.*', 'rename': '$0'}";

  private static Mapped apply(Mapping mapping, NamedTensor... tensors) {
    return mapping.apply(List.of(tensors), Map.of());
  }

  private static List<String> names(Mapped mapped) {
    return mapped.tensors().stream().map(NamedTensor::name).toList();
  }

  /** Without a base. */
  private static boolean recognises(Mapping mapping, String... names) {
    return mapping.recognises(List.of(names), () -> ModelFacts.NONE);
  }

  private static ModelFacts withNames(String... ofBase) {
    return ModelFacts.of(Map.of(), Optional.empty(), () -> List.of(ofBase));
  }

  private static void refuses(String message, Mapping mapping, NamedTensor... tensors) {
    ReweaveException e = assertThrows(ReweaveException.class, () -> apply(mapping, tensors));
    assertEquals(message, e.getMessage());
  }

  @Test
  void tellsWhatItIs() {
    Mapping mapping =
        parse(
            "{'name': 'n', 'description': 'd', 'component': 'vae', 'weightsName': 'w_1.x',"
                + " 'recognise': {'all': ['a.*', 'b'], 'none': ['c']}, 'rules': ["
                + REST
                + "]}");
    assertEquals("n", mapping.name());
    assertEquals("d", mapping.description());
    assertEquals(Optional.of("vae"), mapping.component());
    assertEquals(Optional.of("w_1.x"), mapping.weightsName());
    assertTrue(mapping.json().startsWith("{\"name\": \"n\""));
    assertTrue(recognises(mapping, "x", "b", "a.1"));
    assertFalse(recognises(mapping, "x", "b.1", "a.1"), "a whole name has to match");
    assertFalse(recognises(mapping, "b", "a.1", "c"));
    assertFalse(recognises(mapping(REST), "a"));
    assertEquals(Optional.empty(), mapping(REST).component());
    assertEquals(Optional.empty(), mapping(REST).weightsName());
  }

  @Test
  void recognisesByTheNamesOfABase() {
    Mapping mapping =
        parse(
            "{'name': 'n', 'description': 'd', 'recognise': {'all': ['a'],"
                + " 'base': {'all': ['b'], 'none': ['a']}}, 'rules': ["
                + REST
                + "]}");

    assertTrue(mapping.recognises(List.of("a"), () -> withNames("b", "c")));
    assertFalse(recognises(mapping, "a"), "without a base");
    assertFalse(mapping.recognises(List.of("a"), () -> withNames("b", "a")));
    assertFalse(mapping.recognises(List.of("a"), () -> withNames("c")));
    Supplier<ModelFacts> unread =
        () -> {
          throw new AssertionError("the base is read");
        };
    assertFalse(mapping.recognises(List.of("c"), unread), "the checkpoint's names decide");
    assertEquals(List.of(), Mappings.recognise(List.of("a"), unread));
  }

  @Test
  void renamesByTheFirstRuleThatMatchesTheWholeName() {
    Mapping mapping =
        mapping(
            "{'match': 'layers\\\\.(\\\\d+)\\\\.(?<kind>w|b)', 'rename': 'h.$1.${kind}'}",
            "{'match': 'layers.*', 'rename': 'late.$0'}",
            "{'prefix': 'module.(', 'rename': ''}",
            "{'prefix': 'module.', 'rename': '$1.'}",
            "{'match': '(a)|(x)', 'rename': '$1$2.n'}");
    Mapped mapped =
        apply(
            mapping,
            tensor("layers.10.w", 2),
            tensor("layers.1.w.x", 3),
            tensor("module.(y", 4),
            tensor("module.z", 5),
            tensor("x"));
    assertEquals(List.of("h.10.w", "late.layers.1.w.x", "y", "$1.z", "x.n"), names(mapped));
    assertEquals(List.of("data/layers.10.w@0+2"), Tensors.runs(mapped.tensors().get(0)));
    assertEquals(List.of(), mapped.notes());
    assertEquals(Map.of(), mapped.aliases());
    assertEquals(new Mapped.Row("layers.10.w", "h.10.w", Shape.of(2)), mapped.rows().get(0));
  }

  @Test
  void translatesNamedGroups() {
    Mapping mapping =
        mapping(
            "{'match': 'up\\\\.(?<block>\\\\d)\\\\.(?<part>w)', 'rename': 'u.${block}.$1.${part}',"
                + " 'translate': {'block': {'0': '3', '1': '2'}}}");
    assertEquals(
        List.of("u.3.0.w", "u.2.1.w"), names(apply(mapping, tensor("up.0.w"), tensor("up.1.w"))));
    refuses(
        "'translate' has no entry for group 'block' of tensor up.4.w: conf/x.json, rule 1;"
            + " add it, or let the rule match fewer tensors",
        mapping,
        tensor("up.4.w"));
  }

  @Test
  void matchesShapes() {
    Mapping mapping = mapping("{'match': 'a', 'shape': [1, '*', 3], 'drop': 'r'}", REST);
    assertEquals(List.of("b"), names(apply(mapping, tensor("a", 1, 7, 3), tensor("b", 1, 7, 3))));
    assertEquals(List.of("a"), names(apply(mapping, tensor("a", 1, 7, 4))));
    assertEquals(List.of("a"), names(apply(mapping, tensor("a", 1, 7))));
  }

  @Test
  void splitsIntoEqualParts() {
    Mapping mapping =
        mapping("{'match': '(.*)\\\\.qkv', 'split': {'dim': 0, 'into': ['$1.q', '$1.k', '$1.v']}}");
    Mapped mapped = apply(mapping, tensor("a.qkv", 6, 5));
    assertEquals(List.of("a.q", "a.k", "a.v"), names(mapped));
    assertEquals(Shape.of(2, 5), mapped.tensors().get(1).spec().shape());
    assertEquals(List.of("data/a.qkv@10+10"), Tensors.runs(mapped.tensors().get(1)));
    assertEquals(new Mapped.Row("a.qkv", "a.k", Shape.of(2, 5)), mapped.rows().get(1));
    String remedy =
        " 3 equal parts: conf/x.json, rule 1; correct the rule, or let it match fewer tensors";
    refuses(
        "tensor a.qkv of shape [7, 3] has no dimension 0 that can be cut into" + remedy,
        mapping,
        tensor("a.qkv", 7, 3));
    refuses(
        "tensor a.qkv of shape [] has no dimension 0 that can be cut into" + remedy,
        mapping,
        tensor("a.qkv"));
  }

  @Test
  void splitsIntoPartsOfDifferentSizes() {
    Mapped mapped =
        apply(
            mapping(
                "{'prefix': 'x.', 'split': {'dim': 1, 'into': ['q.$1', 'k.$1', 'v.$1'],"
                    + " 'sizes': [4, 1, 1]}}"),
            tensor("x.w", 2, 12));
    assertEquals(List.of("q.w", "k.w", "v.w"), names(mapped));
    assertEquals(Shape.of(2, 8), mapped.tensors().get(0).spec().shape());
    assertEquals(List.of("data/x.w@10+2", "data/x.w@22+2"), Tensors.runs(mapped.tensors().get(2)));
  }

  @Test
  void splitsAndRegroups() {
    Mapped mapped =
        apply(
            mapping(
                "{'match': '(.*)', 'split': {'dim': 0, 'parts': 6, 'into': ["
                    + "{'to': '$1.a', 'take': [0, 1, 4]}, {'to': '$1.b', 'take': [5, 2, 3]}]}}"),
            tensor("t", 12, 2));
    assertEquals(List.of("t.a", "t.b"), names(mapped));
    assertEquals(Shape.of(6, 2), mapped.tensors().get(0).spec().shape());
    assertEquals(List.of("data/t@0+8", "data/t@16+4"), Tensors.runs(mapped.tensors().get(0)));
    assertEquals(List.of("data/t@20+4", "data/t@8+8"), Tensors.runs(mapped.tensors().get(1)));
  }

  @Test
  void joinsInTheOrderOfTheRuleWhereTheFirstPartStood() {
    Mapped mapped =
        apply(
            mapping(QKV, REST),
            tensor("a.v", 2, 3),
            tensor("n", 1),
            tensor("b.k", 1),
            tensor("a.q", 4, 3),
            tensor("b.q", 1),
            tensor("a.k", 2, 3),
            tensor("b.v", 1));
    assertEquals(List.of("a.qkv", "n", "b.qkv"), names(mapped));
    assertEquals(Shape.of(8, 3), mapped.tensors().get(0).spec().shape());
    assertEquals(
        List.of("data/a.q@0+12", "data/a.k@0+6", "data/a.v@0+6"),
        Tensors.runs(mapped.tensors().get(0)));
    assertEquals(new Mapped.Row("a.q", "a.qkv", Shape.of(4, 3)), mapped.rows().get(3));
  }

  @Test
  void refusesPartsThatMakeNoWhole() {
    Mapping mapping = mapping(QKV);
    refuses(
        "parts are missing of 2 tensors: a.qkv (lacks k, v), b.qkv (lacks q): conf/x.json;"
            + " check that the checkpoint is whole and that this is the mapping for it",
        mapping,
        tensor("a.q", 1),
        tensor("b.k", 1),
        tensor("b.v", 1));
    refuses(
        "parts of a.qkv are of different types: a.q BF16 [1], a.k F32 [1]: conf/x.json, rule 1;"
            + " correct the rule",
        mapping,
        tensor("a.q", 1),
        tensor(DType.F32, "a.k", 1));
    for (NamedTensor other : List.of(tensor("a.k", 3, 2), tensor("a.k", 3))) {
      refuses(
          "parts of a.qkv are of shapes that do not go together along dimension 0:"
              + " a.q BF16 [3, 1], a.k BF16 "
              + other.spec().shape()
              + ": conf/x.json, rule 1; correct the rule",
          mapping,
          tensor("a.q", 3, 1),
          other);
    }
    refuses(
        "parts of a.qkv are of shapes that do not go together along dimension 0:"
            + " a.q BF16 [], a.q BF16 []: conf/x.json, rule 1; correct the rule",
        mapping,
        tensor("a.q"));
    String any =
        "{'match': '(.*)\\\\.(.*)', 'join':"
            + " {'to': 'w', 'dim': 0, 'part': '$2', 'order': ['0', '1']}}";
    refuses(
        "a.0 and b.0 are both part '0' of w: conf/x.json, rule 1; correct the rule",
        mapping(any),
        tensor("a.0", 1),
        tensor("b.0", 1));
    refuses(
        "tensor a.2 is part '2' of w, which has [0, 1]: conf/x.json, rule 1; correct the rule",
        mapping(any),
        tensor("a.2", 1));
  }

  @Test
  void countsWhatItLeavesOut() {
    List<NamedTensor> tensors = new ArrayList<>();
    IntStream.range(0, 12).forEach(i -> tensors.add(tensor("d" + i, 1)));
    tensors.add(tensor("a", 1));
    tensors.add(tensor("e", 2));
    Mapped mapped =
        apply(
            mapping("{'prefix': 'd', 'drop': 'tables'}", "{'match': 'e', 'drop': 'extra'}", REST),
            tensors.toArray(NamedTensor[]::new));
    assertEquals(List.of("a"), names(mapped));
    assertEquals(
        List.of(
            "left out 12 tensors (tables): d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, and 2 more",
            "left out 1 tensor (extra): e"),
        mapped.notes());
    assertEquals(new Mapped.Row("e", "", Shape.of(2)), mapped.rows().get(13));
  }

  @Test
  void placesEveryTensorOnce() {
    NamedTensor[] many =
        IntStream.range(0, 12).mapToObj(i -> tensor("t" + i)).toArray(NamedTensor[]::new);
    refuses(
        "no rule places 12 tensors: t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, and 2 more:"
            + " conf/x.json; add rules for them, or a 'drop' rule to leave them out",
        mapping("{'match': 'a', 'rename': 'b'}"),
        many);
    refuses(
        "several tensors would become 2 tensors: x (from x.1, x.2), y (from y.1, y): conf/x.json;"
            + " correct the rules so that each gets a name of its own",
        mapping("{'match': '(.)\\\\..', 'rename': '$1'}", REST),
        tensor("x.1"),
        tensor("x.2"),
        tensor("y.1"),
        tensor("y"));
    refuses(
        "tensor a gets an empty name: conf/x.json, rule 1; correct the rule",
        mapping("{'match': '(b?)a', 'rename': '$1'}"),
        tensor("a"));
    refuses(
        "the mapping leaves no tensor: all 1 are left out: conf/x.json;"
            + " check that this is the mapping for the checkpoint",
        mapping("{'prefix': 'a', 'drop': 'd'}"),
        tensor("a"));
  }

  /** A joined tensor and a renamed one, and wholes of two rules. */
  @Test
  void refusesOneNameForAWholeAndAnother() {
    String join =
        "{'match': '%s\\\\.(.)', 'join': {'to': 'w', 'dim': 0, 'part': '$1', 'order': ['0']}}";
    refuses(
        "several tensors would become 1 tensor: w (from a.0, b.0, w): conf/x.json;"
            + " correct the rules so that each gets a name of its own",
        mapping(String.format(join, "a"), String.format(join, "b"), REST),
        tensor("a.0", 1),
        tensor("b.0", 1),
        tensor("w", 1));
  }

  @Test
  void requiresNames() {
    Mapping mapping =
        mapping(
            "{'prefix': 'm.', 'rename': ''}",
            "{'require': ['head']}",
            "{'match': '(h\\\\.\\\\d+)\\\\..*', 'require': ['$1.w', '$1.b']}");

    assertEquals(
        3, apply(mapping, tensor("m.head"), tensor("m.h.0.w"), tensor("m.h.0.b")).rows().size());
    refuses(
        "the mapped model lacks 3 tensors: head, h.0.b, h.10.w: conf/x.json;"
            + " check that the checkpoint is whole and that this is the mapping for it",
        mapping,
        tensor("m.h.0.w"),
        tensor("m.h.10.b"));
    NamedTensor[] many =
        IntStream.range(0, 12).mapToObj(i -> tensor("m.h." + i + ".w")).toArray(NamedTensor[]::new);
    refuses(
        "the mapped model lacks 13 tensors: head, h.0.b, h.1.b, h.2.b, h.3.b, h.4.b, h.5.b, h.6.b,"
            + " h.7.b, h.8.b, and 3 more: conf/x.json;"
            + " check that the checkpoint is whole and that this is the mapping for it",
        mapping,
        many);
  }

  private static Mapped tied(Mapping mapping, String... aliases) {
    Map<String, String> tied = new LinkedHashMap<>();
    Arrays.stream(aliases).forEach(alias -> tied.put(alias, "emb"));
    return mapping.apply(List.of(tensor("emb", 4, 2), tensor("n", 1)), tied);
  }

  @Test
  void keepsTiesOfRenamedTensors() {
    Mapped mapped = tied(mapping("{'match': '.*', 'rename': 'x.$0'}"), "head", "tail");
    assertEquals(List.of("x.emb", "x.n"), names(mapped));
    assertEquals(Map.of("x.head", "x.emb", "x.tail", "x.emb"), mapped.aliases());
    assertEquals(new Mapped.Row("head", "x.head", Shape.of(4, 2)), mapped.rows().get(2));
  }

  @Test
  void forgetsTiedNamesThatAreLeftOut() {
    Mapped mapped = tied(mapping("{'match': 'head', 'drop': 'tied'}", REST), "head");
    assertEquals(List.of("emb", "n"), names(mapped));
    assertEquals(Map.of(), mapped.aliases());
  }

  @Test
  void keepsATiedTensorUnderTheNameThatIsLeft() {
    Mapped mapped = tied(mapping("{'match': 'emb', 'drop': 'tied'}", REST), "head", "tail");
    assertEquals(List.of("n", "head"), names(mapped));
    assertEquals(List.of("data/emb@0+8"), Tensors.runs(mapped.tensors().get(1)));
    assertEquals(Map.of("tail", "head"), mapped.aliases());
  }

  @Test
  void makesTensorsOfTiedNamesThatAreCut() {
    String split = "{'match': '%s', 'split': {'dim': 0, 'into': ['$0.0', '$0.1']}}";
    Mapped alias = tied(mapping(String.format(split, "head"), REST), "head");
    assertEquals(List.of("emb", "n", "head.0", "head.1"), names(alias));
    assertEquals(Map.of(), alias.aliases());
    Mapped kept = tied(mapping(String.format(split, "emb"), REST), "head", "tail");
    assertEquals(List.of("emb.0", "emb.1", "n", "head"), names(kept));
    assertEquals(Map.of("tail", "head"), kept.aliases());
    String join =
        "{'match': '(emb|head)', 'join':"
            + " {'to': 'both', 'dim': 0, 'part': '$1', 'order': ['head', 'emb']}}";
    Mapped joined = tied(mapping(join, REST), "head");
    assertEquals(List.of("both", "n"), names(joined));
    assertEquals(List.of("data/emb@0+8", "data/emb@0+8"), Tensors.runs(joined.tensors().get(0)));
  }

  @Test
  void givesTiedNamesNamesOfTheirOwn() {
    ReweaveException e =
        assertThrows(
            ReweaveException.class,
            () -> tied(mapping("{'match': 'emb|head', 'rename': 'w'}", REST), "head"));
    assertTrue(
        e.getMessage().startsWith("several tensors would become 1 tensor: w (from emb, head)"));
  }
}
