package dev.reweave.target.mapping;

import static dev.reweave.target.mapping.Tensors.tensor;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rules whose numbers are those of a model: from its checkpoint, or the config of its base. */
class ValuesTest {
  private static final String VALUES =
      "'values': {'heads': {'checkpoint': ['h'], 'base': ['heads']},"
          + " 'groups': {'checkpoint': ['g'], 'base': ['kv', 'heads']},"
          + " 'size': {'base': ['head_dim', 'hidden/heads']},"
          + " 'rows': {'checkpoint': ['v'], 'base': ['vocab'], 'kind': 'room'}}";
  private static final String QKV =
      "{'match': 'w', 'split': {'dim': 0, 'groups': 'groups', 'sizes': ['heads/groups', 1, 1],"
          + " 'into': ['q', 'k', 'v']}}";
  private static final String CUT =
      "{'match': 'w', 'cut': {'dim': 0, 'length': 'rows', 'into': 'x'}}";
  private static final String HALVES =
      "{'match': 'w', 'reorder': {'dim': 0, 'as': ['heads', 'size/2', 2], 'order': [0, 2, 1],"
          + " 'into': 'x'}}";

  private static Mapping mapping(String rule) {
    return Tensors.parse(
        "{'name': 'm', 'description': 'd', " + VALUES + ", 'rules': [" + rule + "]}");
  }

  /** Numbers as {@code h=4 g=2}. */
  private static ModelFacts facts(String trained, String config) throws IOException {
    StringBuilder json = new StringBuilder("{\"model_type\": \"t\", \"n\": null, \"f\": 1.5");
    numbers(config).forEach((k, v) -> json.append(", \"" + k + "\": " + v));
    return ModelFacts.of(
        Tensors.arguments(numbers(trained)),
        Optional.of(new ObjectMapper().readTree(json.append("}").toString())),
        Set::of);
  }

  private static Map<String, Long> numbers(String text) {
    Map<String, Long> numbers = new TreeMap<>();
    for (String pair : text.isBlank() ? new String[0] : text.strip().split(" ", -1)) {
      numbers.put(pair.split("=", -1)[0], Long.valueOf(pair.split("=", -1)[1]));
    }
    return numbers;
  }

  private static List<String> applied(String rule, ModelFacts facts, long... dims) {
    return mapping(rule).apply(List.of(tensor("w", dims)), Map.of(), facts).tensors().stream()
        .map(t -> t.name() + t.spec().shape())
        .toList();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          h=4 g=2 |                 | q[8, 3] k[4, 3] v[4, 3]
          h=4     | kv=2            | q[8, 3] k[4, 3] v[4, 3]
                  | heads=4 kv=2    | q[8, 3] k[4, 3] v[4, 3]
          h=4 g=2 | heads=4 kv=2    | q[8, 3] k[4, 3] v[4, 3]
          h=6 g=2 | kv=2            | q[9, 3] k[3, 3] v[3, 3]
          """)
  void numbersComeFromTheCheckpointOrTheBase(String trained, String config, String expected)
      throws IOException {
    ModelFacts facts = facts(text(trained), text(config));
    long rows = expected.contains("[9") ? 15 : 16;
    // With 6 heads in 2 groups a group has 3 + 2 parts, and 15 rows are no 10 of them.
    if (rows == 15) {
      assertEquals(
          "tensor w of shape [15, 3] has no dimension 0 of 2 groups (groups) of 3 + 1 + 1 parts"
              + " (heads/groups, 1, 1)",
          refused(QKV, facts, 15, 3));
    } else {
      assertEquals(List.of(expected.split(" (?=[a-z])", -1)), applied(QKV, facts, rows, 3));
    }
  }

  private static String text(String cell) {
    return cell == null ? "" : cell;
  }

  private static String refused(String rule, ModelFacts facts, long... dims) {
    return assertThrows(ReweaveException.class, () -> applied(rule, facts, dims)).problem();
  }

  @Test
  void aConfigWithoutGroupsHasOneForEachHead() throws IOException {
    assertEquals(
        List.of("q[4, 3]", "k[4, 3]", "v[4, 3]"), applied(QKV, facts("", "heads=4"), 12, 3));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          g=2         |              | the mapping needs the number 'heads', which h of the checkpoint or heads of the base's config.json would tell, and nothing does
          h=4 g=2     | kv=4         | the checkpoint was trained with g 2, and the config.json of the base has kv 4 ('groups' of the mapping)
          h=4 g=3     |              | 'heads/groups' is no whole number above 0: heads is 4, groups is 3
          h=4 g=0     |              | 'groups' is no whole number above 0: groups is 0
          """)
  void numbersThatDoNotGoTogetherAreRefused(String trained, String config, String problem)
      throws IOException {
    assertEquals(problem, refused(QKV, facts(text(trained), text(config)), 16, 3));
  }

