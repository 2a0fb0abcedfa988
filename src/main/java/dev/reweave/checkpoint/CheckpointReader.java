package dev.reweave.checkpoint;

import dev.reweave.ReweaveException;
import dev.reweave.checkpoint.dcp.DcpCheckpoint;
import dev.reweave.checkpoint.dcp.DcpFolder;
import dev.reweave.checkpoint.deepspeed.DeepSpeedCheckpoint;
import dev.reweave.checkpoint.deepspeed.TagFolder;
import dev.reweave.checkpoint.deepspeed.UniversalCheckpoint;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.TensorNames;
import java.util.List;
import java.util.Optional;

/** Finds out what an address holds, and reads its structure. */
public final class CheckpointReader {
  private final Stores stores;
  private final MetadataScanner scanner;

  /**
   * A reader of checkpoints in these stores.
   *
   * @param scanner what reads many files at once
   */
  public CheckpointReader(Stores stores, MetadataScanner scanner) {
    this.stores = stores;
    this.scanner = scanner;
  }

  /**
   * Reads the structure of the checkpoint at an address: a folder with {@code latest}, a tag
   * folder, a folder with a model's safetensors or {@code pytorch_model.bin} files, their index, a
   * distributed checkpoint of PyTorch or a folder with several, a file of weights, or a folder with
   * one torch file. No weights are read.
   *
   * @throws ReweaveException if there is none, it is not whole, a link leads out of it, or it has
   *     names that no model can have
   */
  public Checkpoint read(String address, ReadOptions options) {
    Stores guarded = stores.guarded(address, options.safeguards());
    MetadataScanner limited = new LimitedScanner(scanner, options.safeguards().limit());
    Checkpoint checkpoint = new CheckpointReader(guarded, limited).readGuarded(address, options);
    TensorNames.require(checkpoint.names(), stores.resolve(address));
    return checkpoint;
  }

  private Checkpoint readGuarded(String address, ReadOptions options) {
    ModelFolder model = new ModelFolder(stores, scanner, options);
    Optional<InputFile> file = stores.file(address);
    if (file.isPresent()) {
      return model.read(file.get());
    }
    Stores.Listing root = stores.list(address);
    Optional<TagFolder> tag = TagFolder.find(stores, address, root, options.tag());
    if (tag.isPresent()) {
      TagFolder step = tag.get();
      return step.parameters()
          .map(zero -> UniversalCheckpoint.read(stores, scanner, step, zero, options))
          .orElseGet(() -> DeepSpeedCheckpoint.read(scanner, step, options));
    }
    Optional<Checkpoint> weights = model.read(stores.resolve(address), root);
    if (weights.isPresent()) {
      return weights.get();
    }
    Optional<DcpFolder> step = DcpFolder.find(stores, address, root, options.tag());
    if (step.isPresent()) {
      return DcpCheckpoint.read(stores, scanner, step.get(), options);
    }
    List<InputFile> candidates = root.files().stream().filter(StateDictFile::isCandidate).toList();
    if (candidates.size() == 1) {
      return StateDictFile.read(scanner, candidates.get(0), options);
    }
    throw new ReweaveException(
        candidates.isEmpty() ? ReweaveException.Kind.NOT_FOUND : ReweaveException.Kind.USAGE,
        candidates.isEmpty()
            ? "no checkpoint here: neither 'latest', nor *_states.pt files, nor .metadata, nor weights"
                + " as safetensors, .bin or .pt"
            : candidates.size() + " torch files and no 'latest': which is meant is not clear",
        address,
        "name the folder that save_checkpoint wrote, a tag folder in it, the folder of a model, or"
            + " one file of weights");
  }
}
