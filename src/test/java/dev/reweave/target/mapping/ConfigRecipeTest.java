package dev.reweave.target.mapping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.Shape;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A {@code config.json} of what a trainer stored. */
class ConfigRecipeTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String WHERE = "; --base with the model's own config.json brings one along";
  private static final Map<String, Shape> TENSORS = Map.of("emb", Shape.of(24, 4));

  private static Mapping mapping(String config) {
    return Tensors.parse(
        "{'name': 'm', 'description': 'd', 'recognise': {'all': ['a'], 'config': ['t']}, 'config': {"
            + config
            + "}, 'rules': [{'match': '.*', 'rename': '$0'}]}");
  }

  private static Map<String, JsonNode> arguments(String json) throws IOException {
    Map<String, JsonNode> arguments = new TreeMap<>();
    JSON.readTree(("{" + json + "}").replace('\'', '"'))
        .properties()
        .forEach(e -> arguments.put(e.getKey(), e.getValue()));
    return arguments;
  }

  private static MadeConfig made(String config, String arguments) throws IOException {
    return mapping(config).config(arguments(arguments), TENSORS).orElseThrow();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          'a': ['x'], 'n': null, 't': true   | 'z': 0         | {"a":["x"],"n":null,"t":true}
          'h': {'argument': 'hidden'}        | 'hidden': 8    | {"h":8}
          'h': {'argument': ['x', 'y']}      | 'y': 8         | {"h":8}
          'h': {'argument': ['x', 'y']}      | 'x': 7, 'y': 8 | {"h":7}
          'h': {'argument': 'x', 'else': 1}  | 'y': 8         | {"h":1}
          'h': {'argument': 'x', 'else': null} | 'y': 8       | {"h":null}
          'h': {'argument': 'x', 'as': 'real'} | 'x': 10000   | {"h":10000.0}
          't': {'not': 'untie'}              | 'untie': true  | {"t":false}
          't': {'not': 'untie'}              | 'untie': false | {"t":true}
          't': {'not': 'p', 'else': true}    | 'z': 0         | {"t":true}
          'v': {'rows': 'emb', 'argument': 'v'} | 'v': 24     | {"v":24}
          'v': {'rows': 'gone', 'argument': 'v'} | 'v': 24    | {}
          'r': {'when': {'s': [true]}, 'f': {'argument': 'f'}, 'k': 'l'} | 's': true, 'f': 8.0 | {"r":{"f":8.0,"k":"l"}}
          'r': {'when': {'s': [true]}, 'f': {'argument': 'f'}}           | 's': false          | {}
          """)
  void membersOfAConfig(String config, String arguments, String expected) throws IOException {
    MadeConfig made = made(config, arguments);

    assertEquals(expected, made.json().orElseThrow().toString());
    assertEquals(List.of(), made.notes());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          true  | 'h': {'argument': ['x', 'y']}, 'n': {'argument': 'z'} | 'a': 1 | the trainer's arguments do not say x or y, z
          false | 'h': {'argument': 'x'}                      |            | the trainer stored no arguments, which would tell what to say in it
          false | 'when': {'s': [true]}, 'h': 1               | 'a': 1     | the trainer's arguments do not say s
          false | 'when': {'s': [true], 'w': [null]}, 'h': 1  | 's': true, 'w': 4096 | the trainer's arguments say w 4096, for which this kind of model has no place
          false | 'when': {'s': [true, null]}, 'h': 1         | 's': false | the trainer's arguments say s false, for which this kind of model has no place
          false | 'when': {'p': [1.0]}, 'h': 1                | 'p': 0.5   | the trainer's arguments say p 0.5, for which this kind of model has no place
          true  | 'r': {'when': {'s': [true]}, 'f': {'argument': 'f'}} | 's': true | the trainer's arguments do not say f
          """)
  void whatIsNotToldIsNotMade(boolean ofThisKind, String config, String arguments, String why)
      throws IOException {
    MadeConfig made = made(config, arguments == null ? "" : arguments);

    assertTrue(made.json().isEmpty());
    assertEquals(List.of("no config.json is made: " + why + WHERE), made.notes());
    assertEquals(
        ofThisKind,
        mapping(config)
            .recognises(
                List.of("a"), () -> new ModelFacts(parsed(arguments), Map.of(), "", Set::of)));
  }

  private static Map<String, JsonNode> parsed(String arguments) {
    try {
      return arguments(arguments == null ? "" : arguments);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void argumentsAreAsGoodAsABase() throws IOException {
    Mapping mapping = mapping("'when': {'p': [1.0], 'q': [null]}, 'h': {'argument': 'x'}");
    Map<String, JsonNode> arguments = arguments("'p': 1, 'x': 2");

    assertTrue(
        mapping.recognises(List.of("a"), () -> new ModelFacts(arguments, Map.of(), "", Set::of)));
    // A base says what it is of, and counts.
    assertFalse(
        mapping.recognises(List.of("a"), () -> new ModelFacts(arguments, Map.of(), "u", Set::of)));
    assertFalse(
        mapping.recognises(List.of("b"), () -> new ModelFacts(arguments, Map.of(), "", Set::of)));
  }

  @Test
  void aVocabularyOfWhichThePaddingIsNotKnown() throws IOException {
    MadeConfig made = made("'v': {'rows': 'emb', 'argument': 'vocab_size'}", "'a': 1");

    assertEquals("{\"v\":24}", made.json().orElseThrow().toString());
    assertEquals(
        List.of(
            "v of config.json is 24, the rows of emb: the trainer's arguments have no vocab_size,"
                + " and do not tell how many of them are padding"),
        made.notes());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          'h': {'argument': 'x', 'or': 1}        | unknown member 'or'
          'h': {'argument': 7}                   | 'argument' is not a text of at least one character
          'h': {'argument': 'x', 'as': 'whole'}  | 'as' is not "real"
          'h': {'rows': 'emb'}                   | no 'argument'
          'when': {'s': true}, 'h': 1            | 's' is not a list of at least one element
          'when': {'s': [[1]]}, 'h': 1           | 's' has lists or objects in it
          'h': {}                                | 'h' is not an object with at least one member
          """)
  void whatIsNoRecipeIsRefused(String config, String problem) {
    assertEquals(problem, assertThrows(ReweaveException.class, () -> mapping(config)).problem());
  }
}
