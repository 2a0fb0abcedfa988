package dev.reweave.checkpoint;

import dev.reweave.ReweaveException;
import dev.reweave.pytorch.TorchFile;
import dev.reweave.pytorch.TorchTensor;
import dev.reweave.pytorch.TorchValue;
import dev.reweave.storage.InputFile;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.StoredLayout;
import dev.reweave.tensor.TensorSpec;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A torch file that holds a state dict: {@code pytorch_model.bin}, a {@code .pt} file, or the
 * {@code mp_rank_00_model_states.pt} of a run without ZeRO.
 */
public final class StateDictFile {
  /** Where trainers put the state dict in what they save, tried in this order. */
  private static final List<String> WRAPPERS =
      List.of("module", "state_dict", "model", "model_state_dict");

  /** What is known of the writer of a state dict. */
  public static final Checkpoint.Source SOURCE =
      new Checkpoint.Source("PyTorch", "", -1, 1, "", "", List.of(), Weights.MODEL);

  /**
   * The tensors of a state dict.
   *
   * @param tensors each name once per stored view, in file order
   * @param aliases names whose tensor is the same view of the same storage as an earlier one's
   * @param skipped entries that are no tensors
   */
  public record Content(List<NamedTensor> tensors, Map<String, String> aliases, int skipped)
      implements Serializable {}

  private StateDictFile() {}

  /** Reads the structure of one file. */
  public static Checkpoint read(MetadataScanner scanner, InputFile file, ReadOptions options) {
    requireNoChoice(options, file.uri());
    Content content =
        scanner
            .scan(List.of(new MetadataScanner.Request<>(file, 0, StateDictFile::stateDict)))
            .get(0);
    return new Checkpoint(
        SOURCE, List.of(file), content.tensors(), content.aliases(), notes(content));
  }

  /**
   * Refuses options that choose among what a state dict does not have.
   *
   * @param place what is read, for messages
   */
  public static void requireNoChoice(ReadOptions options, String place) {
    if (options.weights().filter(Weights.MASTER::equals).isPresent()) {
      throw ReweaveException.usage(
          "a state dict has no fp32 master weights",
          place,
          "leave --weights out, or name a checkpoint folder with optimizer states");
    }
    if (options.frozen() == ReadOptions.Frozen.EXCLUDE) {
      throw ReweaveException.usage(
          "a state dict does not say which parameters were frozen",
          place,
          "leave --exclude-frozen out");
    }
    if (options.tag().isPresent()) {
      throw ReweaveException.usage(
          "there are no tags here",
          place,
          "leave --tag out, or name the folder that save_checkpoint wrote");
    }
  }

  /** What to tell about entries that are no tensors. */
  public static List<String> notes(Content content) {
    return content.skipped() == 0
        ? List.of()
        : List.of(content.skipped() + " entries of the state dict are no tensors: left out");
  }

  /**
   * Finds the state dict in what was saved, and its tensors.
   *
   * @throws ReweaveException if there is none, or it has a tensor of a kind that is not read
   */
  public static Content stateDict(TorchFile file) throws IOException {
    TorchValue root = file.root();
    for (String wrapper : WRAPPERS) {
      TorchValue inner = root.find(wrapper).orElse(root);
      if (inner != root && inner.isDict() && hasTensors(inner)) {
        return content(file, TensorEntries.ofModule(inner));
      }
    }
    if (root.isDict() && hasTensors(root)) {
      return content(file, TensorEntries.ofFile(root));
    }
    throw ReweaveException.unsupported(
        "no state dict in this file",
        root.place(),
        "it should be a dict of tensors, bare or under one of " + WRAPPERS);
  }

  private static boolean hasTensors(TorchValue dict) {
    return dict.entries().stream()
        .anyMatch(e -> e.getValue().isTensor() || e.getValue().isUnreadTensor());
  }

  private static Content content(TorchFile file, TensorEntries entries) throws IOException {
    List<NamedTensor> tensors = new ArrayList<>();
    Map<StoredLayout, String> first = new LinkedHashMap<>();
    Map<String, String> aliases = new LinkedHashMap<>();
    for (Map.Entry<String, TorchTensor> entry : entries.requireRead().tensors().entrySet()) {
      NamedTensor tensor = locate(file, entry.getKey(), entry.getValue());
      String same =
          tensor.spec().elements() == 0
              ? null
              : first.putIfAbsent((StoredLayout) tensor.layout(), tensor.name());
      if (same == null) {
        tensors.add(tensor);
      } else {
        aliases.put(tensor.name(), same);
      }
    }
    return new Content(tensors, aliases, entries.others().size());
  }

  /** Finds the bytes of a tensor in its file. */
  public static NamedTensor locate(TorchFile file, String name, TorchTensor tensor)
      throws IOException {
    return new NamedTensor(
        TensorSpec.ofTorch(name, tensor.dtype(), tensor.shape()), file.layout(tensor));
  }
}
