package dev.reweave.sql;

import dev.reweave.common.ReweaveException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.spark.SparkThrowable;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * A table in a catalog of the user's Spark, as Iceberg, Delta and Unity have them, with some rows
 * for each run: for all conversions that write the same bytes to the same place. The rows of one
 * run become visible in one commit, and once.
 *
 * <p>A new table is partitioned by model and run: what is to be replaced are then whole files,
 * which Iceberg wants.
 *
 * @param schema the columns that are written, model and run among them; the table may have more,
 *     which get NULL
 */
record LakeTable(SparkSession session, TableName name, StructType schema) {
  /** Which conversion a row is of. */
  static final String RUN = "run";

  private static final String MODEL = TensorColumn.MODEL.column();
  private static final String CATALOGS = "spark.sql.catalog.";

  /** Spark's own, which reads settings of another class under this name. */
  private static final String OWN = "spark_catalog";

  /** This one asks for the format's name; others make what they are for. */
  private static final String DELTA = ".DeltaCatalog";

  /** What Delta says of an address, as {@code spark_catalog.delta.`s3a://…`}, without a table. */
  private static final String NO_DELTA = "DELTA_MISSING_DELTA_TABLE";

  /** How the answer of EXPLAIN begins if what is asked cannot be done. */
  private static final String NO_PLAN = "Error occurred";

  /**
   * Makes the table unless it is there, and refuses one that could not be written.
   *
   * @throws ReweaveException if no rows could be added
   */
  void require() {
    String implementation = session.conf().get(CATALOGS + name.catalog(), "");
    if (implementation.isEmpty()) {
      throw name.catalog().equals(OWN) ? SqlFailures.noLake(name) : SqlFailures.noCatalog(name);
    }
    if (!exists()) {
      create(implementation.endsWith(DELTA) ? " USING delta" : "");
    }
    requireColumns();
    requireWritable();
  }

  private boolean exists() {
    try {
      return session.catalog().tableExists(name.quoted());
    } catch (Exception | LinkageError e) { // Jars for another Spark are known by the latter.
      if (e instanceof SparkThrowable known && NO_DELTA.equals(known.getCondition())) {
        return false;
      }
      throw SqlFailures.catalogFailed(Reason.of(e), name, e);
    }
  }

  private void create(String format) {
    String columns =
        Arrays.stream(schema.fields())
            .map(field -> field.name() + " " + field.dataType().sql())
            .collect(Collectors.joining(", "));
    try {
      session.sql(
          "CREATE TABLE IF NOT EXISTS "
              + name.quoted()
              + " ("
              + columns
              + ")"
              + format
              + " PARTITIONED BY ("
              + MODEL
              + ", "
              + RUN
              + ")");
    } catch (Exception | LinkageError e) {
      throw SqlFailures.tableNotMade(Reason.of(e), name, e);
    }
  }

  private StructType present() {
    try {
      return session.table(name.quoted()).schema();
    } catch (Exception | LinkageError e) {
      throw SqlFailures.catalogFailed(Reason.of(e), name, e);
    }
  }

  private void requireColumns() {
    Map<String, StructField> present = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    Arrays.stream(present().fields()).forEach(field -> present.put(field.name(), field));
    List<String> differences = new ArrayList<>();
    for (StructField field : schema.fields()) {
      StructField there = present.remove(field.name());
      String wanted = field.dataType().catalogString();
      String found = there == null ? "not there" : there.dataType().catalogString();
      if (!found.equals(wanted)) {
        differences.add(field.name() + " is " + found + ", should be " + wanted);
      }
    }
    present.values().stream()
        .filter(more -> !more.nullable())
        .forEach(more -> differences.add(more.name() + " is NOT NULL, and nothing is known of it"));
    if (!differences.isEmpty()) {
      throw SqlFailures.otherColumns(name, String.join("; ", differences));
    }
  }

  /**
   * Lets Spark plan what will be written, as far as it does before it writes: tables that can only
   * be read or added to, and catalogs that know who may write, refuse it here.
   */
  private void requireWritable() {
    String view = "reweave_" + UUID.randomUUID().toString().replace("-", "");
    Dataset<Row> none = whole(session.createDataFrame(List.of(), schema));
    none.createOrReplaceTempView(view);
    try {
      List<String> plan =
          session
              .sql(
                  "EXPLAIN INSERT INTO "
                      + name.quoted()
                      + " REPLACE WHERE "
                      + RUN
                      + " = '' SELECT * FROM "
                      + view)
              .collectAsList()
              .stream()
              .flatMap(row -> row.getString(0).lines())
              .toList();
      if (plan.get(0).startsWith(NO_PLAN)) {
        throw SqlFailures.notWritable(plan.get(plan.size() == 1 ? 0 : 1), name);
      }
    } catch (ReweaveException e) {
      throw e;
    } catch (Exception | LinkageError e) {
      throw SqlFailures.notWritable(Reason.of(e), name);
    } finally {
      session.catalog().dropTempView(view);
    }
  }

  /** These rows in the columns of the table, in its order. */
  private Dataset<Row> whole(Dataset<Row> rows) {
    List<String> written =
        Arrays.stream(schema.fieldNames()).map(n -> n.toLowerCase(Locale.ROOT)).toList();
    return rows.select(
        Arrays.stream(present().fields())
            .map(
                field ->
                    written.contains(field.name().toLowerCase(Locale.ROOT))
                        ? functions.col(field.name())
                        : functions.lit(null).cast(field.dataType()).as(field.name()))
            .toArray(Column[]::new));
  }

  /**
   * Adds the rows of a run, unless it has some.
   *
   * @return number of rows that were added
   * @throws Exception whatever the catalog throws
   */
  long add(ConvertedModel converted, Supplier<Dataset<Row>> rows) throws Exception {
    Column run =
        functions
            .col(MODEL)
            .equalTo(functions.lit(converted.name()))
            .and(functions.col(RUN).equalTo(functions.lit(converted.run())));
    if (count(run) > 0) {
      return 0;
    }
    Dataset<Row> all = whole(rows.get());
    try {
      // The same run elsewhere may do the same at the same time.
      all.writeTo(name.quoted()).overwrite(run);
    } catch (Exception e) {
      // In tables of other partitions a file can have rows of several runs, and Iceberg replaces
      // none
      // in part. Where something else is wrong, that fails here again.
      if (count(run) == 0) {
        all.writeTo(name.quoted()).append();
      }
    }
    return count(run);
  }

  /** Also of what others have committed meanwhile. */
  private long count(Column rows) {
    session.sql("REFRESH TABLE " + name.quoted());
    return session.table(name.quoted()).where(rows).count();
  }
}
