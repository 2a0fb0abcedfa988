package dev.reweave.look.report;

import dev.reweave.checkpoint.Caution;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.NotTaken;
import dev.reweave.common.Counted;
import dev.reweave.common.Printable;
import dev.reweave.manifest.Manifest;
import dev.reweave.manifest.ValueWarnings;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.TargetType;
import dev.reweave.storage.ByteSize;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** What a command prints about its work. */
public final class Summary {
  /** Fewest bytes for which requests per GB say something. */
  private static final long ENOUGH_FOR_RATES = 100_000_000;

  /** A conversion that took no time has no rate. */
  private static final double LEAST_SECONDS = 0.001;

  private Summary() {}

  /** What is converted. */
  public static List<String> source(Checkpoint checkpoint, List<String> notes) {
    return source(
        checkpoint.source(),
        notes,
        checkpoint.cautions().stream().map(Caution::text).toList(),
        checkpoint.notTaken());
  }

  private static List<String> source(
      Checkpoint.Source source,
      List<String> notes,
      List<String> cautions,
      List<NotTaken> notTaken) {
    List<String> lines = new ArrayList<>();
    lines.add("read   " + source.text());
    cautions.forEach(caution -> lines.add("warning " + caution));
    notes.forEach(note -> lines.add("note   " + note));
    notTaken.forEach(left -> lines.add("left   " + left.text()));
    lines.replaceAll(Printable::text);
    return lines;
  }

  /** What a conversion did, with all that is suspicious of its values. */
  public static List<String> result(Manifest manifest, String output) {
    return result(manifest, ValueWarnings.of(manifest.result().weights()), output);
  }

  /**
   * What a conversion did.
   *
   * @param warnings of its values
   */
  public static List<String> result(Manifest manifest, List<String> warnings, String output) {
    Manifest.Input input = manifest.input();
    Manifest.Figures figures = manifest.figures();
    Manifest.Result result = manifest.result();
    List<String> lines =
        new ArrayList<>(
            source(
                input.source(),
                manifest.notes(),
                manifest.cautions().stream().map(Manifest.Caution::text).toList(),
                manifest.notTaken()));
    if (result.dropped() != null) {
      result.dropped().forEach((dropped, kept) -> lines.add("tied   " + dropped + " = " + kept));
    }
    lines.add(
        String.format(
            Locale.ROOT,
            "wrote  %s, %s, %s in %s, %s",
            Counted.of(result.tensors(), "tensor"),
            Counted.grouped(result.elements(), "parameter"),
            ByteSize.format(result.shards().stream().mapToLong(Manifest.Shard::bytes).sum()),
            Counted.of(result.shards().size(), "shard"),
            types(manifest.options().text(PlanOptions.DTYPE))));
    lines.addAll(warnings);
    differences(result.differences()).ifPresent(lines::add);
    if (!result.files().isEmpty()) {
      lines.add(beside(manifest));
    }
    if (figures.resumedFiles() > 0) {
      lines.add(
          "       "
              + Counted.of(figures.resumedFiles(), "file")
              + (figures.resumedFiles() == 1 ? " was" : " were")
              + " finished by an earlier run");
    }
    lines.add(
        String.format(
            Locale.ROOT,
            "       %.1f s, read %s (%.3f of what was needed) in %s%s",
            manifest.seconds(),
            ByteSize.format(figures.bytesRead()),
            figures.bytesNeeded() == 0 ? 1 : (double) figures.bytesRead() / figures.bytesNeeded(),
            Counted.of(figures.readRequests(), "request"),
            figures.bytesNeeded() < ENOUGH_FOR_RATES
                ? ""
                : String.format(
                    Locale.ROOT,
                    ", %.0f per GB; %s/s",
                    figures.readRequests() * 1e9 / figures.bytesNeeded(),
                    ByteSize.format(
                        (long)
                            (figures.bytesRead() / Math.max(manifest.seconds(), LEAST_SECONDS))))));
    lines.add(
        String.format(
            Locale.ROOT,
            "       checksums of %s verified%s",
            Counted.of(figures.storagesChecked(), "storage"),
            figures.storagesUnchecked() == 0
                ? ""
                : ", "
                    + Counted.of(figures.storagesUnchecked(), "storage")
                    + " could not be checked:"));
    figures.unchecked().forEach(unchecked -> lines.add(unchecked(unchecked)));
    if (figures.filesCheckedByStore() > 0) {
      lines.add(
          "       "
              + Counted.of(figures.filesCheckedByStore(), "file")
              + " of the result checked by the store as "
              + (figures.filesCheckedByStore() == 1 ? "it" : "they")
              + " came");
    }
    if (figures.filesReadBack() > 0) {
      lines.add(
          "       "
              + Counted.of(figures.filesReadBack(), "file")
              + " of the result read back: as written");
    }
    manifest
        .proven()
        .ifPresent(proof -> lines.add(proof(proof.tensors(), proof.elements(), proof.verdict())));
    lines.add("to     " + output);
    lines.replaceAll(Printable::text);
    return lines;
  }

