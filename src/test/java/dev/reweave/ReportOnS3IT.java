package dev.reweave;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Launcher;
import dev.reweave.testing.ReportFile;
import dev.reweave.testing.S3Server;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reports of a model in an object store: the one beside it, and the one that is made of it. */
class ReportOnS3IT {
  @TempDir Path temp;

  private static Launcher.Result run(List<String> command) throws Exception {
    List<String> arguments = new ArrayList<>(command);
    S3Server.shared()
        .settings()
        .forEach((k, v) -> arguments.addAll(List.of("--conf", "spark.hadoop." + k + "=" + v)));
    Launcher.Result result = Launcher.run(arguments.toArray(String[]::new));
    assertEquals(0, result.exitCode(), result::toString);
    return result;
  }

  @Test
  void bothTellTheSameOfTheWeights() throws Exception {
    String model = "s3a://" + S3Server.shared().newBucket() + "/models/m";
    String input = Fixtures.folder("z2_bf16_w2/ckpt").toString();
    run(List.of("convert", "-i", input, "-o", model, "--max-shard-size", "600", "--report"));
    Configuration conf = new Configuration();
    S3Server.shared().configure(conf);
    Path beside = temp.resolve("beside.html");
    try (FileSystem fs = FileSystem.newInstance(URI.create(model), conf);
        var in = fs.open(new org.apache.hadoop.fs.Path(model, "reweave-report.html"))) {
      Files.copy(in, beside);
    }

    Path made = temp.resolve("made.html");
    run(List.of("report", model, "-o", made.toString()));

    ReportFile then = ReportFile.read(beside);
    ReportFile now = ReportFile.read(made);
    assertEquals(model, now.data().path("subject").path("address").asText());
    assertEquals("conversion", now.data().path("subject").path("kind").asText());
    assertTrue(now.column("name").size() > 1, now.data()::toString);
    for (String part : List.of("facts", "checks", "shards", "tensors", "histogram")) {
      assertEquals(then.data().path(part), now.data().path(part), part);
    }
  }
}
