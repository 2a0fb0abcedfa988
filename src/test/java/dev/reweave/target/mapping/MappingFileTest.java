package dev.reweave.target.mapping;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A mapping file that is not right is refused, and the message tells which rule it is. */
class MappingFileTest {

  private static void refuses(String message, String json) {
    ReweaveException e = assertThrows(ReweaveException.class, () -> Tensors.parse(json));
    assertEquals(message + "; correct the mapping file", e.getMessage());
  }

  @Test
  void expressionsThatFillTheStackAreRefused() {
    String deep = "(".repeat(50_000) + ")".repeat(50_000);
    String shown =
        "'"
            + "(".repeat(200)
            + "…' is not a regular expression: Stack overflow during pattern compilation";

    refuses(shown + ": conf/x.json, rule 2", withRule("{'match': '" + deep + "', 'drop': 'all'}"));
    refuses(
        shown + ": conf/x.json, tensorParallel 1",
        "{'name': 'm', 'description': 'd', 'tensorParallel': [{'match': '"
            + deep
            + "', 'dim': 0}]}");
  }

  /** In rules, {@code '} stands for quotes, and the rule comes second. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {}                            | no action: none of [cut, drop, join, rename, reorder, require, split, stack, then, unstack]
          {'rename': 'b'}               | neither 'match' nor 'prefix'
          {'match': 'a'}                | no action: none of [cut, drop, join, rename, reorder, require, split, stack, then, unstack]
          {'match': 'a', 'prefix': 'b', 'drop': 'c'} | both 'match' and 'prefix'
          {'match': 'a', 'rename': 'b', 'drop': 'c'} | more than one action: [drop, rename]
          {'match': 'a', 'renam': 'b'}  | unknown member 'renam'
          7                             | not a JSON object
          {'match': 7, 'drop': 'c'}     | 'match' is not a text of at least one character
          {'match': '', 'drop': 'c'}    | 'match' is not a text of at least one character
          {'match': null, 'drop': 'c'}  | 'match' is not a text of at least one character
          {'match': '(a', 'drop': 'c'}  | '(a' is not a regular expression: Unclosed group
          {'match': 'a', 'drop': ['c']} | 'drop' is not a text of at least one character
          {'match': 'a', 'rename': 7}   | 'rename' is not a text of at least one character
          {'match': 'a', 'rename': ''}  | 'rename' is not a text of at least one character
          {'match': '(a)', 'rename': '$2'}   | '$2' refers to a group that the pattern does not have: $2
          {'match': '(a)', 'rename': 'x${b}'} | 'x${b}' refers to a group that the pattern does not have: ${b}
          {'match': '(a)', 'rename': 'x$'}   | 'x$' refers to a group that the pattern does not have: $
          {'match': 'a', 'require': 'b'}     | 'require' is not a list of at least one element
          {'match': 'a', 'require': []}      | 'require' is not a list of at least one element
          {'require': ['a$1']}          | 'require' refers to a group without 'match' or 'prefix'
          {'match': 'a', 'require': ['$1']}  | '$1' refers to a group that the pattern does not have: $1
          {'match': 'a', 'require': ['b'], 'shape': [1]} | 'shape' has no meaning beside 'require'
          {'match': '(?<g>a)', 'drop': '${g}', 'translate': {'g': {'a': 'b'}}} | 'translate' has no meaning beside 'drop'
          {'match': '(?<g>a)', 'require': ['${g}'], 'translate': {'g': {'a': 'b'}}} | 'translate' has no meaning beside 'require'
          {'prefix': 'a', 'rename': 'b', 'translate': {'g': {'a': 'b'}}}  | 'translate' without 'match'
          {'match': 'a', 'rename': '${g}', 'translate': {'g': {'a': 'b'}}} | 'translate' is about a group 'g' that there is not
          {'match': '(?<g>a)', 'rename': '$1', 'translate': {'g': {'a': 'b'}}} | 'translate' is about a group 'g' that no name refers to
          {'match': 'a', 'rename': 'b', 'translate': {'g': 'b'}}          | 'translate' is not a table of texts by group
          {'match': 'a', 'rename': 'b', 'translate': {}}                  | 'translate' is not a table of texts by group
          {'match': '(?<g>a)', 'rename': '${g}', 'translate': {'g': {'a': 7}}} | 'translate' is not a text of at least one character
          {'match': 'a', 'drop': 'b', 'shape': [1.5]}    | 'shape' is not a whole number of at least 0
          {'match': 'a', 'drop': 'b', 'shape': ['?']}    | 'shape' is not a whole number of at least 0
          {'match': 'a', 'drop': 'b', 'shape': 4}        | 'shape' is not a list of at least one element
          {'match': 'a', 'require': ['b'], 'beside': 'c'} | 'beside' has no meaning beside 'require'
          {'match': 'a', 'drop': 'b', 'beside': '*'} | '*' is not a regular expression: Dangling meta character '*'
          {'match': 'a', 'cut': {'dim': 0, 'length': 'rows', 'into': 'b'}} | 'values' does not say what 'rows' is
          {'match': 'a', 'split': {'dim': 0, 'groups': 'g', 'into': ['b', 'c']}} | 'values' does not say what 'g' is
          {'match': 'a', 'reorder': {'dim': 0, 'as': ['h/2', '*'], 'order': [1, 0], 'into': 'b'}} | 'values' does not say what 'h' is
          """)
  void refusesRules(String rule, String problem) {
    refuses(problem + ": conf/x.json, rule 2", withRule(rule));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          'split': 7                                 | split | not a JSON object
          'split': {'dim': 0}                        | split | 'into' is not a list of at least one element
          'split': {'into': ['a', 'b']}              | split | 'dim' is not a whole number of at least 0
          'split': {'dim': -1, 'into': ['a', 'b']}   | split | 'dim' is not a whole number of at least 0
          'split': {'dim': 4294967296, 'into': ['a']} | split | 'dim' is too large
          'split': {'dim': 0, 'into': ['a', 7]}      | split | 'into' is not a text of at least one character
          'split': {'dim': 0, 'into': ['a', 'b'], 'parts': 2} | split | 'parts' is for an 'into' that says what to take
          'split': {'dim': 0, 'into': ['a', 'b'], 'sizes': [1]} | split | 1 sizes for 2 names
          'split': {'dim': 0, 'into': ['a', 'b'], 'sizes': [1, 0]} | split | 'sizes' is not a whole number of at least 1
          'split': {'dim': 0, 'into': ['a', 'b'], 'sizes': [1, 9223372036854775807]} | split | 'sizes' are too large
          'split': {'dim': 0, 'into': ['a', 'b'], 'order': [1]} | split | unknown member 'order'
          'split': {'dim': 0, 'into': [{'to': 'a', 'take': [0]}]} | split | 'parts' is not a whole number of at least 1
          'split': {'dim': 0, 'parts': 2, 'into': [{'to': 'a', 'take': [0]}]} | split | of 2 parts, only 1 are taken
          'split': {'dim': 0, 'parts': 1, 'sizes': [1], 'into': [{'to': 'a', 'take': [0]}]} | split | 'sizes' has no meaning where 'into' says what to take
          'join': {'to': 'a', 'dim': 0, 'part': '$0'} | join | 'order' is not a list of at least one element
          'join': {'to': 'a', 'dim': 0, 'order': ['a']} | join | no 'part'
          'join': {'dim': 0, 'part': '$0', 'order': ['a']} | join | no 'to'
          'join': {'to': 'a', 'part': '$0', 'order': ['a']} | join | 'dim' is not a whole number of at least 0
          'join': {'to': 'a', 'dim': 0, 'part': '$0', 'order': ['a', 'a']} | join | a part is twice in 'order'
          'join': {'to': '$1', 'dim': 0, 'part': '$0', 'order': ['a']} | join | '$1' refers to a group that the pattern does not have: $1
          'unstack': 7                               | unstack | not a JSON object
          'unstack': {'dim': 0}                      | unstack | not one of 'into', 'then', 'split'
          'unstack': {'dim': 0, 'into': '${index}', 'split': {'dim': 0, 'into': ['${index}']}} | unstack | not one of 'into', 'then', 'split'
          'unstack': {'into': '${index}'}            | unstack | 'dim' is not a whole number of at least 0
          'unstack': {'dim': 0, 'into': ['${index}']} | unstack | 'into' is not a text of at least one character
          'unstack': {'dim': 0, 'into': 'b'}         | unstack | a name without the part's number: ${index}
          'unstack': {'dim': 0, 'split': {'dim': 0, 'into': ['a${index}', 'b']}} | unstack | a name without the part's number: ${index}
          'unstack': {'dim': 0, 'into': '${number}'} | unstack | '${number}' refers to a group that the pattern does not have: ${number}
          'unstack': {'dim': 0, 'parts': 2, 'into': '${index}'} | unstack | unknown member 'parts'
          'stack': {'dim': 0, 'index': '$0'}         | stack | no 'to'
          'stack': {'to': 'a', 'dim': 0}             | stack | no 'index'
          'stack': {'to': 'a', 'index': '$0'}        | stack | 'dim' is not a whole number of at least 0
          'stack': {'to': 'a', 'dim': 0, 'index': 1} | stack | 'index' is not a text of at least one character
          'stack': {'to': 'a', 'dim': 0, 'index': '$1'} | stack | '$1' refers to a group that the pattern does not have: $1
          'stack': {'to': 'a${index}', 'dim': 0, 'index': '$0'} | stack | 'a${index}' refers to a group that the pattern does not have: ${index}
          'stack': {'to': 'a', 'dim': 0, 'index': '$0', 'order': ['a']} | stack | unknown member 'order'
          'stack': {'to': 'a', 'dim': 0, 'index': '$0', 'join': {'to': 'a'}} | stack', 'join | unknown member 'to'
          'stack': {'to': 'a', 'dim': 0, 'index': '$0', 'join': {'dim': 0, 'part': '$0'}} | stack', 'join | 'order' is not a list of at least one element
          'unstack': {'dim': 0, 'split': {'into': ['${index}']}} | unstack', 'split | 'dim' is not a whole number of at least 0
          'unstack': {'dim': 0, 'split': {'dim': 0, 'groups': 2, 'into': ['${index}']}} | unstack', 'split | unknown member 'groups'
          'unstack': {'dim': 0, 'then': 'b'}         | unstack | a name without the part's number: ${index}
          'split': {'dim': 0, 'groups': 2, 'parts': 2, 'into': ['a']} | split | both 'groups' and 'parts'
          'split': {'dim': 0, 'unit': 2, 'into': ['a']} | split | 'unit' has no meaning without 'groups'
          'split': {'dim': 0, 'groups': 0, 'into': ['a']} | split | 'groups' is not a whole number of at least 1
          'split': {'dim': 0, 'groups': 'a/b/c', 'into': ['a']} | split | 'a/b/c' is no number, no name of one in 'values', and no quotient of those
          'split': {'dim': 0, 'groups': 2, 'sizes': [1], 'into': ['a', 'b']} | split | 1 sizes for 2 names
          'cut': {'dim': 0, 'into': 'a'}             | cut | 'length' is not a whole number of at least 1
          'reorder': {'dim': 0, 'as': ['*', 2, '*'], 'order': [0, 2, 1], 'into': 'a'} | reorder | 'as' has "*" more than once
          'reorder': {'dim': 0, 'as': ['*', 2], 'order': [0, 0], 'into': 'a'} | reorder | 'order' has not each of 0 to 1 once
          'reorder': {'dim': 0, 'as': ['*', 2], 'order': [0, 1, 2], 'into': 'a'} | reorder | 'order' has not each of 0 to 1 once
          'reorder': {'dim': 0, 'as': ['*', 2], 'order': [1, 0]} | reorder | no 'into'
          """)
  void refusesSplitsAndJoins(String action, String member, String problem) {
    refuses(
        problem + ": conf/x.json, rule 2, '" + member + "'",
        withRule("{'match': 'a', " + action + "}"));
  }

  @Test
  void refusesAGroupThatHasTheNameOfAPartsNumber() {
    refuses(
        "a group has the name of the part's number: index: conf/x.json, rule 2, 'unstack'",
        withRule("{'match': '(?<index>a)', 'unstack': {'dim': 0, 'into': '${index}'}}"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {'to': 'b', 'take': [1, 1]}  | part 1 is taken twice
          {'to': 'b', 'take': [0]}     | part 0 is taken twice
          {'to': 'b', 'take': [2]}     | part 2 of parts 0 to 1
          {'to': 'b', 'take': [-1]}    | 'take' is not a whole number of at least 0
          {'to': 'b', 'take': []}      | 'take' is not a list of at least one element
          {'take': [1]}                | no 'to'
          {'to': 'b', 'take': [1], 'x': 1} | unknown member 'x'
          'b'                          | not a JSON object
          """)
  void refusesPartsThatAreNotTakenOnce(String share, String problem) {
    String split = "{'dim': 0, 'parts': 2, 'into': [{'to': 'a', 'take': [0]}, " + share + "]}";
    refuses(
        problem + ": conf/x.json, rule 2, 'split', 'into' 2",
        withRule("{'match': 'a', 'split': " + split + "}"));
  }

  private static String withRule(String rule) {
    return "{'name': 'n', 'description': 'd', 'rules': [{'match': 'a', 'drop': 'b'}, "
        + rule
        + "]}";
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          []                                                 | not a JSON object: conf/x.json
          {'description': 'd', 'rules': RULES}               | no 'name': conf/x.json
          {'name': 'n', 'rules': RULES}                      | no 'description': conf/x.json
          {'name': 'n', 'description': 'd'}                  | 'rules' is not a list of at least one element: conf/x.json
          {'name': 'n', 'description': 'd', 'rules': []}     | 'rules' is not a list of at least one element: conf/x.json
          {'name': 'n', 'description': 'd', 'rules': RULES, 'x': 1} | unknown member 'x': conf/x.json
          {'name': 'n', 'description': 'd', 'rules': RULES, 'component': '../a'} | 'component' is not a plain file name: conf/x.json
          {'name': 'n', 'description': 'd', 'rules': RULES, 'weightsName': '.a'} | 'weightsName' is not a plain file name: conf/x.json
          {'name': 'n', 'description': 'd', 'rules': RULES, 'recognise': {}} | 'all' is not a list of at least one element: conf/x.json, 'recognise'
          {'name': 'n', 'description': 'd', 'rules': RULES, 'recognise': {'all': ['a'], 'none': 'b'}} | 'none' is not a list of at least one element: conf/x.json, 'recognise'
          {'name': 'n', 'description': 'd', 'rules': RULES, 'recognise': {'all': ['a'], 'base': {}}} | 'all' is not a list of at least one element: conf/x.json, 'recognise', 'base'
          {'name': 'n', 'description': 'd', 'rules': RULES, 'recognise': {'all': ['a'], 'base': ['b']}} | not a JSON object: conf/x.json, 'recognise', 'base'
          {'name': 'n', 'description': 'd', 'rules': RULES, 'recognise': {'all': ['a'], 'base': {'all': ['b'], 'base': 'c'}}} | unknown member 'base': conf/x.json, 'recognise', 'base'
          {'name': 'n', 'description': 'd', 'rules': RULES, 'recognise': {'base': {'all': ['b']}}} | 'all' is not a list of at least one element: conf/x.json, 'recognise'
          {'name': 'n', 'description': 'd', 'rules': RULES, 'values': {}} | 'values' is not an object with at least one member: conf/x.json
          {'name': 'n', 'description': 'd', 'rules': RULES, 'values': {'a': {}}} | neither 'checkpoint' nor 'base': conf/x.json, 'values', 'a'
          {'name': 'n', 'description': 'd', 'rules': RULES, 'values': {'a': {'base': ['b'], 'kind': 'c'}}} | 'kind' is neither 'same' nor 'room': conf/x.json, 'values', 'a'
          {'name': 'n', 'description': 'd', 'rules': RULES, 'values': {'a': {'base': 'b'}}} | 'base' is not a list of at least one element: conf/x.json, 'values', 'a'
          {'name': 'n', 'description': 'd', 'rules': RULES, 'recognise': {'all': ['a'], 'config': 't'}} | 'config' is not a list of at least one element: conf/x.json, 'recognise'
          {'name': 'n', 'description': 'd', 'rules': RULES, 'recognise': {'all': ['*']}} | '*' is not a regular expression: Dangling meta character '*': conf/x.json, 'recognise'
          """)
  void refusesWhatIsNoMapping(String json, String problem) {
    refuses(problem, json.replace("RULES", "[{'match': 'a', 'drop': 'b'}]"));
  }

  @Test
  void refusesTextThatIsNoJson() {
    refusesJson("not valid JSON: ", "conf/x.json, line 2; correct the mapping file", "{\n");
    refusesJson("not valid JSON: Duplicate ", ", line 1; ", "{'name': 'a', 'name': 'b'}");
    refusesJson("not valid JSON: Trailing token", ", line 1; ", "{} {}");
    refusesJson("not a JSON object: ", "conf/x.json; ", "");
    ReweaveException e =
        assertThrows(
            ReweaveException.class,
            () -> Mapping.parse(new byte[] {'{', (byte) 0xff, '}'}, "conf/x.json"));
    assertEquals("text is not valid UTF-8: conf/x.json; correct the mapping file", e.getMessage());
  }

  @Test
  void refusesDeepNesting() {
    String problem = "JSON is nested too deep or has too long a number: conf/x.json";
    refusesJson(problem, "correct the mapping file", "[".repeat(128));
    refusesJson(problem, "correct the mapping file", "[" + "9".repeat(1_000_000) + "]");
    refusesJson(problem, "correct the mapping file", "[".repeat(100_000));
  }

  private static void refusesJson(String start, String end, String json) {
    ReweaveException e = assertThrows(ReweaveException.class, () -> Tensors.parse(json));
    assertTrue(e.getMessage().startsWith(start), e.getMessage());
    assertTrue(e.getMessage().contains(end), e.getMessage());
  }

  @Test
  void refusesWhatIsTooLarge() {
    byte[] large = " ".repeat((4 << 20) + 1).getBytes(UTF_8);
    ReweaveException e =
        assertThrows(ReweaveException.class, () -> Mapping.parse(large, "conf/x.json"));
    assertEquals(
        "a mapping of more than 4194304 bytes: conf/x.json; correct the mapping file",
        e.getMessage());
  }
}
