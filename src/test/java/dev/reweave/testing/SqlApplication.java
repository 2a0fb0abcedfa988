package dev.reweave.testing;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.SparkSession;

/**
 * An application that knows Spark alone: runs SQL, and writes the rows of all answers to a file.
 */
public final class SqlApplication {
  /** Before the file of an artifact: what a client of Spark Connect does, which has no SQL. */
  static final String ADD_ARTIFACT = "ADD ARTIFACT ";

  private SqlApplication() {}

  /** Runs {@code FILE STATEMENT...}. */
  public static void main(String[] args) throws IOException {
    List<String> rows = new ArrayList<>();
    try (SparkSession spark = SparkSession.builder().getOrCreate()) {
      for (String statement : List.of(args).subList(1, args.length)) {
        if (statement.startsWith(ADD_ARTIFACT)) {
          spark.addArtifact(statement.substring(ADD_ARTIFACT.length()));
        } else {
          spark.sql(statement).collectAsList().forEach(row -> rows.add(row.mkString(" ")));
        }
      }
    }
    Files.write(Path.of(args[0]), rows, StandardCharsets.UTF_8);
  }
}
