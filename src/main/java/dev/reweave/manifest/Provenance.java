package dev.reweave.manifest;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.common.Options;
import dev.reweave.common.Redacted;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.PlannedFile;
import dev.reweave.plan.SmallFile;
import dev.reweave.plan.prepare.BaseUsed;
import dev.reweave.plan.prepare.MappingUsed;
import dev.reweave.storage.Checksum;
import dev.reweave.storage.FileDigest;
import dev.reweave.storage.InputFile;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What is known of a run before it reads weights; with what it gave, that makes the manifest.
 *
 * @param options that are recorded, with those that are as by default
 * @param notes what the user should know
 */
public record Provenance(
    Begun begun,
    Options options,
    Checkpoint checkpoint,
    Optional<MappingUsed> mapping,
    Optional<BaseUsed> base,
    Map<String, String> aliases,
    List<String> notes) {

  /**
   * What was begun.
   *
   * @param inputPath full address of the checkpoint
   * @param outputPath full address of the result
   */
  public record Begun(
      String fingerprint,
      String command,
      String inputPath,
      String outputPath,
      String sparkVersion,
      Instant start) {}

  /**
   * The manifest of a finished run.
   *
   * @param readBack by path, what was found in the files that tasks wrote; empty if they were not
   *     read again
   */
  public Manifest manifest(ConversionPlan plan, RunFigures run, Map<String, FileDigest> readBack) {
    return new Manifest(
        Versions.reweave(),
        begun.sparkVersion(),
        begun.fingerprint(),
        begun.command(),
        begun.start().truncatedTo(ChronoUnit.SECONDS).toString(),
        Duration.between(begun.start(), Instant.now()).toMillis() / 1000.0,
        input(),
        Redacted.text(begun.outputPath()),
        RecordedOptions.of(options),
        mapping.orElse(null),
        base.map(b -> withChecksums(b, plan, run)).orElse(null),
        result(plan, run, readBack),
        run.proof().orElse(null),
        new Manifest.Figures(
            run.read().bytes(),
            run.read().needed(),
            plan.bytesToWrite(),
            run.read().requests(),
            run.read().resumedFiles(),
            run.checked().storages(),
            run.checked().unchecked(),
            run.checked().reasons(),
            run.checked().files(),
            readBack.size()),
        notes,
        checkpoint.cautions().stream().map(Manifest.Caution::of).toList(),
        checkpoint.notTaken());
  }

  private Manifest.Input input() {
    Checkpoint.Source source = checkpoint.source();
    return new Manifest.Input(
        Redacted.text(begun.inputPath()),
        source.tag(),
        source.framework(),
        source.version(),
        source.stage(),
        source.worldSize(),
        source.weights().name().toLowerCase(Locale.ROOT),
        checkpoint.files().stream().map(Provenance::sourceFile).toList());
  }

  private static Manifest.SourceFile sourceFile(InputFile file) {
    return new Manifest.SourceFile(file.name(), file.length(), file.modified());
  }

  /** What was copied has the checksum of its copy. */
  private static BaseUsed withChecksums(BaseUsed base, ConversionPlan plan, RunFigures run) {
    Map<String, String> copied = new TreeMap<>();
    for (PlannedFile file : plan.copied()) {
      copied.put(file.path(), Checksum.hex(run.crc32c().getOrDefault(file.path(), 0)));
    }
    List<BaseUsed.BaseFile> files =
        base.files().stream()
            .map(
                f ->
                    new BaseUsed.BaseFile(
                        f.name(),
                        f.bytes(),
                        f.modified(),
                        copied.getOrDefault(f.name(), f.crc32c())))
            .toList();
    return new BaseUsed(
        base.path(), base.mode(), base.component(), base.variant(), base.pipeline(), files);
  }

  private Manifest.Result result(
      ConversionPlan plan, RunFigures run, Map<String, FileDigest> readBack) {
    List<Manifest.Shard> shards =
        plan.shards().stream().map(file -> written(file, run, readBack)).toList();
    List<Manifest.Shard> files = new ArrayList<>();
    plan.copied().forEach(file -> files.add(written(file, run, readBack)));
    boolean sha256 = readBack.values().stream().anyMatch(d -> !d.sha256().isEmpty());
    plan.smallFiles().forEach(file -> files.add(written(file, sha256)));
    return new Manifest.Result(
        plan.tensors(),
        plan.elements(),
        shards,
        files,
        plan.index().map(SmallFile::path).orElse(""),
        new TreeMap<>(aliases),
        WrittenTensor.of(plan, run.tensors()),
        new TreeMap<>(run.differences()));
  }

  private static Manifest.Shard written(
      PlannedFile file, RunFigures run, Map<String, FileDigest> readBack) {
    int crc = run.crc32c().getOrDefault(file.path(), 0);
    String sha256 =
        Optional.ofNullable(readBack.get(file.path())).map(FileDigest::sha256).orElse("");
    return new Manifest.Shard(file.path(), file.length(), Checksum.hex(crc), sha256);
  }

  private static Manifest.Shard written(SmallFile file, boolean withSha256) {
    FileDigest digest = FileDigest.of(file.content());
    return new Manifest.Shard(
        file.path(),
        file.content().length,
        Checksum.hex(digest.crc32c()),
        withSha256 ? digest.sha256() : "");
  }
}
