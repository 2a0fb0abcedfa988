package dev.reweave.target.mapping;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Where a value of a {@code config.json} comes from. */
sealed interface ConfigValue {

  /** The same for all models of the kind. */
  record Fixed(JsonNode value) implements ConfigValue {}

  /**
   * One of the trainer's arguments.
   *
   * @param names the first that the trainer stored counts
   * @param otherwise what holds where it stored none of them; without it, there is no config then
   */
  record Told(List<String> names, Form form, Optional<JsonNode> otherwise) implements ConfigValue {
    public Told {
      names = List.copyOf(names);
    }
  }

  /** How an argument is written. */
  enum Form {
    AS_TOLD,
    /** As a number with a point: libraries check the types of some. */
    REAL,
    /** False where the argument is true. */
    OPPOSITE
  }

  /**
   * How many rows a tensor of the result has.
   *
   * @param argument that would tell the same; where the trainer did not store it, that is told
   */
  record Rows(String tensor, String argument) implements ConfigValue {}

  /**
   * An object.
   *
   * @param when it is there at all
   */
  record Members(List<Condition> when, Map<String, ConfigValue> values) implements ConfigValue {
    public Members {
      when = List.copyOf(when);
    }
  }

  /**
   * What an argument of the trainer has to be.
   *
   * @param allowed one of these; null where it need not be stored
   */
  record Condition(String argument, List<JsonNode> allowed) {
    public Condition {
      allowed = List.copyOf(allowed);
    }

    /** Whether it holds, as far as the trainer tells. */
    boolean holds(Map<String, JsonNode> arguments) {
      JsonNode value = arguments.get(argument);
      return allowed.stream().anyMatch(a -> value == null ? a.isNull() : same(a, value));
    }

    private static boolean same(JsonNode a, JsonNode b) {
      boolean numbers = a.isNumber() && b.isNumber();
      return numbers ? a.doubleValue() == b.doubleValue() : a.equals(b);
    }
  }
}
