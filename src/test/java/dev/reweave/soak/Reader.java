package dev.reweave.soak;

import dev.reweave.manifest.Manifest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Looks at a folder as loaders do, at any moment, and says whether they get a whole model or none.
 *
 * @param models of which any may be there
 * @param wanted whether there has to be one
 */
record Reader(List<Model> models, Wanted wanted) {
  /** Whether a folder without a model is right. */
  enum Wanted {
    /** Nothing was there before, or what was there is removed first. */
    MODEL_OR_NOTHING,
    /** A model is replaced with one request. */
    ALWAYS_A_MODEL
  }

  /** What loaders get. */
  enum State {
    NOTHING,
    WHOLE,
    PARTIAL
  }

  /**
   * What was found.
   *
   * @param why it is partial, or which model it is
   */
  record Seen(State state, String why) {}

  /** In the order of transformers and in that of diffusers: entries of a folder. */
  private static final List<List<String>> LOADERS =
      List.of(
          List.of(
              "model.safetensors",
              "model.safetensors.index.json",
              "pytorch_model.bin",
              "pytorch_model.bin.index.json"),
          List.of(
              "model.safetensors.index.json",
              "model.safetensors",
              "pytorch_model.bin.index.json",
              "pytorch_model.bin"));

  Reader {
    models = List.copyOf(models);
  }

  /** The files of a folder that readers look at. */
  static Map<String, byte[]> visible(Map<String, byte[]> files) {
    Map<String, byte[]> visible = new TreeMap<>(files);
    visible.keySet().removeIf(path -> path.startsWith(".") || path.contains("/."));
    visible.keySet().removeIf(path -> path.isEmpty() || path.endsWith("/"));
    return visible;
  }

  /**
   * Looks.
   *
   * @param files all of the folder, by path
   */
  Seen look(Map<String, byte[]> files) {
    Map<String, byte[]> visible = visible(files);
    List<String> found = new ArrayList<>();
    List<String> wrong = new ArrayList<>();
    for (List<String> loader : LOADERS) {
      loader.stream()
          .filter(visible::containsKey)
          .findFirst()
          .ifPresent(entry -> load(visible, entry, found, wrong));
    }
    visible.forEach(
        (path, content) -> {
          if (!path.equals(Manifest.FILE_NAME)
              && models.stream().noneMatch(m -> m.has(path, content))) {
            wrong.add(path + " is no file of any model that may be there");
          }
        });
    if (found.isEmpty() && visible.containsKey(Manifest.FILE_NAME)) {
      wrong.add("a manifest without a model");
    }
    if (found.isEmpty() && wrong.isEmpty() && wanted == Wanted.ALWAYS_A_MODEL) {
      wrong.add("no model at all while one is replaced");
    }
    if (!wrong.isEmpty()) {
      return new Seen(State.PARTIAL, String.join("; ", wrong) + " in " + visible.keySet());
    }
    return found.isEmpty()
        ? new Seen(State.NOTHING, "")
        : new Seen(State.WHOLE, String.join(", ", found));
  }

  private void load(
      Map<String, byte[]> visible, String entry, List<String> found, List<String> wrong) {
    List<String> missing = new ArrayList<>();
    for (Model model : models) {
      Optional<String> lacks = model.missing(visible, entry);
      if (lacks.isEmpty()) {
        found.add(model.name());
        return;
      }
      missing.add(lacks.get());
    }
    wrong.addAll(missing);
  }
}
