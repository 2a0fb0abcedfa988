package dev.reweave.testing;

import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A checkpoint of any size, as DeepSpeed 0.19.6 writes it under bf16, whose master weights can be
 * computed one by one. Elements that belong to no parameter are NaN.
 */
public final class SyntheticCheckpoint {
  /** The one tag, to which {@code latest} points. */
  public static final String TAG = "global_step1";

  private final List<TensorSpec> params;
  private final SyntheticWeights weights;
  private final List<SyntheticWeights> moments;

  private SyntheticCheckpoint(
      List<TensorSpec> params, SyntheticWeights weights, List<SyntheticWeights> moments) {
    this.params = List.copyOf(params);
    this.weights = weights;
    this.moments = List.copyOf(moments);
  }

  /**
   * Writes a checkpoint without moments; see {@link #write(Path, SyntheticOptions, List, long)}.
   */
  public static SyntheticCheckpoint write(
      Path root, int stage, int world, List<TensorSpec> params, long seed) throws IOException {
    return write(root, new SyntheticOptions(stage, world), params, seed);
  }

  /**
   * Writes a checkpoint, in bounded memory.
   *
   * @param root the folder, which is made if it is missing
   * @param params the trained parameters, all F32, in the order of the optimizer
   * @param seed of the values
   */
  public static SyntheticCheckpoint write(
      Path root, SyntheticOptions options, List<TensorSpec> params, long seed) throws IOException {
    for (TensorSpec param : params) {
      if (param.dtype() != DType.F32) {
        throw new IllegalArgumentException("master weights are F32: " + param);
      }
    }
    SyntheticWeights weights = new SyntheticWeights(seed);
    List<SyntheticWeights> moments =
        List.of(new SyntheticWeights(~seed), new SyntheticWeights(~seed ^ (1L << 40)));
    Path folder = Files.createDirectories(root.resolve(TAG));
    if (options.stage() == 2) {
      new ZeroTwoFiles(options, params, weights, moments).write(folder);
    } else {
      new ZeroThreeFiles(options, params, weights, moments).write(folder);
    }
    Files.writeString(root.resolve("latest"), TAG);
    return new SyntheticCheckpoint(params, weights, moments);
  }

  /** The parameters, in order. */
  public List<TensorSpec> params() {
    return params;
  }

  /** Master weight {@code element}, in row-major order, of parameter number {@code param}. */
  public float value(int param, long element) {
    return weights.value(param, element);
  }

  /** The same of the first moment, 0, or the second, 1. */
  public float moment(int number, int param, long element) {
    return moments.get(number).value(param, element);
  }

  /**
   * Parameters that are alike.
   *
   * @param bytes of each, a multiple of 400
   */
  public static List<TensorSpec> layers(int count, long bytes) {
    return IntStream.range(0, count)
        .mapToObj(
            i -> new TensorSpec("layer" + i, DType.F32, Shape.of(bytes / Float.BYTES / 100, 100)))
        .toList();
  }

  /** Parameters of a model like Llama whose F32 master weights have about this many bytes. */
  public static List<TensorSpec> llama(long totalBytes) {
    long elements = totalBytes / Float.BYTES;
    long vocabulary = 32_000;
    long width = Math.max(1, Math.min(64, elements / (8 * vocabulary * 64))) * 64;
    long hidden = (8 * width / 3 + 63) / 64 * 64;
    long layer = 4 * width * width + 3 * width * hidden + 2 * width;
    long layers = Math.max(1, Math.round((elements - 2.0 * vocabulary * width) / layer));
    List<TensorSpec> params = new ArrayList<>();
    params.add(weight("model.embed_tokens", vocabulary, width));
    for (long l = 0; l < layers; l++) {
      String name = "model.layers." + l + ".";
      for (String part : List.of("q_proj", "k_proj", "v_proj", "o_proj")) {
        params.add(weight(name + "self_attn." + part, width, width));
      }
      params.add(weight(name + "mlp.gate_proj", hidden, width));
      params.add(weight(name + "mlp.up_proj", hidden, width));
      params.add(weight(name + "mlp.down_proj", width, hidden));
      params.add(weight(name + "input_layernorm", width));
      params.add(weight(name + "post_attention_layernorm", width));
    }
    params.add(weight("model.norm", width));
    params.add(weight("lm_head", vocabulary, width));
    return params;
  }

  /**
   * Parameters of a mixture of experts like Qwen3-MoE and DeepSeek-V3, of which each expert has its
   * own.
   *
   * @param width of a layer; experts have two sevenths of it
   */
  public static List<TensorSpec> experts(int layers, int experts, long width) {
    long hidden = 2 * width / 7;
    List<TensorSpec> params = new ArrayList<>();
    params.add(weight("model.embed_tokens", 128_000, width));
    for (int l = 0; l < layers; l++) {
      String name = "model.layers." + l + ".";
      for (String part : List.of("q_proj", "k_proj", "v_proj", "o_proj")) {
        params.add(weight(name + "self_attn." + part, width, width));
      }
      params.add(weight(name + "mlp.gate", experts, width));
      for (int e = 0; e < experts; e++) {
        String expert = name + "mlp.experts." + e + ".";
        params.add(weight(expert + "gate_proj", hidden, width));
        params.add(weight(expert + "up_proj", hidden, width));
        params.add(weight(expert + "down_proj", width, hidden));
      }
      params.add(weight(name + "input_layernorm", width));
      params.add(weight(name + "post_attention_layernorm", width));
    }
    params.add(weight("model.norm", width));
    params.add(weight("lm_head", 128_000, width));
    return params;
  }

  private static TensorSpec weight(String module, long... dims) {
    return new TensorSpec(module + ".weight", DType.F32, Shape.of(dims));
  }
}