  private static String unchecked(Manifest.Unchecked unchecked) {
    return "         "
        + unchecked.storages()
        + " in "
        + Counted.of(unchecked.files(), "file")
        + ": "
        + unchecked.why();
  }

  private static String types(String dtype) {
    return switch (dtype) {
      case TargetType.LIKE_BASE -> "in the base's types";
      case TargetType.KEEP -> "in the types they were stored in";
      default -> "as " + dtype;
    };
  }

  /**
   * A warning of tensors that all tensor-parallel ranks should have alike and do not; empty if
   * there are none.
   *
   * @param differences by tensor, how many elements
   */
  public static Optional<String> differences(Map<String, Long> differences) {
    if (differences.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        String.format(
            Locale.ROOT,
            "warning %s are not the same in all tensor-parallel ranks, which should have copies:"
                + " %s; the first rank's were taken, a rule of kind \"averaged\" takes their mean",
            ValueWarnings.values(differences),
            ValueWarnings.names(differences)));
  }

  /** What was written beside the weights. */
  private static String beside(Manifest manifest) {
    long bytes = manifest.result().files().stream().mapToLong(Manifest.Shard::bytes).sum();
    return "       "
        + Counted.of(manifest.result().files().size(), "file")
        + " beside them, "
        + ByteSize.format(bytes)
        + manifest.baseUsed().map(b -> ", of the base " + b.path()).orElse("");
  }

  /**
   * What a trial did.
   *
   * @param chunks that were tried
   * @param ofChunks of the whole conversion
   * @param bytesRead bytes fetched
   * @param bytesMade bytes that would have been written
   * @param checked storages whose checksum was compared
   * @param unchecked storages that have none or were read in part
   */
  public static List<String> trial(
      int chunks, int ofChunks, long bytesRead, long bytesMade, int checked, int unchecked) {
    return List.of(
        String.format(
            Locale.ROOT,
            "tried  %d of %s: read %s, made %s, wrote nothing",
            chunks,
            Counted.of(ofChunks, "chunk"),
            ByteSize.format(bytesRead),
            ByteSize.format(bytesMade)),
        String.format(
            Locale.ROOT,
            "       checksums of %s verified, %d %s read in part or %s none",
            Counted.of(checked, "storage"),
            unchecked,
            unchecked == 1 ? "was" : "were",
            unchecked == 1 ? "has" : "have"));
  }

  /** What comparing two copies of the weights came to. */
  public static String proof(int tensors, long elements, String verdict) {
    return "proof  "
        + Counted.of(tensors, "tensor")
        + ", "
        + Counted.grouped(elements, "element")
        + ": "
        + verdict;
  }

  /** That there was nothing to do. */
  public static String upToDate(String output) {
    return "up to date: " + output + " holds the result of this conversion";
  }

  /**
   * How many rows a catalog was given; none if it had them.
   *
   * @param noun what one row is of
   */
  public static String listed(long rows, String noun, String catalog) {
    return rows == 0
        ? "listed before: " + catalog + " has the rows of this conversion"
        : "listed " + Counted.of(rows, noun) + " in " + catalog;
  }

  /** What a verification found in a good folder. */
  public static String verified(int shards, int tensors, long bytes, boolean checksums) {
    return String.format(
        Locale.ROOT,
        "good   %s, %s, %s: headers and index fit%s",
        Counted.of(shards, "shard"),
        Counted.of(tensors, "tensor"),
        ByteSize.format(bytes),
        checksums ? ", checksums are those that were written" : "; no manifest, so no checksums");
  }
}
