package dev.reweave.checkpoint.deepspeed;

import dev.reweave.checkpoint.Caution;
import dev.reweave.common.Printable;
import dev.reweave.format.pytorch.TorchValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The dicts of DeepSpeed's files in which each key is DeepSpeed's own, with the keys that decide
 * where weights lie and those that do not. A key in neither list may be one that a later DeepSpeed
 * added because something lies elsewhere now, as {@code param_alignment_paddings} of 0.19.7 did.
 *
 * <p>Keys are those that DeepSpeed 0.3 to 0.19.8 write: {@code state_dict} of the optimizers in
 * {@code runtime/zero} and {@code runtime/bf16_optimizer.py}, {@code runtime/engine.py}, {@code
 * runtime/zero/config.py}, {@code checkpoint/constants.py} and {@code
 * checkpoint/ds_to_universal.py}.
 *
 * @param dict what it is, for messages
 * @param ofLayout keys that decide where weights lie, or what they are
 * @param others all other keys
 */
record KnownKeys(String dict, Set<String> ofLayout, Set<String> others) {
  /**
   * The top level of model states, where the trainer's keys stand as well: {@link TopLevelKeys}.
   */
  static final KnownKeys MODEL_STATES =
      new KnownKeys(
          "the model states",
          Set.of(
              "module",
              "buffer_names",
              "param_shapes",
              "frozen_param_shapes",
              "frozen_param_fragments",
              "shared_params",
              "num_experts",
              "ds_autoep_layers",
              "autoep_layers",
              "folding",
              "universal_checkpoint_info",
              "dp_world_size",
              "mp_world_size",
              "checkpoint_parallel_dimensions",
              "ds_config",
              "ds_version"),
          Set.of(
              "optimizer",
              "lr_scheduler",
              "data_sampler",
              "random_ltd",
              "sparse_tensor_module_names",
              "csr_tensor_module_names",
              "skipped_steps",
              "global_steps",
              "global_samples"));

  /** The top level of optimizer states. */
  static final KnownKeys OPTIMIZER_FILE =
      new KnownKeys(
          "the optimizer states",
          Set.of("optimizer_state_dict", "param_shapes", "folding", "ds_config", "ds_version"),
          Set.of());

  /** {@code optimizer_state_dict} of ZeRO-1, 2 and 3 and of {@code BF16_Optimizer}. */
  static final KnownKeys OPTIMIZER_STATE =
      new KnownKeys(
          "optimizer_state_dict",
          Set.of(
              "zero_stage",
              "partition_count",
              "single_partition_of_fp32_groups",
              "fp32_flat_groups",
              "fp32_groups",
              "local_sub_partitions_of_fp32_groups",
              "num_comm_intervals_per_group",
              "group_paddings",
              "groups_padding",
              "param_alignment_paddings",
              "param_slice_mappings",
              "ds_zero_partition_groups",
              "universal_checkpoint_info",
              "ds_version"),
          Set.of(
              "loss_scaler",
              "dynamic_loss_scale",
              "overflow",
              "clip_grad",
              "base_optimizer_state",
              "base_optimizer_state_step",
              "optimizer_state_dict"));

  /** What tells how tensor-parallel ranks share parameters. */
  static final KnownKeys UNIVERSAL_INFO =
      new KnownKeys(
          "universal_checkpoint_info",
          Set.of(
              "universal_checkpoint_version",
              "vocabulary_parameter_patterns",
              "original_vocab_size",
              "padded_vocab_size",
              "pipeline_replicated_parameter_patterns",
              "tp_replicated_parameter_patterns",
              "parameter_to_average_patterns",
              "parameter_with_row_parallelism_patterns",
              "parameter_with_2_sub_params_cat_dim_0",
              "parameter_with_sub_params",
              "sub_param_shard_widths",
              "autotp_unsupported_parameter_patterns",
              "affine_map",
              "expert_parameter_patterns",
              "ds_autoep_layers"),
          Set.of());

  /** What {@code ds_to_universal.py} writes of one parameter. */
  static final KnownKeys UNIVERSAL_PARAMETER =
      new KnownKeys(
          "the file of a parameter",
          Set.of(
              "param",
              "cat_dim",
              "param_n_sub_params",
              "sub_param_shape",
              "vocab_tensor",
              "vocab_divisibility_padding_tensor",
              "is_expert_param",
              "ep_num_experts",
              "folding"),
          Set.of());

