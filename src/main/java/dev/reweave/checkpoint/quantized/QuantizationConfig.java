package dev.reweave.checkpoint.quantized;

import com.fasterxml.jackson.databind.JsonNode;
import dev.reweave.common.JsonReader;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What the {@code config.json} beside weights says of how they are quantized: its {@code
 * quantization_config}, as transformers ({@code utils/quantization_config.py}) and
 * compressed-tensors ({@code QuantizationArgs}) write it.
 *
 * @param file the config
 * @param method such as {@code fp8} or {@code gptq}; empty where it is not said
 * @param block lengths in elements of a block in the last two dimensions; empty where it is not
 *     said
 */
record QuantizationConfig(InputFile file, String method, List<Long> block) {
  static final String FILE_NAME = "config.json";
  private static final List<String> KEYS = List.of("quantization_config", "compression_config");
  private static final int MOST_BYTES = 16 << 20;

  QuantizationConfig {
    block = List.copyOf(block);
  }

  /**
   * Reads the config in the folder of a file.
   *
   * @return empty if there is none, or it tells of no quantization
   * @throws ReweaveException if it cannot be read
   */
  static Optional<QuantizationConfig> beside(Stores stores, InputFile file) {
    Optional<InputFile> config = stores.file(file.location().sibling(FILE_NAME));
    return config.flatMap(c -> parse(c, stores.readAll(c, MOST_BYTES)));
  }

  private static Optional<QuantizationConfig> parse(InputFile file, byte[] json) {
    String place = file.uri();
    try {
      return find(JsonReader.AS_PYTHON_WRITES.tree(json, place)).map(config -> of(file, config));
    } catch (JsonReader.Broken e) {
      throw QuantizationFailures.brokenConfig(place, e);
    }
  }

  /** At the top, or in a config that is nested in it, such as {@code text_config}. */
  private static Optional<JsonNode> find(JsonNode config) {
    for (String key : KEYS) {
      if (config.path(key).isObject()) {
        return Optional.of(config.path(key));
      }
    }
    for (var member : config.properties()) {
      if (member.getKey().endsWith("_config") && member.getValue().isObject()) {
        Optional<JsonNode> inner = find(member.getValue());
        if (inner.isPresent()) {
          return inner;
        }
      }
    }
    return Optional.empty();
  }

  private static QuantizationConfig of(InputFile file, JsonNode config) {
    String method = config.path("quant_method").asText("");
    return new QuantizationConfig(file, method, block(config));
  }

  private static List<Long> block(JsonNode config) {
    List<Long> block = lengths(config.path("weight_block_size"));
    for (JsonNode group : config.path("config_groups")) {
      JsonNode weights = group.path("weights");
      List<Long> structure = lengths(weights.path("block_structure"));
      if (block.isEmpty() && !structure.isEmpty()) {
        block = structure;
      }
      if (block.isEmpty() && weights.path("group_size").asLong(0) > 0) {
        block = List.of(1L, weights.path("group_size").asLong());
      }
    }
    return block;
  }

  /** Two lengths; {@code [128, 128]}, or {@code "128x128"} of older versions. */
  private static List<Long> lengths(JsonNode value) {
    List<Long> lengths = new ArrayList<>();
    if (value.isTextual() && value.asText().matches("[1-9]\\d{0,8}x[1-9]\\d{0,8}")) {
      for (String length : value.asText().split("x", 2)) {
        lengths.add(Long.valueOf(length));
      }
    }
    value.forEach(length -> lengths.add(length.asLong(0)));
    boolean sound = lengths.size() == 2 && lengths.stream().allMatch(n -> n > 0);
    return sound ? lengths : List.of();
  }
}
