package dev.reweave.look.doctor;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.reweave.format.safetensors.SafetensorsHeader;
import dev.reweave.format.safetensors.SafetensorsIndex;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A model folder that a test writes, with tensors of zeros. */
final class ModelFolder {
  private final Path folder;

  ModelFolder(Path folder) {
    this.folder = folder;
  }

  static TensorSpec tensor(String name, DType dtype, long... dims) {
    return new TensorSpec(name, dtype, Shape.of(dims));
  }

  /** A file; single quotes stand for double ones. */
  ModelFolder text(String path, String content) throws IOException {
    return bytes(path, content.replace('\'', '"').getBytes(UTF_8));
  }

  ModelFolder bytes(String path, byte[] content) throws IOException {
    Path file = folder.resolve(path);
    Files.createDirectories(file.getParent());
    Files.write(file, content);
    return this;
  }

  ModelFolder weights(String path, TensorSpec... tensors) throws IOException {
    SafetensorsHeader header = SafetensorsHeader.layOut(List.of(tensors), Map.of("format", "pt"));
    return bytes(path, Arrays.copyOf(header.bytes(), Math.toIntExact(header.fileLength())));
  }

  /** Two shards of a tensor of 4 bytes each, and their index. */
  ModelFolder shards() throws IOException {
    Map<String, String> map = new TreeMap<>();
    for (int i = 1; i <= 2; i++) {
      String shard = "model-0000" + i + "-of-00002.safetensors";
      weights(shard, tensor("t" + i, DType.BF16, 2));
      map.put("t" + i, shard);
    }
    return bytes("model.safetensors.index.json", new SafetensorsIndex(Map.of(), 8, map).bytes());
  }

  Path path() {
    return folder;
  }
}
