package dev.reweave.look.page;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.common.Counted;
import dev.reweave.common.Redacted;
import dev.reweave.gather.TensorDigest;
import dev.reweave.look.page.ReportContent.Change;
import dev.reweave.look.page.ReportContent.Fact;
import dev.reweave.look.page.ReportContent.File;
import dev.reweave.look.page.ReportContent.Form;
import dev.reweave.look.page.ReportContent.Subject;
import dev.reweave.look.page.ReportContent.Tensor;
import dev.reweave.look.page.ReportContent.Told;
import dev.reweave.look.page.ReportContent.Unpaired;
import dev.reweave.look.report.DiffReport;
import dev.reweave.manifest.Manifest;
import dev.reweave.manifest.ValueWarnings;
import dev.reweave.manifest.WrittenTensor;
import dev.reweave.plan.prepare.BaseUsed;
import dev.reweave.spark.TaskSpan;
import dev.reweave.storage.ByteSize;
import dev.reweave.tensor.Agreement;
import dev.reweave.tensor.ValueHistogram;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Makes the data of a report. */
public final class ReportData {
  private ReportData() {}

  /**
   * Of a conversion.
   *
   * @param address of its output
   * @param digests by tensor, what it holds: of those that were measured
   * @param changes by tensor, how far it is from the base's: of those that were compared
   * @param tasks that did the work, as far as it is known
   * @return JSON, in UTF-8
   */
  public static byte[] of(
      Manifest manifest,
      String address,
      Map<String, TensorDigest> digests,
      Map<String, Agreement> changes,
      List<TaskSpan> tasks) {
    List<Tensor> tensors =
        manifest.result().weights().stream()
            .map(t -> tensor(t, digests.get(t.name()), changes.get(t.name())))
            .toList();
    Optional<String> against =
        changes.isEmpty() ? Optional.empty() : manifest.baseUsed().map(BaseUsed::path);
    return ReportJson.of(
        new ReportContent(
            new Subject("conversion", Redacted.text(address), against, now()),
            new Told(
                facts(manifest), ReportChecks.of(manifest), warnings(manifest, tensors, changes)),
            manifest.result().shards().stream().map(s -> new File(s.name(), s.bytes())).toList(),
            tensors,
            Unpaired.NONE,
            tasks));
  }

  /** Of weights that are there. */
  static byte[] of(
      String address,
      Checkpoint checkpoint,
      Map<String, TensorDigest> digests,
      Optional<Manifest> manifest,
      Optional<DiffReport> diff,
      List<TaskSpan> tasks) {
    ReportTensors of = new ReportTensors(address, checkpoint, digests, diff);
    List<Tensor> tensors = of.of(checkpoint.tensors());
    boolean model = checkpoint.source().stage() < 0 && checkpoint.source().tag().isEmpty();
    return ReportJson.of(
        new ReportContent(
            new Subject(
                manifest.isPresent() ? "conversion" : model ? "model" : "checkpoint",
                Redacted.text(address),
                diff.map(d -> Redacted.text(d.second().path())),
                now()),
            new Told(
                manifest.map(ReportData::facts).orElseGet(() -> facts(checkpoint, tensors)),
                manifest.map(ReportChecks::of).orElse(List.of()),
                warnings(checkpoint, manifest, diff)),
            of.files(),
            tensors,
            diff.map(d -> new Unpaired(names(d.onlyInFirst()), names(d.onlyInSecond())))
                .orElse(Unpaired.NONE),
            tasks));
  }

  private static List<String> names(List<DiffReport.Absent> absent) {
    return absent.stream().map(DiffReport.Absent::name).toList();
  }

  private static List<Fact> facts(Checkpoint checkpoint, List<Tensor> tensors) {
    List<Fact> facts = new ArrayList<>();
    facts.add(new Fact("Read", checkpoint.source().text()));
    facts.add(
        new Fact(
            "Weights",
            Counted.of(tensors.size(), "tensor")
                + ", "
                + Counted.grouped(
                    tensors.stream().mapToLong(t -> t.form().elements()).sum(), "parameter")
                + ", "
                + ByteSize.format(tensors.stream().mapToLong(t -> t.form().bytes()).sum())));
    return facts;
  }

