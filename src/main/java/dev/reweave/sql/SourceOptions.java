package dev.reweave.sql;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.reweave.checkpoint.AdapterChoice;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.Location;
import dev.reweave.common.Option;
import dev.reweave.common.Options;
import dev.reweave.common.ReweaveException;
import dev.reweave.plan.prepare.MappingChoice;
import dev.reweave.storage.Safeguards;
import dev.reweave.storage.Stores;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;

/**
 * What a query asks to be read.
 *
 * @param addresses of checkpoints, at least one
 * @param model the name that its tensors are listed under; empty for the end of the address
 * @param hadoop settings of Hadoop's file systems, before those of the session
 */
record SourceOptions(
    List<String> addresses,
    Optional<String> model,
    ReadOptions reading,
    MappingChoice mapping,
    Map<String, String> hadoop) {
  /** The address of one checkpoint. */
  static final String PATH = "path";

  /** The addresses of several, as a JSON array: what Spark makes of {@code load(a, b)}. */
  static final String PATHS = "paths";

  private static final Pattern HYPHEN = Pattern.compile("-(.)");

  /** Options that {@code convert} has as well; {@code --follow-links} is {@code followLinks}. */
  private static final List<Option<?>> SHARED =
      List.of(
          ReadOptions.TAG,
          ReadOptions.WEIGHTS,
          ReadOptions.NAMES,
          AdapterChoice.PART,
          AdapterChoice.ADAPTER,
          AdapterChoice.ADAPTER_CONFIG,
          Safeguards.FOLLOW_LINKS,
          Safeguards.MAX_METADATA_BYTES);

  /** What stands in the column of that name. */
  static final String MODEL = "model";

  /** Beginning of the options that are Hadoop's. */
  private static final String HADOOP = "fs.";

  /**
   * Reads the options of a query.
   *
   * @throws ReweaveException if they make no sense
   */
  static SourceOptions of(CaseInsensitiveStringMap options) {
    Map<String, String> hadoop = new TreeMap<>();
    options
        .asCaseSensitiveMap()
        .forEach(
            (key, value) -> {
              if (key.startsWith(HADOOP)) {
                hadoop.put(key, value);
              }
            });
    List<String> addresses = addresses(options);
    addresses.forEach(Stores::requireNoLogin); // Spark shows them in its plans.
    Optional<String> model = option(options, MODEL);
    if (model.isPresent() && addresses.size() > 1) {
      throw SqlFailures.oneNameForSeveral();
    }
    return new SourceOptions(
        addresses,
        model,
        reading(options),
        // Unless it is asked for, a checkpoint is listed as it is.
        option(options, MappingChoice.MAPPING.key())
            .map(MappingChoice::of)
            .orElse(MappingChoice.NONE),
        hadoop);
  }

  private static Optional<String> option(CaseInsensitiveStringMap options, String key) {
    return Optional.ofNullable(options.get(key)).filter(value -> !value.isEmpty());
  }

  private static List<String> addresses(CaseInsensitiveStringMap options) {
    Optional<String> several = option(options, PATHS);
    if (several.isPresent()) {
      return fromJson(several.get());
    }
    return List.of(option(options, PATH).orElseThrow(() -> SqlFailures.noAddress()));
  }

  private static List<String> fromJson(String json) {
    List<String> addresses = new ArrayList<>();
    try {
      JsonNode array = new ObjectMapper().readTree(json);
      for (JsonNode address : array.isArray() ? array : MissingNode.getInstance()) {
        if (!address.isTextual()) {
          throw noAddresses(null);
        }
        addresses.add(address.textValue());
      }
    } catch (JsonProcessingException e) {
      throw noAddresses(e);
    }
    if (addresses.isEmpty()) {
      throw noAddresses(null);
    }
    return List.copyOf(addresses);
  }

  private static ReweaveException noAddresses(Throwable cause) {
    return SqlFailures.noArray(cause);
  }

  private static ReadOptions reading(CaseInsensitiveStringMap options) {
    Options reading = Options.NONE;
    for (Option<?> option : SHARED) {
      String key =
          HYPHEN.matcher(option.key()).replaceAll(h -> h.group(1).toUpperCase(Locale.ROOT));
      String text = option(options, key).orElse("");
      try {
        reading = text.isEmpty() ? reading : reading.parse(option, text);
      } catch (IllegalArgumentException e) {
        throw SqlFailures.misspelt(option, key + " = " + text, e);
      }
    }
    return new ReadOptions(reading);
  }

  /**
   * The settings of the cluster, with those of the session, as Spark's own sources take them, and
   * those of the query.
   */
  Configuration configuration(Configuration cluster, Map<String, String> session) {
    Configuration all = new Configuration(cluster);
    session.forEach(
        (key, value) -> {
          if (key.startsWith(HADOOP)) {
            all.set(key, value);
          }
        });
    hadoop.forEach(all::set);
    return all;
  }

  /** The name for the tensors of an address. */
  String modelName(Location address) {
    return model.orElseGet(address::name);
  }
}
