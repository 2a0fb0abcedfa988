package dev.reweave.doctor;

import dev.reweave.base.BaseFolder;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.MetadataScanner;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Unfamiliar;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import java.util.List;
import java.util.Optional;

/**
 * Examines a checkpoint, a model folder, a pipeline or one file of weights, and tells all that is
 * wrong with it at once. Nothing is written.
 */
public final class Doctor {
  private static final String SAFETENSORS = ".safetensors";

  private final Stores stores;
  private final MetadataScanner scanner;
  private final Unfamiliar unfamiliar;

  /**
   * A doctor for what is in these stores.
   *
   * @param scanner what reads many files at once
   */
  public Doctor(Stores stores, MetadataScanner scanner) {
    this(stores, scanner, Unfamiliar.TELL);
  }

  /** The same, to which what is not known is a problem, or a warning alone. */
  public Doctor(Stores stores, MetadataScanner scanner, Unfamiliar unfamiliar) {
    this.stores = stores;
    this.scanner = scanner;
    this.unfamiliar = unfamiliar;
  }

  /**
   * Examines what is at an address. What is wrong with it, and be it missing, is no exception.
   *
   * @param base a model that the tensors are compared with, and that is examined as well
   * @param options what would be converted of a checkpoint
   * @return the worst findings first
   */
  public List<Finding> examine(
      String address, Optional<String> base, ReadOptions options, Depth depth) {
    Findings findings = new Findings();
    Optional<BaseFolder> model =
        base.flatMap(
            b ->
                findings.attempt(
                    () -> {
                      Stores ofBase = stores.guarded(b, options.safeguards());
                      new FolderExam(ofBase, findings, depth).examine(b);
                      return BaseFolder.read(ofBase, b);
                    }));
    var unused =
        findings.attempt(
            () -> {
              examine(address, model, options, depth, findings);
              return address;
            });
    return findings.worstFirst();
  }

  /**
   * What follows from the structure of a checkpoint, without a further read: of which version it
   * is, what its files do not allow to check, how much space its weights need.
   */
  public static List<Finding> ofCheckpoint(Checkpoint checkpoint) {
    return CheckpointFacts.of(checkpoint);
  }

  private void examine(
      String address,
      Optional<BaseFolder> base,
      ReadOptions options,
      Depth depth,
      Findings findings) {
    Stores guarded = stores.guarded(address, options.safeguards());
    if (isModel(guarded, address)) {
      FolderExam exam = new FolderExam(guarded, findings, depth);
      exam.examine(address);
      base.ifPresent(
          b ->
              exam.tensors()
                  .forEach(
                      (folder, tensors) ->
                          new BaseExam(stores, findings)
                              .compare(stores.resolve(address), folder, tensors, b)));
      return;
    }
    new CheckpointExam(guarded, scanner, unfamiliar, findings)
        .examine(address, options, depth)
        .ifPresent(c -> new BaseExam(stores, findings).compare(address, c, base));
  }

  /** Whether this is what libraries load, and not what a training run saved. */
  private static boolean isModel(Stores stores, String address) {
    Optional<InputFile> file = stores.file(address);
    if (file.isPresent()) {
      return file.get().name().endsWith(SAFETENSORS);
    }
    return !CheckpointExam.isCheckpoint(stores, stores.list(address))
        && stores.tree(address).values().stream().anyMatch(FolderExam::isOfModel);
  }
}
