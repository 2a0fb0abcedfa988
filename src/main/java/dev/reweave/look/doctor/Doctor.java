package dev.reweave.look.doctor;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Unfamiliar;
import dev.reweave.checkpoint.adapter.BaseWeights;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.checkpoint.reading.Reading;
import dev.reweave.common.Location;
import dev.reweave.common.Progress;
import dev.reweave.common.ReweaveException;
import dev.reweave.plan.prepare.AdapterBase;
import dev.reweave.plan.prepare.BaseChoice;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.MetadataScanner;
import dev.reweave.storage.Stores;
import dev.reweave.target.base.BaseFolder;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Examines a checkpoint, a model folder, a pipeline or one file of weights, and tells all that is
 * wrong with it at once. Nothing is written.
 */
public final class Doctor {
  private final Stores stores;
  private final MetadataScanner scanner;
  private final Unfamiliar unfamiliar;
  private final Progress progress;

  /**
   * A doctor for what is in these stores.
   *
   * @param scanner what reads many files at once
   */
  public Doctor(Stores stores, MetadataScanner scanner) {
    this(stores, scanner, Unfamiliar.TELL, new Progress());
  }

  /**
   * The same.
   *
   * @param unfamiliar whether what is not known is a problem, or a warning alone
   * @param progress told how far it has come
   */
  public Doctor(Stores stores, MetadataScanner scanner, Unfamiliar unfamiliar, Progress progress) {
    this.progress = progress;
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
      Location address, Optional<Location> base, ReadOptions options, Depth depth) {
    Findings findings = new Findings();
    Optional<BaseFolder> model =
        base.flatMap(
            b ->
                findings.attempt(
                    () -> {
                      Stores ofBase = stores.guarded(b, options.safeguards());
                      Optional<BaseFolder> bare = withoutWeights(ofBase, b);
                      if (bare.isPresent()) {
                        return bare.get();
                      }
                      new FolderExam(ofBase, findings, new FileExam(ofBase, depth, progress))
                          .examine(b, file -> true);
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

  private void examine(
      Location address,
      Optional<BaseFolder> base,
      ReadOptions options,
      Depth depth,
      Findings findings) {
    Stores guarded = stores.guarded(address, options.safeguards());
    FileExam files = new FileExam(guarded, depth, progress);
    BaseWeights weights =
        AdapterBase.of(
            stores,
            scanner,
            base.map(b -> BaseChoice.besideWeights(b.address())),
            options.safeguards());
    CheckpointExam exam =
        new CheckpointExam(guarded, scanner, unfamiliar, findings, files, weights);
    CheckpointReader reader = new CheckpointReader(guarded, scanner);
    Optional<Reading> reading = reading(reader, address, options);
    boolean model = reading.map(Reading::isModel).orElseGet(() -> isModel(guarded, address));
    if (!model) {
      exam.examine(address, reading, options, depth)
          .ifPresent(c -> new BaseExam(findings).compare(address, c, base));
      return;
    }
    boolean pipeline = guarded.file(address.child(BaseFolder.MODEL_INDEX)).isPresent();
    Set<InputFile> taken =
        reading
            .map(r -> (Set<InputFile>) new HashSet<>(r.taken().files(Optional.empty())))
            .orElse(Set.of());
    FolderExam folder = new FolderExam(guarded, findings, files);
    if (guarded.file(address).isPresent()) {
      folder.examineFiles(address, taken);
    } else {
      folder.examine(address, pipeline ? file -> true : taken::contains);
    }
    Optional<Checkpoint> read =
        pipeline ? Optional.empty() : readModel(address, reading, options, reader, exam, findings);
    if (read.isPresent()) {
      new BaseExam(findings).compare(address, read.get(), base);
      return;
    }
    base.ifPresent(
        b ->
            folder
                .tensors()
                .forEach(
                    (path, tensors) -> new BaseExam(findings).compare(address, path, tensors, b)));
  }

  /** A base without weights, around which a training run may have saved all kinds of things. */
  private static Optional<BaseFolder> withoutWeights(Stores stores, Location address) {
    try {
      return Optional.of(BaseFolder.read(stores, address)).filter(base -> !base.hasWeights());
    } catch (ReweaveException e) {
      return Optional.empty();
    }
  }

  /** Empty if there is nothing, or it is not clear what is meant: reading it tells why. */
  private static Optional<Reading> reading(
      CheckpointReader reader, Location address, ReadOptions options) {
    try {
      return Optional.of(reader.reading(address, options));
    } catch (ReweaveException e) {
      return Optional.empty();
    }
  }

  /** What a conversion stumbles over is told once: of files, each by itself, it is told already. */
  private Optional<Checkpoint> readModel(
      Location address,
      Optional<Reading> reading,
      ReadOptions options,
      CheckpointReader reader,
      CheckpointExam exam,
      Findings findings) {
    try {
      Checkpoint checkpoint =
          exam.read(reading.orElseGet(() -> reader.reading(address, options)), options);
      exam.tell(checkpoint, address.uri());
      return Optional.of(checkpoint);
    } catch (ReweaveException e) {
      if (!findings.isBad(e.place())) {
        findings.add(Finding.of(e));
      }
      return Optional.empty();
    }
  }

  private static boolean isModel(Stores stores, Location address) {
    return stores.file(address).isEmpty()
        && stores.tree(address).values().stream().anyMatch(FolderExam::isOfModel);
  }
}
