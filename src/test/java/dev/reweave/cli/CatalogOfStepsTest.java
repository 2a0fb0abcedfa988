package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.testing.Fixtures;
import dev.reweave.testing.TestSpark;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Steps that are converted in one run, and the catalog of their tensors. */
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
        temp + "/catalog");
  }

  private String models() {
    SparkSession session =
        SparkSession.builder().sparkContext(TestSpark.context().sc()).getOrCreate();
    return session
        .sql(
            "SELECT model, tag, count(*) FROM parquet.`"
                + temp.resolve("catalog")
                + "` GROUP BY 1, 2 ORDER BY 1")
        .collectAsList()
        .toString();
  }

  @Test
  void eachStepIsListedOnce() throws Exception {
    ConvertRun first = convert("all");
    assertEquals(0, first.exitCode(), first::toString);
    String listed =
        "[[global_step1,global_step1,8], [global_step3,global_step3,8], [my-tag 2,my-tag 2,8]]";
    assertEquals(listed, models());

    ConvertRun again = convert("new");
    assertEquals(0, again.exitCode(), again::toString);
    assertTrue(
        String.join(" ", again.out()).contains("listed before: file:" + temp.resolve("catalog")),
        again::toString);
    assertEquals(listed, models());
    assertTrue(Files.exists(temp.resolve("models/my-tag 2/model.safetensors")));
  }
}
