package dev.reweave.checkpoint.dcp;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * An order in which GPT models of Megatron-Core register their parameters: that in which the
 * constructors of its modules make them ({@code transformer_layer.py}, {@code attention.py}, {@code
 * multi_latent_attention.py}, {@code mlp.py}, {@code moe/} of 0.16). It depends on the layers that
 * the model was built of, which no file tells.
 *
 * @param kinds of parameters of a layer
 * @param experts how those of a layer follow each other
 */
record ParameterOrder(List<String> kinds, Experts experts) {
  /** Of several experts. */
  enum Experts {
    /** One after another, as {@code SequentialMLP} has them. */
    ONE_BY_ONE,
    /** The first layers of all, then the second ones, as {@code TEGroupedMLP} has them. */
    BY_KIND
  }

  /** Prefix of all parameters of experts. */
  static final String EXPERT = "mlp.experts.experts.";

  private static final List<String> NORM = both("self_attention.linear_qkv.layer_norm_");

  private static final List<String> ENDS =
      Stream.of(
              List.of(
                  "embedding.word_embeddings.weight",
                  "embedding.position_embeddings.weight",
                  "embedding.tokentype_embeddings.weight"),
              both("decoder.final_layernorm."),
              both("output_layer."))
          .flatMap(List::stream)
          .toList();

  private static final List<ParameterOrder> KNOWN = all();

  /** All that are known: of Transformer Engine's layers, and of Megatron-Core's own. */
  static List<ParameterOrder> known() {
    return KNOWN;
  }

  private static List<ParameterOrder> all() {
    List<String> fused = layer(List.of(), NORM);
    List<String> own = layer(NORM, List.of());
    return Stream.of(Experts.values())
        .flatMap(
            experts ->
                Stream.of(new ParameterOrder(fused, experts), new ParameterOrder(own, experts)))
        .toList();
  }

  /**
   * @param before the norm's where it is a module of its own in front of the attention
   * @param fused the norm's where it is a part of the projection behind it
   */
  private static List<String> layer(List<String> before, List<String> fused) {
    List<String> kinds = new ArrayList<>(both("input_layernorm."));
    kinds.addAll(before);
    kinds.addAll(both("self_attention.linear_proj."));
    kinds.addAll(fused);
    kinds.addAll(both("self_attention.linear_qkv."));
    kinds.addAll(both("self_attention.linear_q_proj."));
    kinds.addAll(both("self_attention.linear_q_down_proj."));
    kinds.addAll(both("self_attention.linear_q_up_proj.layer_norm_"));
    kinds.addAll(both("self_attention.linear_q_up_proj."));
    kinds.addAll(both("self_attention.linear_kv_down_proj."));
    kinds.addAll(both("self_attention.linear_kv_up_proj.layer_norm_"));
    kinds.addAll(both("self_attention.linear_kv_up_proj."));
    kinds.addAll(both("self_attention.q_layernorm."));
    kinds.addAll(both("self_attention.k_layernorm."));
    kinds.addAll(both("self_attention.kv_layernorm."));
    kinds.addAll(both("pre_mlp_layernorm."));
    kinds.addAll(both("mlp.linear_fc1.layer_norm_"));
    kinds.addAll(both("mlp.router."));
    kinds.addAll(both("mlp.linear_fc1."));
    kinds.addAll(both("mlp.linear_fc2."));
    kinds.addAll(both(EXPERT + "linear_fc1."));
    kinds.addAll(both(EXPERT + "linear_fc2."));
    kinds.add("mlp.shared_experts.gate_weight");
    kinds.addAll(both("mlp.shared_experts.linear_fc1."));
    kinds.addAll(both("mlp.shared_experts.linear_fc2."));
    return kinds;
  }

  private static List<String> both(String stem) {
    return List.of(stem + "weight", stem + "bias");
  }

  /** Whether it is known where a parameter stands. */
  boolean knows(ParameterName.Unit unit, String kind) {
    return (unit == ParameterName.Unit.LAYER ? kinds : ENDS).contains(kind);
  }

  /** By unit, layer, and the order within these. */
  Comparator<RankSlices.Key> comparator() {
    Comparator<RankSlices.Key> position = Comparator.comparingInt(this::position);
    Comparator<RankSlices.Key> expert = Comparator.comparingLong(RankSlices.Key::expert);
    Comparator<RankSlices.Key> within =
        experts == Experts.BY_KIND ? position.thenComparing(expert) : this::oneByOne;
    return Comparator.comparing(RankSlices.Key::unit)
        .thenComparingLong(RankSlices.Key::layer)
        .thenComparing(within);
  }

  private int oneByOne(RankSlices.Key a, RankSlices.Key b) {
    boolean ofTwoExperts = a.isOfExpert() && b.isOfExpert() && a.expert() != b.expert();
    return ofTwoExperts
        ? Long.compare(a.expert(), b.expert())
        : Integer.compare(position(a), position(b));
  }

  private int position(RankSlices.Key key) {
    return (key.unit() == ParameterName.Unit.LAYER ? kinds : ENDS).indexOf(key.kind());
  }
}
