package dev.reweave.doctor;

import dev.reweave.FirstNames;
import dev.reweave.ReweaveException;
import dev.reweave.checkpoint.Caution;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.CheckpointReader;
import dev.reweave.checkpoint.MetadataScanner;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Unfamiliar;
import dev.reweave.checkpoint.dcp.DcpFolder;
import dev.reweave.checkpoint.deepspeed.TagFolder;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Examines what a training run saved: as a whole, and each of its files. */
final class CheckpointExam {
  private static final String LATEST = "latest";
  private static final String STATES = "_states.pt";

  private final Stores stores;
  private final MetadataScanner scanner;
  private final Unfamiliar unfamiliar;
  private final Findings findings;

  CheckpointExam(Stores stores, MetadataScanner scanner, Unfamiliar unfamiliar, Findings findings) {
    this.stores = stores;
    this.scanner = scanner;
    this.unfamiliar = unfamiliar;
    this.findings = findings;
  }

  /** Whether a folder bears a trace of DeepSpeed, or of a distributed checkpoint of PyTorch. */
  static boolean isCheckpoint(Stores stores, Stores.Listing root) {
    return root.files().stream().anyMatch(f -> f.name().equals(LATEST) || isStates(f))
        || !tagFolders(stores, root).isEmpty();
  }

  /** The checkpoint, as far as it can be converted. */
  Optional<Checkpoint> examine(String address, ReadOptions options, Depth depth) {
    List<Finding> ofFiles = new FileExam(stores, depth).examine(files(address, options));
    findings.addAll(ofFiles);
    Optional<Checkpoint> checkpoint =
        findings.attempt(() -> new CheckpointReader(stores, scanner).read(address, options));
    checkpoint.ifPresent(
        c -> {
          findings.addAll(CheckpointFacts.of(c));
          c.cautions().forEach(this::add);
          if (!c.clientState().isEmpty()) {
            findings.info(
                "keys beside the framework's own are taken for what the trainer keeps: "
                    + FirstNames.of(c.clientState()),
                stores.resolve(address));
          }
          c.notes().forEach(note -> findings.info(note, stores.resolve(address)));
          if (depth.equals(Depth.STRUCTURE)) {
            findings.info(
                "the weights' bytes were not read: convert compares them with their checksums, and"
                    + " so does doctor --checksums",
                stores.resolve(address));
          }
        });
    return checkpoint;
  }

  private void add(Caution caution) {
    findings.add(
        new Finding(
            unfamiliar == Unfamiliar.REFUSE ? Severity.PROBLEM : Severity.WARNING,
            caution.problem(),
            caution.place(),
            caution.remedy()));
  }

  /** All files of the step that is meant, or, where that is not clear, of all steps. */
  private List<InputFile> files(String address, ReadOptions options) {
    Optional<InputFile> file = stores.file(address);
    if (file.isPresent()) {
      return List.of(file.get());
    }
    Stores.Listing root = stores.list(address);
    List<InputFile> files = new ArrayList<>(root.files());
    Optional<TagFolder> tag = Optional.empty();
    try {
      tag = TagFolder.find(stores, address, root, options.tag());
      tag.flatMap(TagFolder::parameters)
          .ifPresent(zero -> zero.parameters(stores).values().forEach(p -> files.add(p.weights())));
    } catch (ReweaveException e) {
      // The reader stumbles over the same and tells of it.
      if (tag.isEmpty()) {
        tagFolders(stores, root).forEach(folder -> files.addAll(stores.list(folder).files()));
      }
    }
    tag.map(TagFolder::address)
        .filter(folder -> !folder.equals(stores.resolve(address)))
        .ifPresent(folder -> files.addAll(stores.list(folder).files()));
    return files;
  }

  private static List<String> tagFolders(Stores stores, Stores.Listing root) {
    return root.folders().stream()
        .filter(folder -> stores.list(folder).files().stream().anyMatch(CheckpointExam::isStates))
        .toList();
  }

  private static boolean isStates(InputFile file) {
    return file.name().endsWith(STATES) || file.name().equals(DcpFolder.METADATA);
  }
}
