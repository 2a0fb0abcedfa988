package dev.reweave.sql;

import dev.reweave.testing.TestSpark;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** Asks Spark as users do: with SQL. */
final class Queries {
  private Queries() {}

  /** A view of an address, with more options as SQL writes them, such as {@code , tag 'a'}. */
  static void view(String name, Object address, String options) {
    TestSpark.session()
        .sql(
            "CREATE OR REPLACE TEMPORARY VIEW "
                + name
                + " USING reweave OPTIONS (path '"
                + address
                + "'"
                + options
                + ")");
  }

  static Dataset<Row> sql(String text) {
    return TestSpark.session().sql(text);
  }

  /** All rows of a query, each as its values with a blank between them. */
  static List<String> rows(String text) {
    return sql(text).collectAsList().stream().map(Queries::text).toList();
  }

  private static String text(Row row) {
    return java.util.stream.IntStream.range(0, row.size())
        .mapToObj(i -> String.valueOf(row.get(i)))
        .collect(Collectors.joining(" "));
  }

  /** What Spark plans, with what the source was asked for. */
  static String plan(String text) {
    return sql(text).queryExecution().executedPlan().toString();
  }
}
