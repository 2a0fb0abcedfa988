package dev.reweave.checkpoint.megatron;

import dev.reweave.checkpoint.TrainerArguments;
import dev.reweave.tensor.CombinedLayout;
import dev.reweave.tensor.Slicing;
import dev.reweave.tensor.SlicingRule;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * How tensor-parallel ranks share the tensors of Megatron-LM's models, as their layers are written:
 * {@code ColumnParallelLinear} and {@code VocabParallelEmbedding} cut the first dimension, {@code
 * RowParallelLinear} the second ({@code megatron/core/tensor_parallel/layers.py}); of a gated layer
 * each rank has its part of the gate, then its part of what is gated.
 *
 * @param gated whether there are such layers; empty where the arguments do not say
 * @param rules what the user says, which counts before all that is known
 */
record TensorShares(Optional<Boolean> gated, List<SlicingRule> rules) {
  private static final Slicing FIRST = new Slicing.Along(0);
  private static final Slicing SECOND = new Slicing.Along(1);
  private static final Slicing HALVES = new Slicing.EvenParts(0, 2);
  private static final Slicing COPIED = new Slicing.Copied(CombinedLayout.Kind.REPLICATED);

  private static final Pattern COLUMNS =
      Pattern.compile(
          "(language_model\\.)?embedding\\.word_embeddings\\.weight"
              + "|word_embeddings_for_head\\.weight"
              + "|(language_model\\.)?output_layer\\.(weight|bias)"
              + "|.*\\.self_attention\\.linear_qkv\\.(weight|bias)"
              + "|.*\\.(self_)?attention\\.query_key_value\\.(weight|bias)");

  private static final Pattern ROWS =
      Pattern.compile(
          ".*\\.self_attention\\.linear_proj\\.weight"
              + "|.*\\.(self_)?attention\\.dense\\.weight"
              + "|.*\\.mlp\\.(experts\\.local_experts\\.\\d+\\.)?linear_fc2\\.weight"
              + "|.*\\.mlp\\.experts\\.linear_fc2\\.weight\\d+"
              + "|.*\\.mlp\\.dense_4h_to_h\\.weight");

  private static final Pattern WIDENING =
      Pattern.compile(
          ".*\\.mlp\\.(experts\\.local_experts\\.\\d+\\.)?linear_fc1\\.(weight|bias)"
              + "|.*\\.mlp\\.experts\\.linear_fc1\\.weight\\d+"
              + "|.*\\.mlp\\.dense_h_to_4h\\.(weight|bias)");

  private static final Pattern WHOLE =
      Pattern.compile(
          ".*norm\\.(weight|bias)"
              + "|.*\\.layer_norm_(weight|bias)"
              + "|.*\\.(linear_proj|linear_fc2|dense|dense_4h_to_h)\\.bias"
              + "|.*\\.mlp\\.router\\.(weight|expert_bias|local_tokens_per_expert)"
              + "|(language_model\\.)?embedding\\.(position|tokentype)_embeddings\\.weight"
              + "|(.*\\.)?rotary_pos_emb\\..*"
              + "|(.*\\.)?rotary_emb\\..*");

  static TensorShares of(TrainerArguments arguments, List<SlicingRule> rules) {
    boolean told = arguments.values().containsKey("swiglu");
    boolean gated =
        List.of("swiglu", "quick_geglu", "gated_linear_unit").stream().anyMatch(arguments::isTrue);
    return new TensorShares(told ? Optional.of(gated) : Optional.empty(), rules);
  }

  /** Empty if it is not known of a tensor. */
  Optional<Slicing> of(String name) {
    Optional<Slicing> said =
        rules.stream().filter(rule -> rule.matches(name)).map(SlicingRule::slicing).findFirst();
    if (said.isPresent()) {
      return said;
    }
    if (COLUMNS.matcher(name).matches()) {
      return Optional.of(FIRST);
    }
    if (ROWS.matcher(name).matches()) {
      return Optional.of(SECOND);
    }
    if (WIDENING.matcher(name).matches()) {
      return gated.map(halves -> halves ? HALVES : FIRST);
    }
    return WHOLE.matcher(name).matches() ? Optional.of(COPIED) : Optional.empty();
  }
}
