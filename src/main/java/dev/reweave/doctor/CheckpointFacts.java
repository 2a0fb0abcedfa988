package dev.reweave.doctor;

import dev.reweave.Counted;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.Weights;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.StorageRef;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/** What follows from a checkpoint's structure alone. */
final class CheckpointFacts {
  private final Checkpoint checkpoint;
  private final String place;

  private CheckpointFacts(Checkpoint checkpoint) {
    this.checkpoint = checkpoint;
    String first = checkpoint.files().get(0).uri();
    this.place =
        checkpoint.source().tag().isEmpty() ? first : first.substring(0, first.lastIndexOf('/'));
  }

  static List<Finding> of(Checkpoint checkpoint) {
    return checkpoint.files().isEmpty() ? List.of() : new CheckpointFacts(checkpoint).find();
  }

  private List<Finding> find() {
    Checkpoint.Source source = checkpoint.source();
    List<Finding> findings = new ArrayList<>();
    if (source.stage() >= 0) {
      findings.add(Finding.info(description(source), place));
      KnownVersions.deepSpeed(source.version(), place).ifPresent(findings::add);
      weights(source, findings);
    }
    findings.add(Finding.info(sizes(), place));
    noteUnchecked(findings);
    return findings;
  }

  private String description(Checkpoint.Source source) {
    return (source.framework() + " " + source.version()).strip()
        + ", ZeRO stage "
        + source.stage()
        + ", "
        + Counted.of(source.worldSize(), "rank")
        + (source.precision().isEmpty() ? "" : ", trained in " + source.precision())
        + ", "
        + Counted.of(checkpoint.files().size(), "file")
        + " needed";
  }

  private void weights(Checkpoint.Source source, List<Finding> findings) {
    if (source.weights().equals(Weights.MASTER)) {
      String other =
          source.stage() == 3 ? "" : "; the module's own are there too, for --weights model";
      findings.add(Finding.info("fp32 master weights are there for all ranks" + other, place));
    } else if (source.stage() == 0) {
      findings.add(Finding.info("the module's own weights are there", place));
    } else {
      findings.add(
          new Finding(
              Severity.WARNING,
              "the module's own weights are taken, and no fp32 masters",
              place,
              "for masters, have the *_optim_states.pt of all ranks there and leave --weights"
                  + " out"));
    }
  }

  private String sizes() {
    long parameters = 0;
    long castable = 0;
    long others = 0;
    for (NamedTensor tensor : checkpoint.tensors()) {
      TensorSpec spec = tensor.spec();
      parameters += spec.elements();
      if (spec.dtype().isRetyped()) {
        castable += spec.elements();
      } else {
        others += spec.bytes();
      }
    }
    return String.format(
        Locale.ROOT,
        "%s of %s: the result needs %,d bytes as float32, %,d as bfloat16",
        Counted.of(checkpoint.tensors().size(), "tensor"),
        Counted.grouped(parameters, "parameter"),
        castable * DType.F32.bytes() + others,
        castable * DType.BF16.bytes() + others);
  }

  /** The first elements of each tensor tell: a file is of one format. */
  private void noteUnchecked(List<Finding> findings) {
    Set<Integer> leftOut = new TreeSet<>();
    Set<Integer> none = new TreeSet<>();
    for (NamedTensor tensor : checkpoint.tensors()) {
      tensor
          .layout()
          .runs(
              0,
              Math.min(1, tensor.spec().elements()),
              (storage, o, n) -> {
                if (!storage.hasCrc() && storage.bytes() > 0) {
                  (storage.crc32() == StorageRef.CRC_LEFT_OUT ? leftOut : none).add(storage.file());
                }
              });
    }
    note(
        leftOut,
        "there are no checksums, since torch.serialization.set_crc32_options(False) leaves them"
            + " out",
        findings);
    if (none.stream().anyMatch(f -> nameOf(f).endsWith(".safetensors"))) {
      findings.add(
          Finding.info("safetensors keep no checksums: changed bytes would go unseen", place));
      none.removeIf(f -> nameOf(f).endsWith(".safetensors"));
    }
    Set<Integer> offloaded = new TreeSet<>(none);
    offloaded.removeIf(f -> !nameOf(f).endsWith(".swp"));
    none.removeAll(offloaded);
    note(offloaded, "the files of masters on NVMe keep no checksums", findings);
    note(none, "files of torch.save's legacy format keep no checksums", findings);
  }

  private void note(Set<Integer> files, String why, List<Finding> findings) {
    if (files.isEmpty()) {
      return;
    }
    String name = nameOf(files.iterator().next());
    findings.add(
        new Finding(
            Severity.WARNING,
            why
                + ": changed bytes in "
                + (files.size() == 1 ? name : name + " and others")
                + " would go unseen",
            place,
            "compare the files with those of the training run, say with sha256sum"));
  }

  private String nameOf(int file) {
    return checkpoint.files().get(file).name();
  }
}
