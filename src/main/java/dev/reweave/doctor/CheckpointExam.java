package dev.reweave.doctor;

import dev.reweave.FirstNames;
import dev.reweave.checkpoint.Caution;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.CheckpointReader;
import dev.reweave.checkpoint.MetadataScanner;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Remarks;
import dev.reweave.checkpoint.Unfamiliar;
import dev.reweave.storage.Stores;
import java.util.Optional;

/** Examines what a training run saved: as a whole, and each of its files. */
final class CheckpointExam {
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

  /** The checkpoint, as far as it can be converted. */
  Optional<Checkpoint> examine(String address, ReadOptions options, Depth depth) {
    CheckpointReader reader = new CheckpointReader(stores, scanner);
    findings
        .attempt(() -> reader.files(address, options))
        .ifPresent(files -> findings.addAll(new FileExam(stores, depth).examine(files)));
    Optional<Checkpoint> checkpoint = findings.attempt(() -> reader.read(address, options));
    checkpoint.ifPresent(
        c -> {
          findings.addAll(CheckpointFacts.of(c));
          tell(c, stores.resolve(address));
          if (depth.equals(Depth.STRUCTURE)) {
            findings.info(
                "the weights' bytes were not read: convert compares them with their checksums, and"
                    + " so does doctor --checksums",
                stores.resolve(address));
          }
        });
    return checkpoint;
  }

  /** What the reader has to tell. */
  void tell(Checkpoint checkpoint, String place) {
    Remarks remarks = checkpoint.remarks();
    remarks.cautions().forEach(this::add);
    if (!remarks.clientState().isEmpty()) {
      findings.info(
          "keys beside the framework's own are taken for what the trainer keeps: "
              + FirstNames.of(remarks.clientState()),
          place);
    }
    remarks.notes().forEach(note -> findings.info(note, place));
    remarks.notTaken().forEach(left -> findings.info("not taken: " + left.text(), left.place()));
  }

  private void add(Caution caution) {
    findings.add(
        new Finding(
            unfamiliar == Unfamiliar.REFUSE ? Severity.PROBLEM : Severity.WARNING,
            caution.problem(),
            caution.place(),
            caution.remedy()));
  }
}
