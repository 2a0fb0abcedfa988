package dev.reweave.checkpoint.deepspeed;

import dev.reweave.format.pytorch.PickledValue;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.Slicing;
import dev.reweave.tensor.SlicingRule;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What stands beside the tensor in each file of a universal checkpoint: how tensor-parallel ranks
 * share it, for {@code load_hp_checkpoint_state} of {@code
 * deepspeed/checkpoint/universal_checkpoint.py}. The keys are those of {@code merge_tp_slices} in
 * {@code ds_to_universal.py}; what a checkpoint has a map of pieces for has none.
 */
final class ParameterCuts {
  private static final String ALONG = "cat_dim";
  private static final String PARTS = "param_n_sub_params";
  private static final String PARTS_SHAPE = "sub_param_shape";
  private static final String VOCABULARY = "vocab_tensor";
  private static final Slicing BY_DEFAULT = new Slicing.Along(0);

  private final List<SlicingRule> rules;
  private final UniversalInfo info;

  /**
   * @param rules what the user says
   * @param info what the checkpoint says where the user says nothing
   */
  ParameterCuts(List<SlicingRule> rules, UniversalInfo info) {
    this.rules = rules;
    this.info = info;
  }

  /**
   * A parameter without what is there for the sake of tensor parallelism alone: the padding of a
   * vocabulary, which is there if there was one rank.
   */
  NamedTensor trimmed(NamedTensor whole) {
    return slicing(whole.name()) instanceof Slicing.Padded padded
            && whole.spec().shape().rank() > 0
            && whole.spec().shape().dim(0) > padded.rows()
        ? whole.narrowed(whole.name(), 0, 0, padded.rows())
        : whole;
  }

  /** What stands beside a parameter of this shape. */
  Map<String, PickledValue> of(String name, Shape whole) {
    if (info.isPresent() && rule(name) == null && info.pieces(name).isPresent()) {
      return Map.of();
    }
    Map<String, PickledValue> cut = new LinkedHashMap<>();
    put(name, whole, slicing(name), cut);
    return cut;
  }

  private Slicing rule(String name) {
    return rules.stream()
        .filter(rule -> rule.matches(name))
        .findFirst()
        .map(SlicingRule::slicing)
        .orElse(null);
  }

  private Slicing slicing(String name) {
    Slicing said = rule(name);
    if (said != null) {
      return said;
    }
    boolean inPieces = info.isPresent() && info.pieces(name).isPresent();
    return info.isPresent() && !inPieces ? info.slicing(name) : BY_DEFAULT;
  }

  private static void put(
      String name, Shape whole, Slicing slicing, Map<String, PickledValue> cut) {
    if (slicing instanceof Slicing.Along along) {
      cut.put(ALONG, PickledValue.integer(along.dim()));
    } else if (slicing instanceof Slicing.EvenParts even) {
      if (even.dim() == 0 && even.count() == 2) {
        cut.put(ALONG, PickledValue.integer(0));
        cut.put(PARTS, PickledValue.integer(2));
      } else {
        long size = whole.dim(even.dim()) / even.count();
        cut.put(
            PARTS_SHAPE, parts(name, whole, even.dim(), Collections.nCopies(even.count(), size)));
      }
    } else if (slicing instanceof Slicing.SizedParts sized) {
      cut.put(PARTS_SHAPE, parts(name, whole, sized.dim(), sized.sizes()));
    } else if (slicing instanceof Slicing.Parts uneven) {
      List<Long> sizes =
          uneven.widths().stream()
              .map(part -> part.stream().mapToLong(Long::longValue).sum())
              .toList();
      cut.put(PARTS_SHAPE, parts(name, whole, uneven.dim(), sizes));
    } else if (slicing instanceof Slicing.Padded padded) {
      put(name, whole, padded.slicing(), cut);
      cut.put(VOCABULARY, PickledValue.truth(true));
    }
  }

  /** A {@code SubparamShape}: lengths of dimensions, of the one that is cut those of its parts. */
  private static PickledValue parts(String name, Shape whole, int dim, List<Long> sizes) {
    List<PickledValue> shape = new ArrayList<>();
    for (int d = 0; d < whole.rank(); d++) {
      shape.add(
          d == dim
              ? PickledValue.tuple(sizes.stream().map(PickledValue::integer).toList())
              : PickledValue.integer(whole.dim(d)));
    }
    Map<PickledValue, PickledValue> fields = new LinkedHashMap<>();
    fields.put(PickledValue.text("patterns"), PickledValue.list(List.of(PickledValue.text(name))));
    fields.put(PickledValue.text("shape"), PickledValue.tuple(shape));
    fields.put(PickledValue.text("partition_dim"), PickledValue.integer(dim));
    return PickledValue.instance(
            PickledValue.global("deepspeed.checkpoint.universal_checkpoint", "SubparamShape"),
            List.of())
        .withState(PickledValue.dict(fields));
  }
}