  @Test
  void aLengthThatIsToBeProvenIs() throws IOException {
    String rule = QKV.replace("'sizes'", "'unit': 'size', 'sizes'");
    assertEquals(
        List.of("q[8, 3]", "k[4, 3]", "v[4, 3]"),
        applied(rule, facts("", "heads=4 kv=2 hidden=8 head_dim=2"), 16, 3));
    assertEquals(
        "tensor w of shape [16, 3] has no dimension 0 of 2 groups (groups) of 2 + 1 + 1 parts of"
            + " length 3 (heads/groups, 1, 1)",
        refused(rule, facts("", "heads=4 kv=2 hidden=12"), 16, 3));
  }

  @Test
  void dimensionsThatDoNotMakeUpALengthAreRefused() throws IOException {
    assertEquals(List.of("x[8, 3]"), applied(HALVES, facts("", "heads=2 head_dim=4"), 8, 3));
    assertEquals(
        "tensor w of shape [12, 3] has no dimension 0 that is 2 x 2 x 2 (heads, size/2, 2)",
        refused(HALVES, facts("", "heads=2 head_dim=4"), 12, 3));
    assertEquals(
        "'size/2' is no whole number above 0: size is 3",
        refused(HALVES, facts("", "heads=2 head_dim=3"), 6, 3));
    assertEquals(
        "tensor w of shape [12, 3] has no dimension 2 that is 2 x 3 x 2 (heads, size/2, 2)",
        refused(HALVES.replace("'dim': 0", "'dim': 2"), facts("", "heads=2 head_dim=6"), 12, 3));
  }

  @Test
  void aVocabularyIsCutToWhatTheBaseHas() throws IOException {
    assertEquals(List.of("x[5, 3]"), applied(CUT, facts("", "vocab=5"), 8, 3));
    assertEquals(List.of("x[6, 3]"), applied(CUT, facts("v=5", "vocab=6"), 8, 3));
    assertEquals(List.of("x[5, 3]"), applied(CUT, facts("v=5", ""), 8, 3));
    assertEquals(
        "the checkpoint was trained with v 7, and the config.json of the base has vocab 6 ('rows' of"
            + " the mapping)",
        refused(CUT, facts("v=7", "vocab=6"), 8, 3));
    assertEquals(
        "tensor w of shape [8, 3] has no dimension 0 that can be cut to 9",
        refused(CUT, facts("", "vocab=9"), 8, 3));
    Mapped whole = mapping(CUT).apply(List.of(tensor("w", 8, 3)), Map.of());
    assertEquals(Shape.of(8, 3), whole.tensors().get(0).spec().shape());
    assertEquals(
        List.of(
            "left whole 1 tensor, as neither checkpoint nor base says to what it is to be cut: w"
                + " [8, 3]"),
        whole.notes());
  }

  @Test
  void aRuleCanBeForBasesWithANameAlone() {
    Mapping mapping =
        Tensors.mapping(
            "{'match': 'w', 'beside': 'fused.*', 'rename': 'fused.w'}",
            "{'match': 'w', 'unstack': {'dim': 0, 'into': 'w.${index}'}}");
    ModelFacts fused = ModelFacts.of(Map.of(), Optional.empty(), () -> Set.of("a", "fused.w"));

    assertEquals(
        List.of("fused.w"),
        names(mapping.apply(List.of(tensor("w", 2, 3)), Map.of(), fused).tensors()));
    assertEquals(
        List.of("w.0", "w.1"),
        names(mapping.apply(List.of(tensor("w", 2, 3)), Map.of()).tensors()));
  }

  private static List<String> names(List<NamedTensor> tensors) {
    return tensors.stream().map(NamedTensor::name).toList();
  }

