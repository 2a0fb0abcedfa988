package dev.reweave.sql;

import dev.reweave.common.FirstNames;
import dev.reweave.common.Location;
import dev.reweave.common.Option;
import dev.reweave.common.ReweaveException;
import java.util.List;

/** What can be wrong with a query and with a catalog, in words of the user. */
final class SqlFailures {
  private SqlFailures() {}

  /** Several addresses, and the option {@code model}. */
  static ReweaveException oneNameForSeveral() {
    return ReweaveException.usage(
        "one name for several models",
        "option " + SourceOptions.MODEL,
        "leave it out, or load one address");
  }

  /** Neither {@code load(URI)} nor {@code path}. */
  static ReweaveException noAddress() {
    return ReweaveException.usage(
        "no address is given",
        "format reweave",
        "name a checkpoint: load(URI), or OPTIONS (path 'URI')");
  }

  /** The option {@code paths} is of another form. */
  static ReweaveException noArray(Throwable cause) {
    return new ReweaveException(
        ReweaveException.Kind.USAGE,
        "not a JSON array of addresses",
        "option " + SourceOptions.PATHS,
        "give one address as path",
        cause);
  }

  /** The option is misspelt. */
  static ReweaveException misspelt(Option<?> option, String given, IllegalArgumentException cause) {
    String label = option.values().label();
    String remedy =
        switch (label) {
          case "" -> "true or false";
          case "SIZE" -> "a number of bytes, such as 16MB";
          default -> label.replace("|", " or ");
        };
    return new ReweaveException(
        ReweaveException.Kind.USAGE, cause.getMessage(), "option " + given, remedy, cause);
  }

  /** {@code VERSION AS OF} names no step, or a number in which several end. */
  static ReweaveException noVersion(String version, String address, List<String> steps) {
    return ReweaveException.notFound(
        "no one step is version " + version,
        address,
        "name one of its steps, or the number in which one alone ends: " + FirstNames.of(steps));
  }

  /** A statement that would change a checkpoint. */
  static ReweaveException onlyRead(String statement, String address) {
    return ReweaveException.usage(
        "checkpoints are only read: " + statement + " does nothing",
        address,
        "ask with SELECT; files are made, moved and deleted with the tools of their store");
  }

  /** {@code --catalog} and {@code --runs} are one folder, or one lies in the other. */
  static ReweaveException oneCatalogInAnother(Location tensors, Location runs) {
    return ReweaveException.usage(
        "who reads the catalog would find the list of runs in it, or the other way round",
        "--catalog " + tensors + ", --runs " + runs,
        "name two folders beside each other");
  }

  /** {@code --catalog} or {@code --runs} is in the input or the base. */
  static ReweaveException catalogInside(String what, Location catalog, Location folder) {
    return ReweaveException.usage(
        "the catalog lies inside the " + what + ", which is never written to",
        catalog.uri(),
        "name a folder outside of " + folder);
  }

  /** The catalog cannot be written, or is full. */
  static ReweaveException notListed(String reason, String catalog, Exception cause) {
    return new ReweaveException(
        ReweaveException.Kind.STORE_FAILED,
        "the model is published, but its tensors could not be added to the catalog ("
            + reason
            + ")",
        catalog,
        "see to the catalog, then run the same command again: it adds them, and converts nothing",
        cause);
  }

  /** The folder of {@code --runs}, or the table of {@code --runs-table}, cannot be written. */
  static ReweaveException runNotListed(String reason, String list, Exception cause) {
    return new ReweaveException(
        ReweaveException.Kind.STORE_FAILED,
        "the model is published, but the run could not be added to the list (" + reason + ")",
        list,
        "see to that place, then run the same command again: it adds the run, and converts nothing",
        cause);
  }

  /** The settings name no catalog that the table could be in. */
  static ReweaveException noCatalog(TableName table) {
    String setting = "spark.sql.catalog." + table.catalog();
    return ReweaveException.usage(
        "this Spark has no catalog " + table.catalog(),
        "table " + table,
        "set "
            + setting
            + " to the class of the catalog, such as --conf "
            + setting
            + "=org.apache.iceberg.spark.SparkCatalog, and what else that one needs");
  }

  /** The catalog cannot be reached, its class is not there, or a setting of it is wrong. */
  static ReweaveException catalogFailed(String reason, TableName table, Throwable cause) {
    return new ReweaveException(
        ReweaveException.Kind.ENVIRONMENT,
        "the catalog " + table.catalog() + " does not tell of its tables (" + reason + ")",
        "table " + table,
        "see to the settings spark.sql.catalog."
            + table.catalog()
            + ".*, and to the jars of the catalog: REWEAVE_JARS; nothing was converted",
        cause);
  }

  /** A table of Spark's own files. */
  static ReweaveException noLake(TableName table) {
    return ReweaveException.usage(
        "tables of Spark's own catalog are not written in one commit",
        "table " + table,
        "name a table of Iceberg, Delta or another catalog of that kind, or add rows to a folder"
            + " of Parquet files: --catalog");
  }

  /** No right to make the table, or no namespace for it. */
  static ReweaveException tableNotMade(String reason, TableName table, Throwable cause) {
    return new ReweaveException(
        ReweaveException.Kind.ENVIRONMENT,
        "the table is not there and cannot be made (" + reason + ")",
        "table " + table,
        "make its namespace, CREATE NAMESPACE "
            + table.namespace()
            + ", or the table; see to the rights of who runs this; nothing was converted",
        cause);
  }

  /** Somebody else's table, or one of another version. */
  static ReweaveException otherColumns(TableName table, String differences) {
    return new ReweaveException(
        ReweaveException.Kind.USAGE,
        "the table has not the columns for these rows",
        "table " + table + ", columns: " + differences,
        "name another table, one that is not there is made; or add the columns with ALTER TABLE;"
            + " nothing was converted");
  }

  /** No right to write the table, or one that replaces no rows. */
  static ReweaveException notWritable(String reason, TableName table) {
    return new ReweaveException(
        ReweaveException.Kind.ENVIRONMENT,
        "the table takes no rows in place of those of an earlier run (" + reason + ")",
        "table " + table,
        "name a table of Iceberg, Delta or another format that can, with the right to write it;"
            + " nothing was converted");
  }
}