  private static List<String> warnings(
      Checkpoint checkpoint, Optional<Manifest> manifest, Optional<DiffReport> diff) {
    List<String> warnings = new ArrayList<>();
    manifest.ifPresent(m -> m.cautions().forEach(caution -> warnings.add(caution.text())));
    manifest.ifPresent(m -> warnings.addAll(ValueWarnings.of(m.result().weights())));
    checkpoint.cautions().forEach(caution -> warnings.add(caution.text()));
    warnings.addAll(checkpoint.notes());
    diff.ifPresent(d -> warnings.addAll(d.notes()));
    return warnings;
  }

  static String now() {
    return Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
  }

  private static Tensor tensor(WrittenTensor written, TensorDigest digest, Agreement change) {
    Optional<TensorDigest> measured =
        Optional.ofNullable(digest)
            .filter(d -> d.statistics().elements() == written.elements().orElse(-1L));
    return new Tensor(
        new Form(
            written.name(),
            written.dtype(),
            written.shape(),
            written.shard(),
            written.bytes().orElse(0L),
            written.elements().orElse(0L)),
        written.nans(),
        written.infinities(),
        measured.map(TensorDigest::statistics),
        measured.map(TensorDigest::histogram).orElse(ValueHistogram.NONE),
        Optional.ofNullable(change).map(a -> new Change(a.relative(), a.differing())));
  }

  private static List<Fact> facts(Manifest manifest) {
    Manifest.Input input = manifest.input();
    Manifest.Result result = manifest.result();
    List<Fact> facts = new ArrayList<>();
    facts.add(new Fact("Input", input.path()));
    if (!input.tag().isEmpty()) {
      facts.add(new Fact("Step", input.tag()));
    }
    facts.add(new Fact("Read", input.source().text()));
    facts.add(
        new Fact(
            "Written",
            ByteSize.format(result.shards().stream().mapToLong(Manifest.Shard::bytes).sum())
                + " in "
                + Counted.of(result.shards().size(), "shard")));
    facts.add(
        new Fact(
            "Weights",
            Counted.of(result.tensors(), "tensor")
                + ", "
                + Counted.grouped(result.elements(), "parameter")));
    manifest.baseUsed().ifPresent(base -> facts.add(new Fact("Base", base.path())));
    manifest.mappingUsed().ifPresent(mapping -> facts.add(new Fact("Mapping", mapping.name())));
    if (!manifest.started().isEmpty()) {
      facts.add(new Fact("Started", manifest.started()));
    }
    facts.add(new Fact("Took", String.format(Locale.ROOT, "%.1f s", manifest.seconds())));
    int resumed = manifest.figures().resumedFiles();
    if (resumed > 0) {
      facts.add(
          new Fact(
              "Resumed",
              Counted.of(resumed, "file")
                  + (resumed == 1 ? " was" : " were")
                  + " finished by an earlier run, whose time and tasks are not told here"));
    }
    facts.add(new Fact("Made by", "reweave " + manifest.reweave() + ", Spark " + manifest.spark()));
    facts.add(new Fact("Fingerprint", manifest.fingerprint()));
    return facts;
  }

  private static List<String> warnings(
      Manifest manifest, List<Tensor> tensors, Map<String, Agreement> changes) {
    List<String> warnings = new ArrayList<>();
    manifest.cautions().forEach(caution -> warnings.add(caution.text()));
    warnings.addAll(ValueWarnings.of(manifest.result().weights()));
    warnings.addAll(manifest.notes());
    manifest.notTaken().forEach(left -> warnings.add("not in the result: " + left.text()));
    boolean sampled =
        tensors.stream()
            .anyMatch(
                t ->
                    changes.containsKey(t.form().name())
                        && changes.get(t.form().name()).compared() < t.form().elements());
    if (sampled) {
      warnings.add(
          "the base was compared with samples of the tensors: what changed against it, and how"
              + " many elements differ, is of those");
    }
    long unmeasured = tensors.stream().filter(t -> t.statistics().isEmpty()).count();
    if (unmeasured > 0) {
      warnings.add(
          Counted.of(unmeasured, "tensor")
              + (unmeasured == 1 ? " was" : " were")
              + " not measured while it was written: by an earlier run without --report, or of a"
              + " type that is narrower than a byte");
    }
    return warnings;
  }
}