  @Test
  void whatGoesOnIsPlacedByALaterRule() {
    Mapping mapping =
        Tensors.mapping(
            "{'prefix': 'module.', 'then': ''}",
            "{'match': 'l\\\\.([a-z]+)', 'unstack': {'dim': 0, 'then': 'l.${index}.$1'}}",
            "{'match': 'l\\\\.(\\\\d+)\\\\.up', 'drop': 'not wanted'}",
            "{'match': 'l\\\\.(\\\\d+)\\\\.norm', 'rename': 'layers.$1.norm'}");
    Mapped mapped =
        mapping.apply(
            List.of(tensor("module.l.norm", 2, 3), tensor("module.l.up", 2, 3)), Map.of());

    assertEquals(List.of("layers.0.norm", "layers.1.norm"), names(mapped.tensors()));
    assertEquals("module.l.norm", mapped.rows().get(0).source());
    assertEquals(List.of("left out 1 tensor (not wanted): module.l.up"), mapped.notes());
    ReweaveException e =
        assertThrows(
            ReweaveException.class,
            () -> mapping.apply(List.of(tensor("module.l.down", 1, 3)), Map.of()));
    assertEquals("no rule places 1 tensor: l.0.down (of module.l.down)", e.problem());
  }

  @Test
  void aTensorThatGoesOnManyTimesFillsNoStack() {
    String[] rules = new String[20_001];
    Arrays.fill(rules, "{'match': '.*', 'then': '$0'}");
    rules[20_000] = "{'match': 'a', 'rename': 'b'}";

    assertEquals(
        List.of("b"),
        names(Tensors.mapping(rules).apply(List.of(tensor("a", 2)), Map.of()).tensors()));
  }

  /** Both names of a tied tensor take the same way. */
  @Test
  void tiedTensorsStayTiedOnTheirWay() {
    Mapped mapped =
        Tensors.mapping(
                "{'match': '(a|b)', 'unstack': {'dim': 0, 'then': '$1.${index}'}}",
                "{'match': '(.*)', 'rename': 'x.$1'}")
            .apply(List.of(tensor("a", 2, 3)), Map.of("b", "a"));

    assertEquals(List.of("x.a.0", "x.a.1"), names(mapped.tensors()));
    assertEquals(Map.of("x.b.0", "x.a.0", "x.b.1", "x.a.1"), mapped.aliases());
  }

  @Test
  void theTypeOfTheBasesModelDecides() {
    Mapping mapping =
        Tensors.parse(
            "{'name': 'n', 'description': 'd', 'recognise': {'all': ['a'], 'config': ['t', 'u']},"
                + " 'rules': [{'match': '.*', 'rename': '$0'}]}");
    assertTrue(
        mapping.recognises(List.of("a"), () -> new ModelFacts(Map.of(), Map.of(), "u", Set::of)));
    assertFalse(
        mapping.recognises(List.of("a"), () -> new ModelFacts(Map.of(), Map.of(), "v", Set::of)));
    assertFalse(mapping.recognises(List.of("a"), () -> ModelFacts.NONE));
    assertFalse(
        mapping.recognises(
            List.of("b"),
            () -> {
              throw new AssertionError("the base is read");
            }));
  }

  /** The way back of a split by groups. */
  @Test
  void partsAreJoinedGroupByGroup() throws IOException {
    String join =
        "{'match': '[qkv]', 'join': {'to': 'w', 'dim': 0, 'part': '$0', 'order': ['q', 'k', 'v'],"
            + " 'groups': 'groups'}}";
    ModelFacts facts = facts("h=4 g=2", "");
    List<NamedTensor> parts =
        mapping(QKV).apply(List.of(tensor("w", 16, 3)), Map.of(), facts).tensors();

    NamedTensor whole = mapping(join).apply(parts, Map.of(), facts).tensors().get(0);

    assertEquals(Shape.of(16, 3), whole.spec().shape());
    long[] next = {0};
    whole
        .layout()
        .runs(
            0,
            48,
            (storage, from, count) -> {
              assertEquals(next[0], from);
              next[0] += count;
            });
    assertEquals(48, next[0]);
    assertEquals(
        "tensor q BF16 [7, 3] has no dimension 0 that can be cut into 2 equal groups",
        assertThrows(
                ReweaveException.class,
                () -> mapping(join).apply(List.of(tensor("q", 7, 3)), Map.of(), facts))
            .problem());
  }
}
