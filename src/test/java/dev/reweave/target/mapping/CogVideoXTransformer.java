package dev.reweave.target.mapping;

import dev.reweave.tensor.Shape;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Names and shapes of CogVideoX transformers, from the constructors of both model classes: SAT's
 * {@code dit_video_concat.DiffusionTransformer} with its configs, and diffusers' {@code
 * CogVideoXTransformer3DModel} as the converter of CogVideoX sets it up.
 *
 * @param layers number of blocks
 * @param heads of 64 elements each
 * @param inChannels 16, or 32 for image to video
 */
record CogVideoXTransformer(
    int layers, int heads, int inChannels, Version version, Positions positions, Offsets offsets) {

  /** Version 1.0 embeds patches of one frame by a convolution, 1.5 those of two by a matrix. */
  enum Version {
    ONE,
    ONE_AND_A_HALF
  }

  /** How a model knows positions. */
  enum Positions {
    /** A table of sines, which SAT saves and diffusers does not. */
    SINES,
    ROTARY,
    /** Rotary, and a table that is trained. */
    LEARNED
  }

  /** Whether there is an embedding of the motion's offset. */
  enum Offsets {
    NONE,
    EMBEDDED
  }

  private static final int TIME = 512;
  private static final int TEXT = 4096;
  private static final int HEAD = 64;

  /** 226 tokens of text and 13 frames of 30 x 45 patches. */
  private static final int TOKENS = 226 + 13 * 30 * 45;

  static CogVideoXTransformer twoB() {
    return new CogVideoXTransformer(30, 30, 16, Version.ONE, Positions.SINES, Offsets.NONE);
  }

  static CogVideoXTransformer fiveB() {
    return new CogVideoXTransformer(42, 48, 16, Version.ONE, Positions.ROTARY, Offsets.NONE);
  }

  static CogVideoXTransformer fiveBImage() {
    return new CogVideoXTransformer(42, 48, 32, Version.ONE, Positions.LEARNED, Offsets.NONE);
  }

  static CogVideoXTransformer newFiveB() {
    return new CogVideoXTransformer(
        42, 48, 16, Version.ONE_AND_A_HALF, Positions.ROTARY, Offsets.NONE);
  }

  static CogVideoXTransformer newFiveBImage() {
    return new CogVideoXTransformer(
        42, 48, 32, Version.ONE_AND_A_HALF, Positions.ROTARY, Offsets.EMBEDDED);
  }

  private int hidden() {
    return heads * HEAD;
  }

  private int patch() {
    return version == Version.ONE ? 2 * 2 : 2 * 2 * 2;
  }

  private Shape projection() {
    return version == Version.ONE
        ? Shape.of(hidden(), inChannels, 2, 2)
        : Shape.of(hidden(), (long) inChannels * patch());
  }

  /** In the order in which SAT builds its modules. */
  Map<String, Shape> sat() {
    long h = hidden();
    Names names = new Names("model.diffusion_model.");
    if (positions == Positions.SINES) {
      names.tensor("mixins.pos_embed.pos_embedding", 1, TOKENS, h);
    } else {
      names.tensor("mixins.pos_embed.freqs_sin", 13, 30, 45, HEAD);
      names.tensor("mixins.pos_embed.freqs_cos", 13, 30, 45, HEAD);
      names.tensor("transformer.position_embeddings.weight", 64, h);
    }
    if (positions == Positions.LEARNED) {
      names.tensor("mixins.pos_embed.pos_embedding", 1, TOKENS, h);
    }
    for (int i = 0; i < layers; i++) {
      String layer = "transformer.layers." + i + ".";
      names.norm(layer + "input_layernorm", h);
      names.linear(layer + "attention.query_key_value", h, 3 * h);
      names.linear(layer + "attention.dense", h, h);
      names.norm(layer + "post_attention_layernorm", h);
      names.linear(layer + "mlp.dense_h_to_4h", h, 4 * h);
      names.linear(layer + "mlp.dense_4h_to_h", 4 * h, h);
      names.linear("mixins.adaln_layer.adaLN_modulations." + i + ".1", TIME, 12 * h);
      names.norm("mixins.adaln_layer.query_layernorm_list." + i, HEAD);
      names.norm("mixins.adaln_layer.key_layernorm_list." + i, HEAD);
    }
    names.norm("transformer.final_layernorm", h);
    names.linear("time_embed.0", h, TIME);
    names.linear("time_embed.2", TIME, TIME);
    if (offsets == Offsets.EMBEDDED) {
      names.linear("ofs_embed.0", TIME, TIME);
      names.linear("ofs_embed.2", TIME, TIME);
    }
    names.tensor("mixins.patch_embed.proj.weight", projection().dims());
    names.tensor("mixins.patch_embed.proj.bias", h);
    names.linear("mixins.patch_embed.text_proj", TEXT, h);
    names.norm("mixins.final_layer.norm_final", h);
    names.linear("mixins.final_layer.linear", h, patch() * 16L);
    names.linear("mixins.final_layer.adaLN_modulation.1", TIME, 2 * h);
    return names.shapes();
  }

  /** In the order in which diffusers builds its modules. */
  Map<String, Shape> diffusers() {
    long h = hidden();
    Names names = new Names("");
    if (positions == Positions.LEARNED) {
      names.tensor("patch_embed.pos_embedding", 1, TOKENS, h);
    }
    names.tensor("patch_embed.proj.weight", projection().dims());
    names.tensor("patch_embed.proj.bias", h);
    names.linear("patch_embed.text_proj", TEXT, h);
    names.linear("time_embedding.linear_1", h, TIME);
    names.linear("time_embedding.linear_2", TIME, TIME);
    if (offsets == Offsets.EMBEDDED) {
      names.linear("ofs_embedding.linear_1", TIME, TIME);
      names.linear("ofs_embedding.linear_2", TIME, TIME);
    }
    for (int i = 0; i < layers; i++) {
      String block = "transformer_blocks." + i + ".";
      names.linear(block + "norm1.linear", TIME, 6 * h);
      names.norm(block + "norm1.norm", h);
      names.norm(block + "attn1.norm_q", HEAD);
      names.norm(block + "attn1.norm_k", HEAD);
      names.linear(block + "attn1.to_q", h, h);
      names.linear(block + "attn1.to_k", h, h);
      names.linear(block + "attn1.to_v", h, h);
      names.linear(block + "attn1.to_out.0", h, h);
      names.linear(block + "norm2.linear", TIME, 6 * h);
      names.norm(block + "norm2.norm", h);
      names.linear(block + "ff.net.0.proj", h, 4 * h);
      names.linear(block + "ff.net.2", 4 * h, h);
    }
    names.norm("norm_final", h);
    names.linear("norm_out.linear", TIME, 2 * h);
    names.norm("norm_out.norm", h);
    names.linear("proj_out", h, patch() * 16L);
    return names.shapes();
  }

  /** Collects the tensors of modules. */
  private static final class Names {
    private final Map<String, Shape> shapes = new LinkedHashMap<>();
    private final String prefix;

    Names(String prefix) {
      this.prefix = prefix;
    }

    void tensor(String name, long... dims) {
      shapes.put(prefix + name, Shape.of(dims));
    }

    void linear(String name, long in, long out) {
      tensor(name + ".weight", out, in);
      tensor(name + ".bias", out);
    }

    void norm(String name, long size) {
      tensor(name + ".weight", size);
      tensor(name + ".bias", size);
    }

    Map<String, Shape> shapes() {
      return shapes;
    }
  }
}
