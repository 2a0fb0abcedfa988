package dev.reweave.target.mapping;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Weights;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.format.safetensors.SafetensorsHeader;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A SAT checkpoint against what CogVideoX's own converter made of it. */
class MappedFixtureTest {
  private static final Path FIXTURE = Fixtures.folder("sat_z2_bf16_w2");
  private static final Stores STORES = new Stores(new Configuration());

  @ParameterizedTest
  @CsvSource({
    "ckpt, MASTER, expected_diffusers_fp32.safetensors",
    "ckpt, MODEL, expected_diffusers_from_module_bf16.safetensors",
    "sat_plain, MODEL, expected_sat_plain_diffusers_bf16.safetensors",
  })
  void givesWhatTheConverterGives(String input, Weights weights, String expected)
      throws IOException {
    Checkpoint checkpoint =
        new CheckpointReader(STORES, new ThreadScanner(STORES))
            .read(
                Locations.of(FIXTURE.resolve(input)),
                new ReadOptions(
                    Optional.empty(), Optional.of(weights), ReadOptions.Frozen.INCLUDE));
    List<String> names = checkpoint.tensors().stream().map(NamedTensor::name).toList();
    List<Mapping> mappings = Mappings.recognise(names, () -> ModelFacts.NONE);
    assertEquals(1, mappings.size());
    Mapped mapped = mappings.get(0).apply(checkpoint.tensors(), checkpoint.aliases());

    Map<TensorSpec, byte[]> wanted = expected(FIXTURE.resolve(expected));
    assertEquals(wanted.size(), mapped.tensors().size());
    for (NamedTensor tensor : mapped.tensors()) {
      byte[] bytes = wanted.get(tensor.spec());
      assertArrayEquals(bytes, bytes(checkpoint, tensor), tensor.spec().toString());
    }
  }

  private static Map<TensorSpec, byte[]> expected(Path file) throws IOException {
    byte[] content = Files.readAllBytes(file);
    Map<TensorSpec, byte[]> tensors = new HashMap<>();
    try (RandomAccess access = STORES.open(STORES.file(Locations.of(file)).orElseThrow())) {
      SafetensorsHeader header = SafetensorsHeader.read(access);
      for (SafetensorsHeader.Entry entry : header.entries()) {
        int from = (int) header.position(entry);
        byte[] bytes = new byte[(int) entry.spec().bytes()];
        System.arraycopy(content, from, bytes, 0, bytes.length);
        tensors.put(entry.spec(), bytes);
      }
    }
    return tensors;
  }

  private static byte[] bytes(Checkpoint checkpoint, NamedTensor tensor) throws IOException {
    List<byte[]> files = new ArrayList<>();
    for (var file : checkpoint.files()) {
      files.add(Files.readAllBytes(Path.of(URI.create(file.uri()))));
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    int size = tensor.spec().dtype().bytes();
    tensor
        .layout()
        .runs(
            0,
            tensor.spec().elements(),
            (storage, at, count) ->
                bytes.write(
                    files.get(storage.file()),
                    (int) (storage.position() + at * size),
                    (int) count * size));
    return bytes.toByteArray();
  }
}
