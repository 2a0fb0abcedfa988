package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.testing.Fixtures;
import dev.reweave.testing.TestSpark;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Steps that are converted in one run, and the folders that list their tensors and the runs. */
class CatalogOfStepsTest {
  @TempDir Path temp;

  private ConvertRun convert(String tag) {
    return ConvertRun.of(
        "-i",
        Fixtures.folder("z2_bf16_w2_tags/ckpt").toString(),
        "-o",
        temp + "/models/{tag}",
        "--tag",
        tag,
        "--catalog",
        temp + "/catalog",
        "--runs",
        temp + "/runs");
  }

  private String models() {
    return rows("SELECT model, tag, count(*) FROM parquet.`" + temp.resolve("catalog") + "`");
  }

  private String runs() {
    return rows("SELECT model, tag, sum(tensors) FROM parquet.`" + temp.resolve("runs") + "`");
  }

  private static String rows(String query) {
    SparkSession session =
        SparkSession.builder().sparkContext(TestSpark.context().sc()).getOrCreate();
    return session.sql(query + " GROUP BY 1, 2 ORDER BY 1").collectAsList().toString();
  }

  @Test
  void aCatalogInsideTheInputIsRefused() throws Exception {
    Path input = Fixtures.copy(Fixtures.folder("z2_bf16_w2/ckpt"), temp.resolve("in"));
    Map<String, String> before = Fixtures.digests(input);
    for (String option : List.of("--catalog", "--runs")) {
      for (String catalog : List.of("/in", "/in/catalog", "/x/../in/global_step3/catalog")) {
        ConvertRun run = ConvertRun.of("-i", input, "-o", temp + "/out", option, temp + catalog);

        assertEquals(1, run.exitCode(), run::toString);
        assertTrue(
            run.err()
                .get(0)
                .startsWith(
                    "reweave: the catalog lies inside the input, which is never written to"),
            run::toString);
      }
    }
    assertEquals(before, Fixtures.digests(input));
    assertTrue(Files.notExists(temp.resolve("out")));
  }

  @Test
  void foldersOfTensorsAndOfRunsLieBesideEachOther() {
    String input = Fixtures.folder("z2_bf16_w2/ckpt").toString();
    for (String runs : List.of("/catalog", "/catalog/runs", "/")) {
      ConvertRun run =
          ConvertRun.of(
              "-i",
              input,
              "-o",
              temp + "/out",
              "--catalog",
              temp + "/catalog",
              "--runs",
              temp + runs);

      assertEquals(1, run.exitCode(), run::toString);
      assertTrue(
          run.err()
              .get(0)
              .startsWith(
                  "reweave: who reads the catalog would find the list of runs in it, or the other"
                      + " way round: --catalog file:"
                      + temp
                      + "/catalog, --runs file:"),
          run::toString);
    }
    assertTrue(Files.notExists(temp.resolve("out")));
  }

  @Test
  void eachStepIsListedOnce() throws Exception {
    ConvertRun first = convert("all");
    assertEquals(0, first.exitCode(), first::toString);
    String listed =
        "[[global_step1,global_step1,8], [global_step3,global_step3,8], [my-tag 2,my-tag 2,8]]";
    assertEquals(listed, models());
    assertEquals(listed, runs());
    assertTrue(
        first.out().toString().contains("listed 1 run in file:" + temp.resolve("runs")),
        first::toString);

    ConvertRun again = convert("new");
    assertEquals(0, again.exitCode(), again::toString);
    assertTrue(
        String.join(" ", again.out()).contains("listed before: file:" + temp.resolve("catalog")),
        again::toString);
    assertEquals(listed, models());
    assertEquals(listed, runs());
    assertTrue(Files.exists(temp.resolve("models/my-tag 2/model.safetensors")));
  }
}
