package dev.reweave.checkpoint.huggingface;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.NotTaken;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.common.ReweaveException;
import dev.reweave.format.safetensors.SafetensorsHeader;
import dev.reweave.look.doctor.Depth;
import dev.reweave.look.doctor.Doctor;
import dev.reweave.look.doctor.Finding;
import dev.reweave.look.doctor.Severity;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.Locations;
import dev.reweave.testing.StoredTensors;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What is read of folders and files of weights, and what the doctor says of the same. */
final class Readings {
  private Readings() {}

  static Checkpoint read(Path input) {
    Stores stores = TestSpark.stores();
    return new CheckpointReader(stores, new ThreadScanner(stores))
        .read(Locations.of(input), ReadOptions.defaults());
  }

  /** Requires that just these tensors are read, bit for bit, and that the doctor has no problem. */
  static Checkpoint assertReads(Map<String, String> expected, Path input) {
    Checkpoint checkpoint = read(input);
    assertEquals(expected, StoredTensors.of(checkpoint));
    assertEquals(List.of(), problems(input));
    return checkpoint;
  }

  /** Requires a refusal, of which the doctor knows as well; gives its text. */
  static String assertRefused(Path input, String... parts) {
    ReweaveException refusal = assertThrows(ReweaveException.class, () -> read(input));
    String message = refusal.getMessage();
    Arrays.stream(parts).forEach(part -> assertTrue(message.contains(part), message));
    List<String> problems = problems(input);
    assertTrue(
        problems.stream().anyMatch(p -> p.startsWith(refusal.problem())), problems.toString());
    return message;
  }

  static List<Finding> findings(Path input) {
    Stores stores = TestSpark.stores();
    return new Doctor(stores, new ThreadScanner(stores))
        .examine(Locations.of(input), Optional.empty(), ReadOptions.defaults(), Depth.STRUCTURE);
  }

  private static List<String> problems(Path input) {
    return findings(input).stream()
        .filter(f -> f.severity() == Severity.PROBLEM)
        .map(Finding::text)
        .toList();
  }

  static List<String> left(Checkpoint checkpoint) {
    return checkpoint.notTaken().stream().map(NotTaken::text).toList();
  }

  static void assertNote(Checkpoint checkpoint, String part) {
    assertTrue(
        checkpoint.notes().stream().anyMatch(n -> n.contains(part)), checkpoint.notes().toString());
  }

  /** A safetensors file of float32 tensors that count from one number on. */
  static Map<String, String> write(
      Path file, Map<String, String> metadata, float from, Map<String, Shape> shapes)
      throws IOException {
    List<TensorSpec> specs =
        shapes.entrySet().stream()
            .map(e -> new TensorSpec(e.getKey(), DType.F32, e.getValue()))
            .toList();
    SafetensorsHeader header = SafetensorsHeader.layOut(specs, metadata);
    ByteBuffer content =
        ByteBuffer.allocate((int) header.fileLength()).order(ByteOrder.LITTLE_ENDIAN);
    content.put(header.bytes());
    for (float next = from; content.hasRemaining(); next++) {
      content.putFloat(next);
    }
    Files.createDirectories(file.getParent());
    Files.write(file, content.array());
    return StoredTensors.of(file);
  }

  static Map<String, String> write(Path file, float from, String... names) throws IOException {
    Map<String, Shape> shapes = new LinkedHashMap<>();
    Arrays.stream(names).forEach(name -> shapes.put(name, Shape.of(2, 3)));
    return write(file, Map.of("format", "pt"), from, shapes);
  }

  /** An index of tensors in files. */
  static void index(Path folder, String... tensorsAndFiles) throws IOException {
    StringBuilder map = new StringBuilder();
    for (int i = 0; i < tensorsAndFiles.length; i += 2) {
      map.append(i == 0 ? "" : ", ")
          .append("\"%s\": \"%s\"".formatted(tensorsAndFiles[i], tensorsAndFiles[i + 1]));
    }
    Files.writeString(
        folder.resolve("model.safetensors.index.json"), "{\"weight_map\": {" + map + "}}");
  }
}
