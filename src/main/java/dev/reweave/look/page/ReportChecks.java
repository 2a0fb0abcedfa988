package dev.reweave.look.page;

import dev.reweave.common.Counted;
import dev.reweave.look.page.ReportContent.Check;
import dev.reweave.look.page.ReportContent.Verdict;
import dev.reweave.manifest.Manifest;
import dev.reweave.manifest.WrittenTensor;
import java.util.List;
import java.util.stream.Collectors;

/** What a manifest tells of the checks of its conversion, in the words of its summary. */
final class ReportChecks {
  private ReportChecks() {}

  static List<Check> of(Manifest manifest) {
    return List.of(
        input(manifest), proof(manifest), arrival(manifest), finite(manifest), copies(manifest));
  }

  private static Check input(Manifest manifest) {
    Manifest.Figures figures = manifest.figures();
    String text = "checksums of " + Counted.of(figures.storagesChecked(), "storage") + " verified";
    if (figures.storagesUnchecked() > 0) {
      text +=
          ", "
              + Counted.of(figures.storagesUnchecked(), "storage")
              + " could not be checked: "
              + figures.unchecked().stream()
                  .map(u -> u.storages() + " in " + Counted.of(u.files(), "file") + ": " + u.why())
                  .collect(Collectors.joining("; "));
    }
    return new Check(
        "CRCs of the input",
        figures.storagesChecked() == 0 ? Verdict.NOT_MADE : Verdict.PASSED,
        text);
  }

  private static Check proof(Manifest manifest) {
    return manifest
        .proven()
        .map(
            proof ->
                new Check(
                    "Proof",
                    Verdict.PASSED,
                    Counted.of(proof.tensors(), "tensor")
                        + ", "
                        + Counted.grouped(proof.elements(), "element")
                        + ": "
                        + proof.verdict()))
        .orElseGet(
            () ->
                new Check(
                    "Proof", Verdict.NOT_MADE, "the weights were compared with no second copy"));
  }

  private static Check arrival(Manifest manifest) {
    Manifest.Figures figures = manifest.figures();
    int checked = figures.filesCheckedByStore();
    int read = figures.filesReadBack();
    return new Check(
        "Arrival of the result",
        checked + read == 0 ? Verdict.NOT_MADE : Verdict.PASSED,
        checked + read == 0
            ? "no file was read back, and the store compared none with a checksum"
            : Counted.of(checked, "file")
                + " checked by the store, "
                + Counted.of(read, "file")
                + " read back: as written");
  }

  private static Check finite(Manifest manifest) {
    List<WrittenTensor> ill =
        manifest.result().weights().stream().filter(t -> t.nonfinite() > 0).toList();
    boolean known = !manifest.result().weights().isEmpty();
    return new Check(
        "Finite weights",
        !known ? Verdict.NOT_MADE : ill.isEmpty() ? Verdict.PASSED : Verdict.FAILED,
        !known
            ? "the manifest of an older version tells nothing of values"
            : ill.isEmpty()
                ? "no NaN and no infinity"
                : "NaNs or infinities in " + Counted.of(ill.size(), "tensor"));
  }

  private static Check copies(Manifest manifest) {
    int differing = manifest.result().differences().size();
    return new Check(
        "Copies in several ranks",
        differing == 0 ? Verdict.PASSED : Verdict.FAILED,
        differing == 0
            ? "what several ranks hold copies of is the same in all"
            : Counted.of(differing, "tensor") + " are not the same in all tensor-parallel ranks");
  }
}
