package dev.reweave.format.safetensors;

import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** What the reference libraries wrote of the same tensors. */
final class Samples {
  static final List<String> NAMES =
      List.of(
          "",
          "plain.weight",
          "Plain.weight",
          "quote \" backslash \\ slash /",
          "\0\1\7\b\t\n\13\f\r\33\37",
          "del \177 c1 \200\237 nbsp \240",
          "café",
          "重み",
          "separators \u2028\u2029",
          "private \ue000",
          "replacement \ufffd",
          "\uffff",
          "\ufeffmark",
          "emoji 😀",
          "😀",
          "\udbff\udfff",
          "metadata",
          "total_size");

  private static final List<Shape> SHAPES =
      List.of(
          Shape.SCALAR,
          Shape.of(0),
          Shape.of(1),
          Shape.of(2, 3),
          Shape.of(0, 4),
          Shape.of(1, 1, 2));

  private Samples() {}

  static List<TensorSpec> named() {
    return NAMES.stream().map(name -> new TensorSpec(name, DType.U8, Shape.of(1))).toList();
  }

  /** Of all but those whose elements share bytes: not every shape has whole bytes of them. */
  static List<TensorSpec> ofAllTypes() {
    List<TensorSpec> tensors = new ArrayList<>();
    DType[] types = Arrays.stream(DType.values()).filter(t -> !t.isPacked()).toArray(DType[]::new);
    for (int i = 0; i < types.length; i++) {
      for (int j : new int[] {1, 0}) {
        Shape shape = SHAPES.get((i + j) % SHAPES.size());
        tensors.add(new TensorSpec(types[i].torchName() + "." + j, types[i], shape));
      }
    }
    return tensors;
  }

  static <T> List<T> shuffled(List<T> list) {
    List<T> shuffled = new ArrayList<>(list);
    Collections.shuffle(shuffled, new Random(3));
    return shuffled;
  }

  static byte[] bytes(String file) throws IOException {
    try (InputStream in = Samples.class.getResourceAsStream("/safetensors/" + file)) {
      return in.readAllBytes();
    }
  }
}
