package dev.reweave.target.base;

import com.fasterxml.jackson.databind.JsonNode;
import dev.reweave.tensor.TensorSpec;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Something that a config says of the tensors of its model. */
sealed interface ConfigRule {

  /** What does not fit; empty if all does, or config and tensors are silent about it. */
  Optional<String> contradiction(JsonNode config, Map<String, TensorSpec> tensors);

  /**
   * A number of layers, which their numbers in names show.
   *
   * @param names whose first group is the number
   * @param extra keys of numbers of further layers, if the config has them
   */
  record Layers(String key, Pattern names, List<String> extra) implements ConfigRule {
    Layers(String key, String names, String... extra) {
      this(key, Pattern.compile(names), List.of(extra));
    }

    @Override
    public Optional<String> contradiction(JsonNode config, Map<String, TensorSpec> tensors) {
      long seen =
          tensors.keySet().stream()
              .map(names::matcher)
              .filter(Matcher::matches)
              .map(m -> m.group(1))
              .distinct()
              .count();
      long least = config.path(key).asLong(-1);
      long most = least + extra.stream().mapToLong(k -> config.path(k).asLong(0)).sum();
      return seen == 0 || !config.path(key).isIntegralNumber() || (seen >= least && seen <= most)
          ? Optional.empty()
          : Optional.of(key + " is " + least + ", and the weights have " + seen + " layers");
    }
  }

  /**
   * A length of a tensor.
   *
   * @param keys of numbers whose product it is
   * @param rank of the tensor; of others nothing is said
   */
  record Length(List<String> keys, Pattern name, int rank, int dim) implements ConfigRule {
    Length(String keys, String name, int rank, int dim) {
      this(List.of(keys.split("\\*", -1)), Pattern.compile(name), rank, dim);
    }

    @Override
    public Optional<String> contradiction(JsonNode config, Map<String, TensorSpec> tensors) {
      if (!keys.stream().allMatch(key -> config.path(key).isIntegralNumber())) {
        return Optional.empty();
      }
      long expected =
          keys.stream().mapToLong(k -> config.path(k).asLong()).reduce(1, (a, b) -> a * b);
      return tensors.values().stream()
          .filter(t -> t.shape().rank() == rank && name.matcher(t.name()).matches())
          .filter(t -> t.shape().dim(dim) != expected)
          .findFirst()
          .map(
              t ->
                  keys.stream().collect(Collectors.joining(" × "))
                      + " is "
                      + expected
                      + ", and "
                      + t.name()
                      + " has shape "
                      + t.shape());
    }
  }

  /** A part of the model that is there if and only if a key is not null. */
  record Part(String key, Pattern names) implements ConfigRule {
    Part(String key, String names) {
      this(key, Pattern.compile(names));
    }

    @Override
    public Optional<String> contradiction(JsonNode config, Map<String, TensorSpec> tensors) {
      boolean there = tensors.keySet().stream().anyMatch(n -> names.matcher(n).matches());
      if (!config.has(key) || config.get(key).isNull() != there) {
        return Optional.empty();
      }
      return Optional.of(
          key
              + " is "
              + config.get(key)
              + ", and there are "
              + (there ? "" : "no ")
              + "tensors "
              + names);
    }
  }

  /** A tensor that has {@code rank} dimensions if a key is null, or else two. */
  record Rank(String key, String name, int rank) implements ConfigRule {
    @Override
    public Optional<String> contradiction(JsonNode config, Map<String, TensorSpec> tensors) {
      TensorSpec tensor = tensors.get(name);
      if (tensor == null || !config.has(key)) {
        return Optional.empty();
      }
      int expected = config.get(key).isNull() ? rank : 2;
      return tensor.shape().rank() == expected
          ? Optional.empty()
          : Optional.of(
              key + " is " + config.get(key) + ", and " + name + " has shape " + tensor.shape());
    }
  }
}
