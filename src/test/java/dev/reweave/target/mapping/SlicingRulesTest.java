package dev.reweave.target.mapping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.CombinedLayout;
import dev.reweave.tensor.Slicing;
import dev.reweave.tensor.SlicingRule;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a mapping file says of tensor-parallel ranks. */
class SlicingRulesTest {

  private static Mapping mapping(String rules) {
    return Tensors.parse("{'name': 'm', 'description': 'd', 'tensorParallel': [" + rules + "]}");
  }

  @Test
  void everyKind() {
    Mapping mapping =
        mapping(
            "{'match': 'a', 'dim': 1}, {'match': 'b', 'kind': 'replicated'},"
                + "{'match': 'c', 'kind': 'averaged'}, {'match': 'd', 'dim': 0, 'parts': 2},"
                + "{'match': 'e', 'dim': 0, 'parts': [4, 2]},"
                + "{'match': 'f', 'dim': 0, 'shares': [[2, 1], [0, 1]]},"
                + "{'match': 'g', 'dim': 0, 'vocabulary': 7}");

    assertEquals(
        List.of(
            new SlicingRule("a", new Slicing.Along(1)),
            new SlicingRule("b", new Slicing.Copied(CombinedLayout.Kind.REPLICATED)),
            new SlicingRule("c", new Slicing.Copied(CombinedLayout.Kind.AVERAGED)),
            new SlicingRule("d", new Slicing.EvenParts(0, 2)),
            new SlicingRule("e", new Slicing.SizedParts(0, List.of(4L, 2L))),
            new SlicingRule("f", new Slicing.Parts(0, List.of(List.of(2L, 1L), List.of(0L, 1L)))),
            new SlicingRule("g", new Slicing.Padded(new Slicing.Along(0), 7))),
        mapping.slicing());
  }

  @Test
  void withoutOtherRulesNamesAreKept() {
    Mapped mapped =
        mapping("{'match': 'a', 'dim': 1}").apply(List.of(Tensors.tensor("x.y", 2)), Map.of());

    assertEquals(List.of("x.y"), mapped.tensors().stream().map(t -> t.name()).toList());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {'match': 'a'}                                 | neither 'dim' nor 'kind'
          {'dim': 0}                                     | no 'match'
          {'match': '(a', 'dim': 0}                      | '(a' is not a regular expression: Unclosed group
          {'match': 'a', 'dim': -1}                      | 'dim' is not a whole number of at least 0
          {'match': 'a', 'kind': 'same'}                 | 'kind' is neither "replicated" nor "averaged"
          {'match': 'a', 'kind': 'averaged', 'dim': 0}   | 'dim' has no meaning beside 'kind'
          {'match': 'a', 'kind': 'averaged', 'parts': 2} | 'parts' has no meaning beside 'kind'
          {'match': 'a', 'dim': 0, 'parts': 2, 'shares': [[1]]} | both 'parts' and 'shares'
          {'match': 'a', 'dim': 0, 'parts': 0}           | 'parts' is not a whole number of at least 1
          {'match': 'a', 'dim': 0, 'parts': [-1]}        | 'parts' is not a whole number of at least 0
          {'match': 'a', 'dim': 0, 'shares': [1]}        | 'shares' is not a list of lists of numbers
          {'match': 'a', 'dim': 0, 'shares': []}         | 'shares' is not a list of at least one element
          {'match': 'a', 'dim': 0, 'vocabulary': 0}      | 'vocabulary' is not a whole number of at least 1
          {'match': 'a', 'dim': 0, 'rows': 7}            | unknown member 'rows'
          """)
  void refuses(String rule, String problem) {
    ReweaveException e = assertThrows(ReweaveException.class, () -> mapping(rule));

    assertEquals(
        problem + ": conf/x.json, tensorParallel 1; correct the mapping file", e.getMessage());
  }
}
