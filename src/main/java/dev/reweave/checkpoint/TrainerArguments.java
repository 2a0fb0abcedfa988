package dev.reweave.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.reweave.format.pytorch.TorchValue;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What a trainer stored of the arguments that it was started with, under its own names: those of
 * Megatron-LM ({@code megatron/training/arguments.py}) tell the model's form.
 *
 * @param values numbers, truth values and texts, and of others what kind of value it is; what was
 *     None is not there
 */
public record TrainerArguments(Map<String, JsonNode> values) {
  private static final String HEADS = "num_attention_heads";
  private static final String GROUPS = "num_query_groups";
  private static final String HEAD_SIZE = "kv_channels";
  private static final String HIDDEN = "hidden_size";

  /** A text that is longer tells nothing of a model's form. */
  private static final int MOST_CHARS = 1000;

  /** Of a trainer that stored none. */
  public static final TrainerArguments NONE = new TrainerArguments(Map.of());

  public TrainerArguments {
    values = Map.copyOf(values);
  }

  /**
   * Those of what {@code save_checkpoint} of Megatron-LM saves.
   *
   * @param saved a dict with {@code args}, a Namespace; there need be none
   */
  public static TrainerArguments of(TorchValue saved) {
    Optional<TorchValue> args = saved.isDict() ? saved.find("args") : Optional.empty();
    Optional<TorchValue> dict =
        args.flatMap(a -> a.isDict() ? Optional.of(a) : a.state()).filter(TorchValue::isDict);
    if (dict.isEmpty()) {
      return NONE;
    }
    Map<String, JsonNode> values = new TreeMap<>();
    for (Map.Entry<String, TorchValue> entry : dict.get().entries()) {
      if (!entry.getValue().isNone()) {
        values.put(entry.getKey(), value(entry.getValue()));
      }
    }
    setGroups(values);
    setHeadSize(values);
    return new TrainerArguments(values);
  }

  private static JsonNode value(TorchValue value) {
    if (value.isTruth()) {
      return BooleanNode.valueOf(value.truth());
    }
    if (value.isInteger()) {
      return LongNode.valueOf(value.integer());
    }
    if (value.isReal()) {
      return DoubleNode.valueOf(value.real());
    }
    boolean told = value.isText() && value.text().length() <= MOST_CHARS;
    return TextNode.valueOf(told ? value.text() : value.kind());
  }

  /** Without grouped queries the number of groups means nothing, and each head has its own keys. */
  private static void setGroups(Map<String, JsonNode> values) {
    JsonNode grouped = values.get("group_query_attention");
    if (grouped != null && grouped.isBoolean() && !grouped.booleanValue()) {
      values.remove(GROUPS);
      Optional.ofNullable(values.get(HEADS)).ifPresent(heads -> values.put(GROUPS, heads));
    }
  }

  private static void setHeadSize(Map<String, JsonNode> values) {
    long heads = number(values, HEADS).orElse(0L);
    long hidden = number(values, HIDDEN).orElse(0L);
    if (!values.containsKey(HEAD_SIZE) && heads > 0 && hidden % heads == 0 && hidden > 0) {
      values.put(HEAD_SIZE, LongNode.valueOf(hidden / heads));
    }
  }

  private static Optional<Long> number(Map<String, JsonNode> values, String key) {
    return Optional.ofNullable(values.get(key))
        .filter(JsonNode::isIntegralNumber)
        .map(JsonNode::longValue);
  }

  /** The whole number that an argument is, if it is one. */
  public Optional<Long> number(String name) {
    return number(values, name);
  }

  /** Whether an argument is there, and true. */
  public boolean isTrue(String name) {
    return values.containsKey(name) && values.get(name).booleanValue();
  }

  /** All whole numbers. */
  public Map<String, Long> numbers() {
    Map<String, Long> numbers = new TreeMap<>();
    values.keySet().forEach(key -> number(key).ifPresent(n -> numbers.put(key, n)));
    return numbers;
  }
}
