package dev.reweave.checkpoint.deepspeed;

import dev.reweave.common.ReweaveException;
import dev.reweave.format.pytorch.TorchValue;
import dev.reweave.tensor.CombinedLayout;
import dev.reweave.tensor.PiecedSlicing;
import dev.reweave.tensor.Slicing;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What {@code universal_checkpoint_info} says of how tensor-parallel ranks share parameters, as
 * {@code merge_tp_slices} of {@code deepspeed/checkpoint/ds_to_universal.py} takes it: patterns
 * match the start of a name; replicated goes before averaged, two sub-parameters, sub-parameters
 * and row-parallel, and what none matches is column-parallel. A vocabulary is cut in any case.
 * Where there is an affine map of a parameter, that alone counts.
 *
 * @param place where it stands, for messages; empty where the checkpoint has none
 * @param patterns by key, lists of regular expressions
 * @param unsupported by pattern, why DeepSpeed itself cannot put such parameters together
 * @param vocabulary its size without padding; -1 where it is not given
 * @param maps which pieces of parameters the ranks have
 */
record UniversalInfo(
    String place,
    Map<String, List<String>> patterns,
    List<SubParameters> subParameters,
    Map<String, String> unsupported,
    long vocabulary,
    AffineMaps maps)
    implements Serializable {
  private static final UniversalInfo NONE =
      new UniversalInfo("", Map.of(), List.of(), Map.of(), -1, AffineMaps.NONE);

  private static final String REPLICATED = "tp_replicated_parameter_patterns";
  private static final String AVERAGED = "parameter_to_average_patterns";
  private static final String TWO_PARTS = "parameter_with_2_sub_params_cat_dim_0";
  private static final String ROW = "parameter_with_row_parallelism_patterns";
  private static final String VOCABULARY = "vocabulary_parameter_patterns";
  private static final List<String> KEYS =
      List.of(REPLICATED, AVERAGED, TWO_PARTS, ROW, VOCABULARY);

  /**
   * Parameters that are made of several, fused along one dimension.
   *
   * @param slicing how each pattern's parameters are shared; a pattern of which the shares are not
   *     known has none
   */
  record SubParameters(List<String> patterns, Map<String, Slicing> slicing)
      implements Serializable {}

  static UniversalInfo of(TorchValue root) {
    Optional<TorchValue> found = root.find("universal_checkpoint_info");
    found.ifPresent(TorchValue::entries); // refuses what is no dict
    return found.map(UniversalInfo::read).orElse(NONE);
  }

  private static UniversalInfo read(TorchValue info) {
    Map<String, List<String>> patterns = new LinkedHashMap<>();
    for (String key : KEYS) {
      patterns.put(key, info.find(key).map(UniversalInfo::texts).orElse(List.of()));
    }
    // From this version on, shares of sub-parameters are written out.
    boolean written =
        info.find("universal_checkpoint_version").map(TorchValue::real).orElse(0.0) >= 0.4;
    Optional<TorchValue> widths = info.find("sub_param_shard_widths");
    List<SubParameters> parts = new ArrayList<>();
    for (TorchValue item :
        info.find("parameter_with_sub_params").map(TorchValue::items).orElse(List.of())) {
      Map<String, Slicing> slicing = new LinkedHashMap<>();
      List<String> names = texts(field(item, "patterns"));
      for (String pattern : names) {
        Optional<TorchValue> shares = widths.flatMap(w -> w.find(pattern));
        try {
          Optional<Slicing> known = written ? shares.map(s -> parts(item, s)) : evenParts(item);
          known.ifPresent(s -> slicing.put(pattern, s));
        } catch (IllegalArgumentException | ArithmeticException e) {
          // Numbers that make no sense say nothing, and matter only if a name matches.
          slicing.remove(pattern);
        }
      }
      parts.add(new SubParameters(names, slicing));
    }
    Map<String, String> unsupported = new LinkedHashMap<>();
    info.find("autotp_unsupported_parameter_patterns")
        .ifPresent(d -> d.entries().forEach(e -> unsupported.put(e.getKey(), e.getValue().text())));
    return new UniversalInfo(
        info.place(),
        patterns,
        parts,
        unsupported,
        info.find("original_vocab_size").map(TorchValue::integer).orElse(-1L),
        AffineMaps.of(info, AffineMaps.KEY));
  }

  private static List<String> texts(TorchValue list) {
    return list.items().stream().map(TorchValue::text).toList();
  }

  /** A member of a {@code SubparamShape}, which is a dict in what DeepSpeed saves. */
  private static TorchValue field(TorchValue item, String name) {
    return item.attribute(name).orElseGet(() -> item.at(name));
  }

  private static int dim(TorchValue item) {
    return Math.toIntExact(field(item, "partition_dim").integer());
  }

  private static Slicing parts(TorchValue item, TorchValue shares) {
    return new Slicing.Parts(
        dim(item),
        shares.items().stream()
            .map(part -> part.items().stream().map(TorchValue::integer).toList())
            .toList());
  }

  /** Lengths of the parts, or in old versions their number. */
  private static Optional<Slicing> evenParts(TorchValue item) {
    List<TorchValue> shape = field(item, "shape").items();
    if (dim(item) < 0 || dim(item) >= shape.size()) {
      return Optional.empty();
    }
    TorchValue sizes = shape.get(dim(item));
    return Optional.of(
        sizes.isSequence()
            ? new Slicing.SizedParts(
                dim(item), sizes.items().stream().map(TorchValue::integer).toList())
            : new Slicing.EvenParts(dim(item), Math.toIntExact(sizes.integer())));
  }

  /** Whether the checkpoint says anything. */
  boolean isPresent() {
    return !place.isEmpty();
  }

  /** Whether a pattern is about this name: what none is about is column-parallel by default. */
  boolean mentions(String name) {
    return maps.mentions(name)
        || patterns.values().stream().anyMatch(p -> !matching(p, name).isEmpty())
        || subParameters.stream().anyMatch(s -> !matching(s.patterns(), name).isEmpty());
  }

  /**
   * The pieces of a parameter; empty if there is no affine map of it.
   *
   * @throws ReweaveException if what there is cannot be read
   */
  Optional<PiecedSlicing> pieces(String name) {
    return maps.pieces(name);
  }

  /**
   * How a parameter is shared of which there is no affine map.
   *
   * @throws ReweaveException if that is not clear
   */
  Slicing slicing(String name) {
    for (String pattern : matching(List.copyOf(unsupported.keySet()), name)) {
      throw SlicingFailures.notNoted(name, unsupported.get(pattern), place);
    }
    Slicing slicing = withPadding(name);
    if (!matches(VOCABULARY, name)) {
      return slicing;
    }
    if (vocabulary < 1) {
      throw SlicingFailures.noVocabularySize(name, place);
    }
    return new Slicing.Padded(slicing, vocabulary);
  }

  private Slicing withPadding(String name) {
    if (matches(REPLICATED, name)) {
      return new Slicing.Copied(CombinedLayout.Kind.REPLICATED);
    }
    if (matches(AVERAGED, name)) {
      return new Slicing.Copied(CombinedLayout.Kind.AVERAGED);
    }
    if (matches(TWO_PARTS, name)) {
      return new Slicing.EvenParts(0, 2);
    }
    for (SubParameters parts : subParameters) {
      for (String pattern : matching(parts.patterns(), name)) {
        if (parts.slicing().containsKey(pattern)) {
          return parts.slicing().get(pattern);
        }
        throw SlicingFailures.partsNotTold(name, place);
      }
    }
    return new Slicing.Along(matches(ROW, name) ? 1 : 0);
  }

  private boolean matches(String key, String name) {
    return new NamePatterns(patterns.getOrDefault(key, List.of()), place)
        .only(name, key)
        .isPresent();
  }

  private List<String> matching(List<String> candidates, String name) {
    return new NamePatterns(candidates, place).matching(name);
  }
}
