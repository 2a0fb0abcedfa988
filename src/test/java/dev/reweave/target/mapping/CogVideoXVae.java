package dev.reweave.target.mapping;

import dev.reweave.tensor.Shape;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Names and shapes of the video autoencoder of CogVideoX, from the constructors of both model
 * classes: SAT's {@code vae_modules.cp_enc_dec} and diffusers' {@code AutoencoderKLCogVideoX}.
 */
final class CogVideoXVae {
  private static final int LATENT = 16;
  private static final int BLOCKS = 3;
  private static final long[] WIDTHS = {128, 256, 256, 512};

  private final Map<String, Shape> shapes = new LinkedHashMap<>();

  private CogVideoXVae() {}

  /** As SAT names them; widths are of levels, the first of which has the full resolution. */
  static Map<String, Shape> sat() {
    CogVideoXVae vae = new CogVideoXVae();
    vae.causal("encoder.conv_in", 3, 128, 3);
    long in = 128;
    for (int level = 0; level < 4; level++) {
      for (int i = 0; i < BLOCKS; i++) {
        vae.encoderBlock(
            "encoder.down." + level + ".block." + i, in, WIDTHS[level], "nin_shortcut");
        in = WIDTHS[level];
      }
      if (level < 3) {
        vae.flat("encoder.down." + level + ".downsample.conv", in);
      }
    }
    vae.encoderBlock("encoder.mid.block_1", in, in, "");
    vae.encoderBlock("encoder.mid.block_2", in, in, "");
    vae.pair("encoder.norm_out", in);
    vae.causal("encoder.conv_out", in, 2 * LATENT, 3);
    vae.causal("decoder.conv_in", LATENT, in, 3);
    vae.decoderBlock("decoder.mid.block_1", in, in, "");
    vae.decoderBlock("decoder.mid.block_2", in, in, "");
    for (int level = 3; level >= 0; level--) {
      for (int i = 0; i <= BLOCKS; i++) {
        vae.decoderBlock("decoder.up." + level + ".block." + i, in, WIDTHS[level], "nin_shortcut");
        in = WIDTHS[level];
      }
      if (level > 0) {
        vae.flat("decoder.up." + level + ".upsample.conv", in);
      }
    }
    vae.spatialNorm("decoder.norm_out", in);
    vae.causal("decoder.conv_out", in, 3, 3);
    return vae.shapes;
  }

  /** As diffusers names them; blocks of the decoder are counted from the least resolution. */
  static Map<String, Shape> diffusers() {
    CogVideoXVae vae = new CogVideoXVae();
    long[] outs = {128, 256, 256, 512};
    long[] ins = {128, 128, 256, 256};
    vae.causal("encoder.conv_in", 3, 128, 3);
    for (int b = 0; b < 4; b++) {
      String block = "encoder.down_blocks." + b;
      vae.encoderBlock(block + ".resnets.0", ins[b], outs[b], "conv_shortcut");
      vae.encoderBlock(block + ".resnets.1", outs[b], outs[b], "");
      vae.encoderBlock(block + ".resnets.2", outs[b], outs[b], "");
      if (b != 3) {
        vae.flat(block + ".downsamplers.0.conv", outs[b]);
      }
    }
    vae.encoderBlock("encoder.mid_block.resnets.0", 512, 512, "");
    vae.encoderBlock("encoder.mid_block.resnets.1", 512, 512, "");
    vae.pair("encoder.norm_out", 512);
    vae.causal("encoder.conv_out", 512, 32, 3);
    vae.causal("decoder.conv_in", 16, 512, 3);
    vae.decoderBlock("decoder.mid_block.resnets.0", 512, 512, "");
    vae.decoderBlock("decoder.mid_block.resnets.1", 512, 512, "");
    long[] upIns = {512, 512, 256, 256};
    long[] upOuts = {512, 256, 256, 128};
    for (int b = 0; b < 4; b++) {
      String block = "decoder.up_blocks." + b;
      vae.decoderBlock(block + ".resnets.0", upIns[b], upOuts[b], "conv_shortcut");
      for (int i = 1; i < 4; i++) {
        vae.decoderBlock(block + ".resnets." + i, upOuts[b], upOuts[b], "");
      }
      if (b != 3) {
        vae.flat(block + ".upsamplers.0.conv", upOuts[b]);
      }
    }
    vae.spatialNorm("decoder.norm_out", 128);
    vae.causal("decoder.conv_out", 128, 3, 3);
    return vae.shapes;
  }

  private void tensor(String name, long... dims) {
    shapes.put(name, Shape.of(dims));
  }

  private void pair(String name, long size) {
    tensor(name + ".weight", size);
    tensor(name + ".bias", size);
  }

  private void causal(String name, long in, long out, int kernel) {
    tensor(name + ".conv.weight", out, in, kernel, kernel, kernel);
    tensor(name + ".conv.bias", out);
  }

  private void flat(String name, long width) {
    tensor(name + ".weight", width, width, 3, 3);
    tensor(name + ".bias", width);
  }

  private void spatialNorm(String name, long width) {
    pair(name + ".norm_layer", width);
    causal(name + ".conv_y", LATENT, width, 1);
    causal(name + ".conv_b", LATENT, width, 1);
  }

  private void convolutions(String name, long in, long out, String shortcut) {
    causal(name + ".conv1", in, out, 3);
    causal(name + ".conv2", out, out, 3);
    if (in != out) {
      tensor(name + "." + shortcut + ".weight", out, in, 1, 1, 1);
      tensor(name + "." + shortcut + ".bias", out);
    }
  }

  private void encoderBlock(String name, long in, long out, String shortcut) {
    pair(name + ".norm1", in);
    pair(name + ".norm2", out);
    convolutions(name, in, out, shortcut);
  }

  private void decoderBlock(String name, long in, long out, String shortcut) {
    spatialNorm(name + ".norm1", in);
    spatialNorm(name + ".norm2", out);
    convolutions(name, in, out, shortcut);
  }
}
