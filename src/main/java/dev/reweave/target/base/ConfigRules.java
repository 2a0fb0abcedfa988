package dev.reweave.target.base;

import dev.reweave.target.base.ConfigRule.Layers;
import dev.reweave.target.base.ConfigRule.Length;
import dev.reweave.target.base.ConfigRule.Part;
import dev.reweave.target.base.ConfigRule.Rank;
import java.util.List;

/** What the configs of known architectures say of their tensors. */
final class ConfigRules {
  private static final String PATCHES = "patch_embed.proj.weight";
  private static final String HIDDEN = "num_attention_heads*attention_head_dim";

  /**
   * As {@code CogVideoXTransformer3DModel} of diffusers makes its modules: 1.0 cuts patches with a
   * convolution, 1.5, which has a {@code patch_size_t}, with a matrix.
   */
  private static final List<ConfigRule> COGVIDEOX =
      List.of(
          new Layers("num_layers", "transformer_blocks\\.(\\d+)\\..*"),
          new Rank("patch_size_t", PATCHES, 4),
          new Length(HIDDEN, "patch_embed\\.proj\\.weight", 4, 0),
          new Length("in_channels", "patch_embed\\.proj\\.weight", 4, 1),
          new Length("patch_size", "patch_embed\\.proj\\.weight", 4, 2),
          new Length("patch_size", "patch_embed\\.proj\\.weight", 4, 3),
          new Length(HIDDEN, "patch_embed\\.proj\\.weight", 2, 0),
          new Length(
              "in_channels*patch_size*patch_size*patch_size_t",
              "patch_embed\\.proj\\.weight",
              2,
              1),
          new Length(HIDDEN, "patch_embed\\.text_proj\\.weight", 2, 0),
          new Length("text_embed_dim", "patch_embed\\.text_proj\\.weight", 2, 1),
          new Length("time_embed_dim", "time_embedding\\.linear_1\\.weight", 2, 0),
          new Length(HIDDEN, "time_embedding\\.linear_1\\.weight", 2, 1),
          new Part("ofs_embed_dim", "ofs_embedding\\..*"),
          new Length("ofs_embed_dim", "ofs_embedding\\.linear_1\\.weight", 2, 0));

  private static final List<ConfigRule> COGVIDEOX_VAE =
      List.of(
          new Length("in_channels", "encoder\\.conv_in\\.conv\\.weight", 5, 1),
          new Length("out_channels", "decoder\\.conv_out\\.conv\\.weight", 5, 0),
          new Length("latent_channels", "decoder\\.conv_in\\.conv\\.weight", 5, 1));

  private static final List<ConfigRule> T5 =
      List.of(
          new Layers("num_layers", "encoder\\.block\\.(\\d+)\\..*"),
          new Length("vocab_size", "shared\\.weight", 2, 0),
          new Length("d_model", "shared\\.weight", 2, 1));

  private static final String EMBEDDING = "(model\\.embed_tokens|(transformer\\.)?wte)\\.weight";

  /** Decoders under the names of Llama or GPT-2; some have layers that predict further tokens. */
  private static final List<ConfigRule> LANGUAGE_MODEL =
      List.of(
          new Layers(
              "num_hidden_layers", "model\\.layers\\.(\\d+)\\..*", "num_nextn_predict_layers"),
          new Layers("n_layer", "(?:transformer\\.)?h\\.(\\d+)\\..*"),
          new Length("vocab_size", EMBEDDING, 2, 0),
          new Length("vocab_size", "lm_head\\.weight", 2, 0),
          new Length("hidden_size", EMBEDDING, 2, 1),
          new Length("n_embd", EMBEDDING, 2, 1));

  private ConfigRules() {}

  /** The rules for a class of diffusers or transformers; none if it is not known. */
  static List<ConfigRule> of(String className) {
    return switch (className) {
      case "CogVideoXTransformer3DModel" -> COGVIDEOX;
      case "AutoencoderKLCogVideoX" -> COGVIDEOX_VAE;
      case "T5EncoderModel", "T5ForConditionalGeneration", "T5Model" -> T5;
      default -> isLanguageModel(className) ? LANGUAGE_MODEL : List.of();
    };
  }

  /** Whether a model of this class ends in an output layer that may be tied to its input. */
  static boolean isLanguageModel(String className) {
    return className.endsWith("ForCausalLM") || className.endsWith("LMHeadModel");
  }
}
