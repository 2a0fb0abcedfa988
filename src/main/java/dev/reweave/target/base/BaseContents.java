package dev.reweave.target.base;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What a base turns out to be.
 *
 * @param components by folder, with the class of each if it is known
 * @param notes for the user
 */
record BaseContents(
    boolean isPipeline, SortedMap<String, Optional<LibraryClass>> components, List<String> notes) {

  static BaseContents of(BaseFolder base) {
    SortedSet<String> folders = configured(base);
    List<String> top = base.names("");
    boolean pipeline = top.contains(BaseFolder.MODEL_INDEX);
    boolean model =
        top.contains(FolderClass.CONFIG) && top.stream().anyMatch(WeightFile::isWeights);
    if (!pipeline && !model && folders.size() < 2) {
      throw BaseFailures.neither(base.address().uri(), pipelineBelow(base));
    }
    requireSafetensors(base);
    BaseContents contents = pipeline || !model ? ofPipeline(base, folders) : ofModel(base);
    contents.noteOtherWeights(base);
    return contents;
  }

  /** Of a folder that has the configs of one model, or adapter, and no weights. */
  static BaseContents withoutWeights(BaseFolder base) {
    return ofModel(base);
  }

  private static BaseContents ofPipeline(BaseFolder base, SortedSet<String> folders) {
    SortedMap<String, Optional<LibraryClass>> components = new TreeMap<>();
    folders.forEach(folder -> components.put(folder, classOf(base, folder)));
    List<String> notes = new ArrayList<>();
    if (base.files().containsKey(BaseFolder.MODEL_INDEX)) {
      for (Map.Entry<String, JsonNode> entry : base.json(BaseFolder.MODEL_INDEX).properties()) {
        Optional<LibraryClass> named =
            LibraryClass.ofPair(entry.getValue())
                .filter(c -> LibraryClass.isIdentifier(entry.getKey()));
        if (named.isPresent() && !isFolder(base, entry.getKey())) {
          notes.add(
              BaseFolder.MODEL_INDEX + " names " + entry.getKey() + ", which is not in the base");
        } else if (named.isPresent()) {
          components.put(entry.getKey(), named);
        }
      }
    }
    return new BaseContents(true, Collections.unmodifiableSortedMap(components), notes);
  }

  private static BaseContents ofModel(BaseFolder base) {
    SortedMap<String, Optional<LibraryClass>> one = new TreeMap<>();
    one.put("", classOf(base, ""));
    return new BaseContents(false, Collections.unmodifiableSortedMap(one), new ArrayList<>());
  }

  private static Optional<LibraryClass> classOf(BaseFolder base, String folder) {
    String prefix = BaseFolder.prefix(folder);
    return new FolderClass(Set.copyOf(base.names(folder)), name -> base.json(prefix + name)).find();
  }

  private static SortedSet<String> configured(BaseFolder base) {
    SortedSet<String> folders = new TreeSet<>();
    for (String path : base.files().keySet()) {
      int slash = path.indexOf('/');
      if (slash > 0 && FolderClass.CONFIGS.contains(path.substring(slash + 1))) {
        folders.add(path.substring(0, slash));
      }
    }
    return folders;
  }

  private static boolean isFolder(BaseFolder base, String name) {
    return !base.files().subMap(name + "/", name + "0").isEmpty(); // '0' follows '/'
  }

  private void noteOtherWeights(BaseFolder base) {
    List<String> others =
        base.files().keySet().stream()
            .filter(WeightFile::isWeights)
            .filter(path -> !components.containsKey(path.substring(0, Math.max(0, slash(path)))))
            .toList();
    if (!others.isEmpty()) {
      notes.add(
          "weights that belong to no component stay those of the base: " + Shortened.list(others));
    }
  }

  private static int slash(String path) {
    return path.lastIndexOf('/');
  }

  private static void requireSafetensors(BaseFolder base) {
    Set<String> paths = base.files().keySet();
    if (paths.stream().anyMatch(WeightFile::isSafetensors)) {
      return;
    }
    Optional<String> pickled = paths.stream().filter(WeightFile::isPickled).findFirst();
    if (pickled.isPresent()) {
      throw BaseFailures.pickledWeights(pickled.get(), base.address().uri());
    }
    throw BaseFailures.noWeights(base.address().uri());
  }

  private static Optional<String> pipelineBelow(BaseFolder base) {
    return base.files().keySet().stream()
        .filter(p -> p.endsWith("/" + BaseFolder.MODEL_INDEX))
        .findFirst()
        .map(p -> p.substring(0, slash(p)));
  }
}
