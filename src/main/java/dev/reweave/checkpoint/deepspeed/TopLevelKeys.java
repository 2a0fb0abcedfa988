package dev.reweave.checkpoint.deepspeed;

import dev.reweave.format.pytorch.TorchValue;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Tells keys that DeepSpeed may have put at the top level of model states from those of the
 * trainer: {@code save_checkpoint(client_state=…)} adds any keys there ({@code iteration}, {@code
 * args}, {@code rng_state}, an EMA of the weights, another optimizer), and to warn of these would
 * teach people to overlook warnings.
 *
 * <p>A key is taken for one that tells where weights lie
 *
 * <ul>
 *   <li>by its name, if that speaks of parameters and of the way in which they lie, as {@code
 *       frozen_param_shapes} and {@code param_alignment_paddings} do, and {@code num_params},
 *       {@code padding_idx} and {@code opt_param_scheduler} do not;
 *   <li>by its value, if that says something of the parameters of this very checkpoint, by name or
 *       one by one in the order of the groups, which is neither a tensor nor a measure: sizes,
 *       offsets, lists, texts. Tensors by name are copies of the weights or statistics of them,
 *       which trainers keep; numbers with a fraction are rates and losses;
 *   <li>by both, if names of parameters are listed under a name that speaks of order or pieces.
 * </ul>
 *
 * <p>All other keys are taken for the trainer's, and {@code doctor} lists them. A key that slips
 * through, such as a number that switches the format, comes with a newer {@code ds_version}, of
 * which {@link dev.reweave.checkpoint.TestedVersions} warns.
 */
final class TopLevelKeys {
  private static final Set<String> OF_PARAMETERS =
      Set.of(
          "param",
          "params",
          "parameter",
          "parameters",
          "module",
          "frozen",
          "expert",
          "experts",
          "fp32",
          "fp16",
          "bf16",
          "bit16",
          "zero",
          "autotp",
          "autoep");

  private static final Set<String> OF_PLACES =
      Set.of(
          "affine",
          "align",
          "aligned",
          "alignment",
          "alignments",
          "flat",
          "flattened",
          "fragment",
          "fragments",
          "interleaved",
          "layout",
          "layouts",
          "map",
          "mapping",
          "mappings",
          "maps",
          "offset",
          "offsets",
          "order",
          "orders",
          "packed",
          "padded",
          "padding",
          "paddings",
          "partition",
          "partitioned",
          "partitions",
          "permutation",
          "permutations",
          "placement",
          "placements",
          "quantization",
          "quantized",
          "scales",
          "shape",
          "shapes",
          "shard",
          "sharded",
          "sharding",
          "shards",
          "slice",
          "sliced",
          "slices",
          "stride",
          "strides");

  private static final Pattern WORDS = Pattern.compile("[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])");

  /** What patterns for names have beside the names. */
  private static final Pattern OF_PATTERNS = Pattern.compile("[\\\\^$]");

  /** Parameters may stand below a version and a heading, as those of {@code affine_map} do. */
  private static final int MOST_DEPTH = 3;

  /** So many values of a dict or list are looked at; more of the same would say no more. */
  private static final int MOST_VALUES = 1000;

  /** Values of a file that are looked at in all, as one list may stand at many places. */
  private static final int MOST_OF_ALL = 1_000_000;

  private final Set<String> names = new HashSet<>();
  private final List<Integer> groups = new ArrayList<>();
  private int seen;

  /** Those of these model states. */
  TopLevelKeys(TorchValue root) {
    Optional<TorchValue> shapes = root.find("param_shapes");
    List<TorchValue> dicts =
        shapes.map(s -> s.isSequence() ? s.items() : List.of(s)).orElse(List.of()).stream()
            .filter(TorchValue::isDict)
            .toList();
    for (TorchValue group : dicts) {
      List<Map.Entry<String, TorchValue>> entries = group.entries();
      entries.forEach(e -> names.add(e.getKey()));
      groups.add(entries.size());
    }
    for (String key : List.of("module", "frozen_param_shapes")) {
      root.find(key)
          .filter(TorchValue::isDict)
          .ifPresent(d -> d.entries().forEach(e -> names.add(e.getKey())));
    }
  }

  /** Whether a key that is not known may tell where weights lie. */
  boolean isOfLayout(String key, TorchValue value) {
    List<String> words =
        WORDS.splitAsStream(key).map(word -> word.toLowerCase(Locale.ROOT)).toList();
    boolean ofPlaces = words.stream().anyMatch(OF_PLACES::contains);
    return (ofPlaces && words.stream().anyMatch(OF_PARAMETERS::contains))
        || describesByName(value, MOST_DEPTH)
        || describesInOrder(value)
        || (ofPlaces && listsNames(value));
  }

  private boolean isName(String text) {
    return names.contains(text) || names.contains(OF_PATTERNS.matcher(text).replaceAll(""));
  }

  /** Whether a dict, at some depth, says something of most of its keys, which are parameters. */
  private boolean describesByName(TorchValue value, int depth) {
    if (!value.isDict()) {
      return depth > 0 && items(value).stream().anyMatch(item -> describesByName(item, depth - 1));
    }
    List<Map.Entry<String, TorchValue>> entries = entries(value);
    if (value.find("param_groups").isPresent()) {
      return false; // An optimizer of the trainer's own.
    }
    long described =
        entries.stream()
            .filter(e -> isName(e.getKey()) && describes(e.getValue(), MOST_DEPTH))
            .count();
    return 2 * described > entries.size()
        || (depth > 0 && entries.stream().anyMatch(e -> describesByName(e.getValue(), depth - 1)));
  }

  /** Whether there is a list for each group with an item for each of its parameters. */
  private boolean describesInOrder(TorchValue value) {
    List<TorchValue> lists = value.isSequence() ? value.items() : List.of();
    if (lists.size() != groups.size() || groups.stream().mapToInt(n -> n).sum() < 2) {
      return false;
    }
    for (int g = 0; g < groups.size(); g++) {
      TorchValue list = lists.get(g);
      if (!list.isSequence()
          || list.items().size() != groups.get(g)
          || !items(list).stream().allMatch(item -> describes(item, MOST_DEPTH))) {
        return false;
      }
    }
    return true;
  }

  /** Whether a value can say where a parameter lies: with no tensor in it, and no measure. */
  private boolean describes(TorchValue value, int depth) {
    if (value.isDict()) {
      return depth > 0 && entries(value).stream().allMatch(e -> describes(e.getValue(), depth - 1));
    }
    if (value.isSequence()) {
      return depth > 0 && items(value).stream().allMatch(item -> describes(item, depth - 1));
    }
    return value.isInteger()
        || value.isText()
        || (value.isUnknownObject() && !value.isUnreadTensor());
  }

  private List<Map.Entry<String, TorchValue>> entries(TorchValue dict) {
    return first(seen > MOST_OF_ALL ? List.of() : dict.entries());
  }

  /** Of a list; none of anything else. */
  private List<TorchValue> items(TorchValue value) {
    return first(seen > MOST_OF_ALL || !value.isSequence() ? List.of() : value.items());
  }

  private <T> List<T> first(List<T> all) {
    seen += 1 + all.size();
    return all.subList(0, Math.min(MOST_VALUES, all.size()));
  }

  private boolean listsNames(TorchValue value) {
    List<String> texts =
        items(value).stream().filter(TorchValue::isText).map(TorchValue::text).toList();
    return 2 * texts.stream().filter(this::isName).count() > texts.size();
  }
}
