package dev.reweave.cli;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.Option;
import dev.reweave.convert.AskedConversion;
import dev.reweave.convert.Checks;
import dev.reweave.convert.ConversionOptions;
import dev.reweave.convert.ConversionRequest;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.prepare.BaseChoice;
import dev.reweave.plan.prepare.MappingChoice;
import dev.reweave.spark.LocalFiles;
import dev.reweave.sql.TableName;
import dev.reweave.storage.ReadLimit;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The options of {@code convert}; those of a conversion are declared where they act. */
final class ConvertOptions {
  static final Option<Optional<String>> CATALOG =
      Option.text("catalog", "URI")
          .about(Option.Part.COMMAND)
          .under(Option.Theme.TABLES)
          .help(
              "Add a row for each tensor of the result to a folder of Parquet files, once for each"
                  + " conversion.")
          .more(": see [the catalog](sql.md#a-catalog-of-what-was-converted)");

  static final Option<Optional<String>> RUNS =
      Option.text("runs", "URI")
          .about(Option.Part.COMMAND)
          .under(Option.Theme.TABLES)
          .help(
              "Add a row for each conversion to another such folder: what it read, wrote and"
                  + " checked, and with what options.")
          .more(": see [the catalog](sql.md#a-catalog-of-what-was-converted)");

  static final Option<Optional<TableName>> CATALOG_TABLE =
      Option.unwritten("catalog-table", "TABLE", Optional.<TableName>empty(), ConvertOptions::table)
          .about(Option.Part.COMMAND)
          .under(Option.Theme.TABLES)
          .help(
              "Add the rows of --catalog to a table of a catalog that Spark knows, such as"
                  + " lake.models.tensors; it is made if it is not there.")
          .more(": see [tables of a lake](sql.md#tables-of-a-lake)");

  static final Option<Optional<TableName>> RUNS_TABLE =
      Option.unwritten("runs-table", "TABLE", Optional.<TableName>empty(), ConvertOptions::table)
          .about(Option.Part.COMMAND)
          .under(Option.Theme.TABLES)
          .help("Add the rows of --runs to such a table, such as lake.models.runs.")
          .more(": see [tables of a lake](sql.md#tables-of-a-lake)");

  static final Option<Boolean> REPORT =
      Option.flag("report", false, true)
          .about(Option.Part.COMMAND)
          .under(Option.Theme.PRINTED)
          .help(
              "Put reweave-report.html beside the manifest: what was read, written and checked, and"
                  + " what each tensor holds, measured as it is written.")
          .more(": see [reports](report.md)");

  static final Option<Optional<String>> LIST =
      Option.text("list", "URI")
          .about(Option.Part.COMMAND)
          .under(Option.Theme.RUNS)
          .help(
              "Convert all checkpoints of a file: one JSON object on each line, with options of"
                  + " this command without their dashes, such as {\"input\": \"URI\", \"output\":"
                  + " \"URI\"}.")
          .more(": see [lists](schedule.md#many-checkpoints-in-one-application)");

  static final Option<Boolean> JSON =
      Option.flag("json", false, true)
          .about(Option.Part.COMMAND)
          .under(Option.Theme.PRINTED)
          .help("Print one line of JSON for each conversion, and all else on the error stream.");

  static final Option<Boolean> DRY_RUN =
      Option.flag("dry-run", false, true)
          .about(Option.Part.COMMAND)
          .under(Option.Theme.RUNS)
          .help("Print the plan and write nothing.");

  static final Option<Optional<Double>> SAMPLE =
      Option.unwritten("sample", "PERCENT", Optional.<Double>empty(), ConvertOptions::percent)
          .about(Option.Part.COMMAND)
          .under(Option.Theme.RUNS)
          .help(
              "Try evenly spread chunks, such as 1%%: read, check and cast them, and write"
                  + " nothing.");

  static final Option<Optional<String>> AGAIN =
      Option.text("again", "URI")
          .about(Option.Part.COMMAND)
          .under(Option.Theme.RUNS)
          .help(
              "Run the conversion again that a reweave.json tells of, with all its options;"
                  + " --output names another folder for the result.");

  /** All of them, as the manual lists them. */
  static final List<Option<?>> ALL =
      Stream.of(
              List.of(AskedConversion.INPUT, AskedConversion.OUTPUT),
              ReadOptions.OPTIONS,
              BaseChoice.OPTIONS,
              List.of(MappingChoice.MAPPING),
              PlanOptions.OPTIONS,
              ConversionRequest.Proving.OPTIONS,
              Checks.OPTIONS,
              List.of(ConversionOptions.OVERWRITE, ConversionOptions.NO_RESUME),
              List.of(
                  CATALOG,
                  RUNS,
                  CATALOG_TABLE,
                  RUNS_TABLE,
                  REPORT,
                  LIST,
                  JSON,
                  DRY_RUN,
                  SAMPLE,
                  ReadLimit.MAX_BANDWIDTH),
              List.of(LocalFiles.SHARED_FILESYSTEM, AGAIN))
          .<Option<?>>flatMap(List::stream)
          .toList();

  private ConvertOptions() {}

  private static Optional<TableName> table(String text) {
    return Optional.of(TableName.of(text));
  }

  private static Optional<Double> percent(String text) {
    if (text.matches("\\d{1,3}(\\.\\d{1,6})?%")) {
      double part = Double.parseDouble(text.substring(0, text.length() - 1)) / 100;
      if (part > 0 && part <= 1) {
        return Optional.of(part);
      }
    }
    throw new IllegalArgumentException(
        "'" + text + "' is not a percentage above 0, such as 1% or 0.1%");
  }
}
