package dev.reweave.look.page;

import dev.reweave.spark.TaskSpan;
import dev.reweave.tensor.TensorStatistics;
import dev.reweave.tensor.ValueHistogram;
import java.util.List;
import java.util.Optional;

/**
 * What a report tells.
 *
 * @param tensors in the order of the files' bytes
 */
record ReportContent(
    Subject subject,
    Told told,
    List<File> shards,
    List<Tensor> tensors,
    Unpaired unpaired,
    List<TaskSpan> tasks) {
  /**
   * What it is of.
   *
   * @param kind {@code conversion}, {@code model} or {@code checkpoint}
   * @param against what it is compared with
   * @param made when, ISO 8601, UTC
   */
  record Subject(String kind, String address, Optional<String> against, String made) {}

  /** What is told in words. */
  record Told(List<Fact> facts, List<Check> checks, List<String> warnings) {}

  /** Names that only one of both has which are compared. */
  record Unpaired(List<String> here, List<String> there) {
    static final Unpaired NONE = new Unpaired(List.of(), List.of());
  }

  /** One line of the header. */
  record Fact(String name, String text) {}

  /** What was checked and what came of it. */
  record Check(String name, Verdict verdict, String text) {}

  /** What came of a check. */
  enum Verdict {
    PASSED("passed"),
    FAILED("failed"),
    NOT_MADE("not made");

    private final String words;

    Verdict(String words) {
      this.words = words;
    }

    String words() {
      return words;
    }
  }

  /** A file of weights. */
  record File(String path, long bytes) {}

  /**
   * How far a tensor is from another.
   *
   * @param relative norm of the difference as a part of the other's norm
   * @param differing elements that differ
   */
  record Change(double relative, long differing) {}

  /**
   * What is known of a tensor without its values.
   *
   * @param file path of the file that holds it
   */
  record Form(
      String name, String dtype, List<Long> shape, String file, long bytes, long elements) {}

  /**
   * One tensor.
   *
   * @param statistics if it was measured
   */
  record Tensor(
      Form form,
      long nans,
      long infinities,
      Optional<TensorStatistics> statistics,
      ValueHistogram histogram,
      Optional<Change> change) {}
}
