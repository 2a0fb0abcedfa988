package dev.reweave.look.bug;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Names that say nothing of who owns a file or machine: frameworks and systems give them. */
final class FamiliarNames {
  private static final Pattern FILE =
      Pattern.compile(
          String.join(
              "|",
              "\\.{1,2}|~|\\*",
              "\\{tag\\}|\\{date\\}",
              "all|new|auto|none|latest|latest_universal",
              "(?:global_step|step|iter|epoch|checkpoint|run)[-_]?\\d{1,9}",
              "(?:bf16_|fp16_)?zero_pp_rank_\\d+_mp_rank_\\d+(?:_|(?:_?(?:optim|model)_states))?",
              "(?:mp|expp|pp|dp)_rank_\\d+(?:_mp_rank_\\d+)?(?:_?(?:optim|model)_states)?",
              "layer_\\d+(?:-model_\\d+)?-model_states|layer_\\d+_expert_\\d+_mp_rank_\\d+_model_states",
              "\\*?_?(?:optim|model)_states|offloaded_tensors|rank\\d+|zero|fp32|exp_avg|exp_avg_sq|step",
              "\\.metadata|__\\d+_\\d+|\\.reweave|reweave|manifest|lock|journal",
              "model|pytorch_model|diffusion_pytorch_model|adapter_model|pytorch_lora_weights",
              "consolidated|archive|data|data\\.pkl|version|byteorder|\\.data|\\d{1,9}",
              "config|model_index|generation_config|adapter_config|scheduler_config|tokenizer_config",
              "transformer|transformer_2|vae|unet|prior|text_encoder(?:_\\d)?|tokenizer(?:_\\d)?",
              "scheduler|image_encoder|feature_extractor|safety_checker|controlnet|conf|mappings",
              "tmp|home|mnt|var|opt|srv|usr|etc|dev|user|users|Users|private|workspace",
              "ckpt|ckpts|checkpoint|checkpoints|run|runs|weights|models|base|in|out|input|output"));

  private static final Pattern END =
      Pattern.compile(
          "(?:-\\d{5}-of-\\d{5})?"
              + "(?:\\.(?:safetensors|bin|pt|pth|ckpt|pkl|json|jsonl|distcp|swp|index|parquet|conf|txt|tensor|fp16|bf16))*"
              + "$");

  private static final Pattern HOST =
      Pattern.compile(
          "localhost|127\\.0\\.0\\.1|0\\.0\\.0\\.0|::1|\\[::1\\]|\\*|driver|unknown|default"
              + "|s3(?:[.-][a-z0-9-]+)?\\.amazonaws\\.com|local|yarn");

  private FamiliarNames() {}

  /** Whether a file or folder of this name may be anybody's. */
  static boolean isFile(String name) {
    return FILE.matcher(name).matches();
  }

  /** The end of a file's name that tells its number and format; may be empty. */
  static String end(String name) {
    Matcher end = END.matcher(name);
    return end.find() ? end.group() : "";
  }

  /** Whether a machine of this name may be anybody's. */
  static boolean isHost(String name) {
    return name.isBlank() || HOST.matcher(name).matches();
  }
}
