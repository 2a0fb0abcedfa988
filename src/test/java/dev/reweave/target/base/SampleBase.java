package dev.reweave.target.base;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.reweave.format.safetensors.SafetensorsHeader;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.Locations;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;

/** A base that a test writes, with tensors of zeros. */
final class SampleBase {
  static final Stores STORES = new Stores(new Configuration(false));

  private final Path folder;

  SampleBase(Path folder) {
    this.folder = folder;
  }

  SampleBase text(String path, String content) throws IOException {
    return bytes(path, content.replace('\'', '"').getBytes(UTF_8));
  }

  SampleBase bytes(String path, byte[] content) throws IOException {
    Path file = folder.resolve(path);
    if (!file.startsWith(folder)) {
      throw new IllegalArgumentException(path + " is not in the base");
    }
    Files.createDirectories(file.getParent());
    Files.write(file, content);
    return this;
  }

  SampleBase weights(String path, String... names) throws IOException {
    List<TensorSpec> tensors = Arrays.stream(names).map(n -> tensor(n, 2)).toList();
    return weights(path, Map.of("format", "pt"), tensors);
  }

  SampleBase weights(String path, Map<String, String> metadata, List<TensorSpec> tensors)
      throws IOException {
    SafetensorsHeader header = SafetensorsHeader.layOut(tensors, metadata);
    return bytes(path, Arrays.copyOf(header.bytes(), Math.toIntExact(header.fileLength())));
  }

  /** A config and weights of one model. */
  SampleBase model(String folderName, String className, String... names) throws IOException {
    String prefix = BaseFolder.prefix(folderName);
    text(prefix + "config.json", "{'_class_name': '" + className + "'}");
    return weights(prefix + "diffusion_pytorch_model.safetensors", names);
  }

  Path folder() {
    return folder;
  }

  String uri() {
    return Locations.of(folder).uri();
  }

  BaseFolder read() {
    return BaseFolder.read(STORES, Locations.of(folder));
  }

  /** The component that nobody has chosen. */
  Component component(String... names) {
    return read().component(Optional.empty(), Optional.empty(), List.of(names), Optional.empty());
  }

  static TensorSpec tensor(String name, long... dims) {
    return new TensorSpec(name, DType.BF16, Shape.of(dims));
  }
}
