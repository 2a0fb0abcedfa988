package dev.reweave.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SyntheticMegatronTest {
  private static final long SEED = 7;
  private static final int LAYERS = 2;
  private static final int WIDTH = 128;
  private static final int HIDDEN = 24;
  private static final int VOCABULARY = 10;
  private static final int HEAD = 64;

  private final Map<String, String> expected = new TreeMap<>();

  @TempDir Path root;

  /** What the rules of megatron-llama make of it is what each value says of its own place. */
  @Test
  void becomesTheModelThatItsValuesTell() throws IOException {
    SyntheticMegatron.write(
        root, 2, new SyntheticMegatron.Form(LAYERS, WIDTH, HIDDEN, VOCABULARY), SEED);

    matrix("model.embed_tokens", 0, VOCABULARY, WIDTH, row -> row);
    for (int l = 0; l < LAYERS; l++) {
      int layer = l;
      String at = "model.layers." + l + ".";
      vector(at + "input_layernorm", 1, layer);
      for (int part = 0; part < 3; part++) {
        int third = part;
        matrix(
            at + "self_attn." + "qkv".charAt(part) + "_proj",
            2,
            WIDTH,
            WIDTH,
            row -> 3L * WIDTH * layer + row / HEAD * 3 * HEAD + (long) third * HEAD + row % HEAD);
      }
      matrix(at + "self_attn.o_proj", 3, WIDTH, WIDTH, row -> (long) WIDTH * layer + row);
      vector(at + "post_attention_layernorm", 4, layer);
      matrix(at + "mlp.gate_proj", 5, HIDDEN, WIDTH, row -> 2L * HIDDEN * layer + row);
      matrix(at + "mlp.up_proj", 5, HIDDEN, WIDTH, row -> 2L * HIDDEN * layer + HIDDEN + row);
      matrix(at + "mlp.down_proj", 6, WIDTH, HIDDEN, row -> (long) WIDTH * layer + row);
    }
    vector("model.norm", 7, 0);
    matrix("lm_head", 8, VOCABULARY, WIDTH, row -> row);
    assertEquals(
        expected,
        Converting.between(root, root.resolve("out")).mapping("megatron-llama").gather().tensors());
  }

  private void vector(String module, int param, int layer) {
    expect(module, param, Shape.of(WIDTH), 1, WIDTH, row -> layer);
  }

  private void matrix(String module, int param, int rows, int width, LongUnaryOperator row) {
    expect(module, param, Shape.of(rows, width), rows, width, row);
  }

  private void expect(
      String module, int param, Shape shape, int rows, int width, LongUnaryOperator stored) {
    SyntheticWeights weights = new SyntheticWeights(SEED);
    ByteBuffer bytes =
        ByteBuffer.allocate(rows * width * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < width; column++) {
        bytes.putFloat(weights.value(param, stored.applyAsLong(row) * width + column));
      }
    }
    expected.put(
        module + ".weight", StoredTensors.describe(DType.F32, shape.toString(), bytes.array()));
  }
}