  /** How many ranks there were of each kind: one more kind is one more way to cut. */
  static final KnownKeys PARALLEL_DIMENSIONS =
      new KnownKeys("checkpoint_parallel_dimensions", Set.of("pp_degree", "tp_degree"), Set.of());

  /** An entry of {@code ds_autoep_layers}. */
  static final KnownKeys AUTOEP_LAYER =
      new KnownKeys(
          "ds_autoep_layers",
          Set.of(
              "moe_layer_id",
              "module_path",
              "expert_key_prefix",
              "num_experts",
              "num_local_experts",
              "ep_size",
              "ep_rank",
              "expert_data_parallel_rank",
              "expert_data_parallel_world_size",
              "global_expert_start",
              "global_expert_end",
              "expert_placement",
              "affine_maps",
              "checkpoint_format",
              "checkpoint_format_version"),
          Set.of("ep_group_name"));

  /** The user's settings: since DeepSpeed 0.8 it takes no key that it does not know. */
  static final KnownKeys ZERO_OPTIMIZATION =
      new KnownKeys(
          "ds_config.zero_optimization",
          Set.of(
              "stage",
              "round_robin_gradients",
              "parameter_alignment",
              "elastic_checkpoint",
              "legacy_stage1",
              "sub_group_size",
              "offload_param",
              "offload_optimizer",
              "zenflow",
              "zero_hpz_partition_size",
              "mics_shard_size",
              "zero_quantized_nontrainable_weights",
              "stage3_param_persistence_threshold",
              "param_persistence_threshold"),
          Set.of(
              "allgather_bucket_size",
              "allgather_partitions",
              "allgather_sequential",
              "allgather_size",
              "compute_grad_norm",
              "contiguous_gradients",
              "cpu_offload",
              "cpu_offload_param",
              "cpu_offload_params",
              "cpu_offload_use_pin_memory",
              "enable_sanity_checks",
              "find_unused_parameters",
              "gather_16bit_weights_on_model_save",
              "ignore_unused_parameters",
              "leaf_module",
              "load_from_fp32_weights",
              "log_trace_cache_warnings",
              "max_elements_per_comm",
              "max_live_parameters",
              "max_reuse_distance",
              "memory_efficient_linear",
              "mics_hierarchical_params_gather",
              "model_persistence_threshold",
              "module_granularity_threshold",
              "overlap_comm",
              "override_module_apply",
              "pipeline_loading_checkpoint",
              "prefetch_bucket_size",
              "reduce_bucket_size",
              "reduce_scatter",
              "save_muon_momentum_buffer_in_memory",
              "stage3_allgather_sequential",
              "stage3_gather_16bit_weights_on_model_save",
              "stage3_gather_fp16_weights_on_model_save",
              "stage3_max_live_parameters",
              "stage3_max_reuse_distance",
              "stage3_model_persistence_threshold",
              "stage3_module_granularity_threshold",
              "stage3_prefetch_bucket_size",
              "stage3_use_all_reduce_for_fetch_params",
              "use_all_reduce_for_fetch_params",
              "use_multi_rank_bucket_allreduce",
              "zero_quantized_gradients",
              "zero_quantized_weights",
              "zeropp_loco_param"));

  /** More of one dict are no sign of a newer version. */
  static final int MOST = 20;

  private static final int MOST_CHARS = 100;

  boolean knows(String key) {
    return ofLayout.contains(key) || others.contains(key);
  }

  /** The keys of a dict that are not known; None at a key says that nothing is there. */
  List<Caution> unknown(TorchValue value) {
    List<Caution> unknown = new ArrayList<>();
    for (Map.Entry<String, TorchValue> entry : value.entries()) {
      if (unknown.size() == MOST) {
        break;
      }
      if (!entry.getValue().isNone() && !knows(entry.getKey())) {
        unknown.add(caution(entry.getKey(), value.place()));
      }
    }
    return unknown;
  }

  /**
   * What to say of an unknown key.
   *
   * @param place of its dict
   */
  Caution caution(String key, String place) {
    String name = shown(key);
    return new Caution(
        Caution.Kind.UNKNOWN_KEY,
        name,
        "unknown key '" + name + "' in " + dict + ", which may change where weights lie",
        place);
  }

  /** A key, which is as long as a file makes it, for people. */
  static String shown(String key) {
    String text = key.isEmpty() ? "(empty)" : Printable.text(key);
    return text.length() > MOST_CHARS ? text.substring(0, MOST_CHARS) + "…" : text;
  }
}
