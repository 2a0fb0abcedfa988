package dev.reweave.target.base;

import dev.reweave.common.ReweaveException;
import dev.reweave.format.safetensors.SafetensorsHeader;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.Stores;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * A folder with all of a model, or of an adapter, but its weights: what a trainer keeps beside a
 * checkpoint ({@code config.json}, the tokenizer), and often the checkpoint itself.
 */
public final class WeightlessModel {
  /** What tells transformers that there is an adapter. */
  public static final String ADAPTER_CONFIG = "adapter_config.json";

  /** What trainers leave under ZeRO-3 in the place of weights is far smaller. */
  private static final long MOST_STUB_BYTES = 16 << 20;

  private static final Pattern PICKLED_WEIGHTS =
      Pattern.compile("(?:pytorch_model|adapter_model|model|diffusion_pytorch_model)[.-].*");

  /** What libraries save of a model beside its weights, and people beside that. */
  private static final Pattern OF_MODEL =
      Pattern.compile(
          "(?:.*\\.(?:json|txt|model|jinja|tiktoken|md|py|spm|bpe)|LICENSE.*|NOTICE.*)");

  /** What a training run keeps for itself. */
  private static final Pattern OF_TRAINING =
      Pattern.compile(
          "trainer_state\\.json|.*\\.index\\.json|zero_to_(?:fp32|torch)\\.py"
              + "|latest_checkpointed_iteration\\.txt|training_args\\..*|dataloader.*");

  private WeightlessModel() {}

  /**
   * The files of such a folder that belong to the model; empty if it has weights, or is something
   * else.
   *
   * @param files all in the folder, by path
   */
  static Optional<SortedMap<String, InputFile>> files(
      Stores stores, SortedMap<String, InputFile> files) {
    List<String> top = files.keySet().stream().filter(path -> path.indexOf('/') < 0).toList();
    boolean configured = top.contains(FolderClass.CONFIG) || top.contains(ADAPTER_CONFIG);
    if (!configured || top.contains(BaseFolder.MODEL_INDEX) || hasComponents(files)) {
      return Optional.empty();
    }
    List<String> weights =
        top.stream()
            .filter(
                name ->
                    WeightFile.parse(name).isPresent()
                        || (WeightFile.isWeights(name) && PICKLED_WEIGHTS.matcher(name).matches()))
            .toList();
    boolean none =
        weights.isEmpty() || (weights.size() == 1 && isStub(stores, files.get(weights.get(0))));
    if (!none) {
      return Optional.empty();
    }
    SortedMap<String, InputFile> kept = new TreeMap<>();
    top.stream()
        .filter(name -> OF_MODEL.matcher(name).matches())
        .filter(name -> !OF_TRAINING.matcher(name).matches() && !WeightFile.isWeights(name))
        .forEach(name -> kept.put(name, files.get(name)));
    return Optional.of(kept);
  }

  /** Folders of a pipeline without an index; those of a trainer's steps hold whole models. */
  private static boolean hasComponents(SortedMap<String, InputFile> files) {
    return files.keySet().stream()
        .filter(path -> path.indexOf('/') > 0 && !path.startsWith("checkpoint-"))
        .anyMatch(
            path ->
                WeightFile.isSafetensors(path.substring(path.lastIndexOf('/') + 1))
                    && files.containsKey(
                        path.substring(0, path.lastIndexOf('/') + 1) + FolderClass.CONFIG));
  }

  /** Whether no tensor has an element: what is saved of parameters that other ranks hold. */
  private static boolean isStub(Stores stores, InputFile file) {
    if (!WeightFile.isSafetensors(file.name()) || file.length() > MOST_STUB_BYTES) {
      return false;
    }
    try (RandomAccess access = stores.open(file)) {
      List<SafetensorsHeader.Entry> entries = SafetensorsHeader.read(access).entries();
      return !entries.isEmpty() && entries.stream().allMatch(e -> e.spec().elements() == 0);
    } catch (ReweaveException e) {
      e.throwIfOfStore();
      // What is wrong with it is told where it is read for itself.
      return false;
    } catch (IOException e) {
      throw Stores.unreadable(file.location(), e);
    }
  }
}
