package dev.reweave.target.base;

import com.fasterxml.jackson.databind.JsonNode;
import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.NamedTensor;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A folder with a pre-trained model: a pipeline of diffusers with a folder for each component, or
 * the folder of one model. Only its configs are read before a component is asked for.
 */
public final class BaseFolder {
  /** The file that makes a folder a pipeline. */
  public static final String MODEL_INDEX = "model_index.json";

  private final Stores stores;
  private final Location address;
  private final SortedMap<String, InputFile> files;
  private final boolean hasWeights;
  private final BaseContents contents;

  private BaseFolder(
      Stores stores, Location address, SortedMap<String, InputFile> files, boolean hasWeights) {
    this.stores = stores;
    this.address = address;
    this.files = Collections.unmodifiableSortedMap(files);
    this.hasWeights = hasWeights;
    this.contents = hasWeights ? BaseContents.of(this) : BaseContents.withoutWeights(this);
  }

  /**
   * Lists a base and reads what its configs say of it.
   *
   * <p>A folder with the config of a model or an adapter and without its weights is one, too: then
   * names and shapes are those of the result, and of what else lies there nothing belongs to it.
   *
   * @throws ReweaveException if there is no folder, it is neither a pipeline nor a model, or has
   *     weights and no safetensors
   */
  public static BaseFolder read(Stores stores, Location address) {
    if (!stores.isFolder(address)) {
      throw BaseFailures.notFolder(address.uri());
    }
    SortedMap<String, InputFile> files = new TreeMap<>(stores.tree(address));
    files.keySet().removeIf(BaseFolder::isLeftOut);
    Optional<SortedMap<String, InputFile>> bare = WeightlessModel.files(stores, files);
    return new BaseFolder(stores, address, bare.orElse(files), bare.isEmpty());
  }

  private static boolean isLeftOut(String path) {
    return path.startsWith(".git/")
        || path.startsWith(".cache/")
        || path.startsWith(".reweave/")
        || path.startsWith(".reweave.lock")
        || path.equals("reweave.json");
  }

  /** The full address. */
  public Location address() {
    return address;
  }

  /** All files by path in the folder, without version control, caches and Reweave's own. */
  public SortedMap<String, InputFile> files() {
    return files;
  }

  /** Whether it says by weights how tensors are called and shaped. */
  public boolean hasWeights() {
    return hasWeights;
  }

  /** Whether this is a pipeline, with components in folders; otherwise it is one model. */
  public boolean isPipeline() {
    return contents.isPipeline();
  }

  /**
   * The components by folder, each with its class if a config says it. One model has a single
   * component, whose folder is the empty string.
   */
  public SortedMap<String, Optional<LibraryClass>> components() {
    return contents.components();
  }

  /** What the user should know of the base. */
  public List<String> notes() {
    return contents.notes();
  }

  /**
   * The component that a result is to take the place of.
   *
   * @param wanted its folder, if the user has named one
   * @param mapped the one that the mapping is made for; means nothing in the folder of one model
   * @param names of the result's tensors, which decide if nobody has named one
   * @param variant of its weights, if the user has named one
   * @throws ReweaveException if it is not there, several could be meant, or its weights are unsound
   */
  public Component component(
      Optional<String> wanted,
      Optional<String> mapped,
      Collection<String> names,
      Optional<String> variant) {
    return new ComponentChoice(this, variant).choose(wanted, mapped, names);
  }

  /**
   * All files by path but the weights of {@code component}, in every format and variant: what goes
   * with any weights of it.
   */
  public SortedMap<String, InputFile> filesBeside(Component component) {
    SortedMap<String, InputFile> others = new TreeMap<>(files);
    names(component.folder()).stream()
        .filter(WeightFile::isWeights)
        .forEach(name -> others.remove(component.path(name)));
    return Collections.unmodifiableSortedMap(others);
  }

  /** Reads the whole of a small file of the base. */
  public byte[] content(String path) {
    return content(path, ConfigJson.MAX_BYTES);
  }

  byte[] content(String path, int limit) {
    return stores.readAll(file(path), limit);
  }

  /** The bytes of a component's {@code config.json}, if it has one. */
  public Optional<byte[]> config(Component component) {
    String path = component.path(FolderClass.CONFIG);
    return files.containsKey(path) ? Optional.of(content(path)) : Optional.empty();
  }

  /** The {@code config.json} of one model; empty if there is none, or this is a pipeline. */
  public Optional<JsonNode> config() {
    return isPipeline() || !files.containsKey(FolderClass.CONFIG)
        ? Optional.empty()
        : Optional.of(json(FolderClass.CONFIG));
  }

  /**
   * A result's tensors as this base has them: without those that its model ties to others.
   *
   * @param component that they take the place of
   * @param aliases tied names of the result
   */
  public Fitted fit(Component component, List<NamedTensor> tensors, Map<String, String> aliases) {
    String path = component.path(FolderClass.CONFIG);
    Optional<JsonNode> config =
        files.containsKey(path) ? Optional.of(json(path)) : Optional.empty();
    return new TiedTensors(component, config).fit(tensors, aliases);
  }

  JsonNode json(String path) {
    return ConfigJson.object(content(path), file(path).uri());
  }

  Stores stores() {
    return stores;
  }

  /** The names of the files directly in a folder, which is empty for the base itself. */
  List<String> names(String folder) {
    String prefix = prefix(folder);
    return files.keySet().stream()
        .filter(path -> path.startsWith(prefix))
        .map(path -> path.substring(prefix.length()))
        .filter(name -> name.indexOf('/') < 0)
        .toList();
  }

  /** What stands before a file's name in its path. */
  static String prefix(String folder) {
    return folder.isEmpty() ? "" : folder + "/";
  }

  private InputFile file(String path) {
    InputFile file = files.get(path);
    if (file == null) {
      throw new IllegalArgumentException("no file " + path + " in " + address);
    }
    return file;
  }
}
