package dev.reweave.look.doctor;

import dev.reweave.checkpoint.Caution;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.CheckpointFacts;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Remarks;
import dev.reweave.checkpoint.Unfamiliar;
import dev.reweave.checkpoint.adapter.BaseWeights;
import dev.reweave.checkpoint.quantized.Quantization;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.checkpoint.reading.Reading;
import dev.reweave.common.Counted;
import dev.reweave.common.FirstNames;
import dev.reweave.common.Location;
import dev.reweave.storage.MetadataScanner;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.NamedTensor;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Examines what a training run saved: as a whole, and each of its files. */
final class CheckpointExam {
  private final Stores stores;
  private final MetadataScanner scanner;
  private final Unfamiliar unfamiliar;
  private final Findings findings;
  private final FileExam exam;
  private final BaseWeights base;

  /**
   * An exam.
   *
   * @param exam of its files
   * @param base the model into which an adapter is merged that was saved alone
   */
  CheckpointExam(
      Stores stores,
      MetadataScanner scanner,
      Unfamiliar unfamiliar,
      Findings findings,
      FileExam exam,
      BaseWeights base) {
    this.exam = exam;
    this.stores = stores;
    this.scanner = scanner;
    this.unfamiliar = unfamiliar;
    this.findings = findings;
    this.base = base;
  }

  /** Reads what lies there as a conversion does. */
  Checkpoint read(Reading reading, ReadOptions options) {
    return reading.read(options, base);
  }

  /**
   * The checkpoint, as far as it can be converted.
   *
   * @param reading what lies there; empty if finding that out failed, which is told
   */
  Optional<Checkpoint> examine(
      Location address, Optional<Reading> reading, ReadOptions options, Depth depth) {
    CheckpointReader reader = new CheckpointReader(stores, scanner);
    List<Finding> ofFiles =
        findings.attempt(() -> reader.files(address, options)).map(exam::examine).orElse(List.of());
    Findings ofReading = new Findings();
    Optional<Checkpoint> checkpoint =
        ofReading.attempt(
            () -> read(reading.orElseGet(() -> reader.reading(address, options)), options));
    findings.addAll(checkpoint.map(c -> softened(ofFiles, c)).orElse(ofFiles));
    findings.addAll(ofReading.worstFirst());
    checkpoint.ifPresent(
        c -> {
          CheckpointFacts.of(c).forEach(fact -> findings.add(Finding.of(fact)));
          tell(c, address.uri());
          if (depth.equals(Depth.STRUCTURE)) {
            findings.info(
                "the weights' bytes were not read: convert compares them with their checksums, and"
                    + " so does doctor --checksums",
                address.uri());
          }
        });
    return checkpoint;
  }

  /**
   * Damage in what no conversion needs, such as an Adam moment, is a warning: the checkpoint can be
   * converted. That a pickle would run commands stays a problem.
   */
  private static List<Finding> softened(List<Finding> ofFiles, Checkpoint checkpoint) {
    boolean bad = ofFiles.stream().anyMatch(f -> f.severity().equals(Severity.PROBLEM));
    if (!bad) {
      return ofFiles;
    }
    Set<String> needed = new HashSet<>();
    for (NamedTensor tensor : checkpoint.tensors()) {
      tensor
          .layout()
          .runs(
              0,
              tensor.layout().elements(),
              (storage, offset, elements) ->
                  needed.add(
                      TorchFileExam.place(checkpoint.files().get(storage.file()).uri(), storage)));
    }
    return ofFiles.stream()
        .map(
            f ->
                f.severity().equals(Severity.PROBLEM)
                        && !TorchFileExam.isSuspicion(f)
                        && !FileExam.isOfStore(f)
                        && !needed.contains(f.place())
                    ? f.as(Severity.WARNING)
                    : f)
        .toList();
  }

  /** What the reader has to tell. */
  void tell(Checkpoint checkpoint, String place) {
    findings.info(
        "read as "
            + checkpoint.source().text()
            + ": "
            + Counted.of(checkpoint.tensors().size(), "tensor"),
        place);
    Remarks remarks = checkpoint.remarks();
    findings.addQuantization(() -> Quantization.of(stores, checkpoint), place);
    remarks.cautions().forEach(this::add);
    if (!remarks.clientState().isEmpty()) {
      findings.info(
          "keys beside the framework's own are taken for what the trainer keeps: "
              + FirstNames.of(remarks.clientState()),
          place);
    }
    remarks.notes().stream()
        .filter(note -> !findings.tells(note))
        .forEach(note -> findings.info(note, place));
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
