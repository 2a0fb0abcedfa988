package dev.reweave.checkpoint.foreign;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.CheckpointFormat;
import dev.reweave.checkpoint.Contents;
import dev.reweave.checkpoint.Place;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.Location;
import dev.reweave.storage.InputFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Files of weights in a folder, by the endings of their names, of formats that are not read. */
public final class ForeignFormat implements CheckpointFormat {
  private static final Map<String, String> WRITERS =
      Map.of(
          "gguf", "llama.cpp",
          "ggml", "llama.cpp",
          "h5", "Keras",
          "keras", "Keras",
          "msgpack", "Flax",
          "onnx", "ONNX",
          "ot", "rust-bert",
          "tflite", "TensorFlow Lite");

  @Override
  public List<Contents> in(Place place) {
    Map<String, List<InputFile>> byEnding = new TreeMap<>();
    for (InputFile file : place.listing().files()) {
      String ending = ending(file.name());
      if (WRITERS.containsKey(ending)) {
        byEnding.computeIfAbsent(ending, e -> new ArrayList<>()).add(file);
      }
    }
    return byEnding.values().stream().map(files -> (Contents) new Unread(files)).toList();
  }

  private static String ending(String name) {
    return name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
  }

  /** The files of one ending. */
  private record Unread(List<InputFile> files) implements Contents {
    @Override
    public String name() {
      String first = files.get(0).name();
      return files.size() == 1 ? first : first + " and " + (files.size() - 1) + " more";
    }

    @Override
    public Location address() {
      return files.get(0).location();
    }

    @Override
    public List<InputFile> files(Optional<String> wanted) {
      return files;
    }

    @Override
    public Checkpoint read(ReadOptions options) {
      throw ForeignFailures.notRead(WRITERS.get(ending(files.get(0).name())), address().uri());
    }
  }
}
