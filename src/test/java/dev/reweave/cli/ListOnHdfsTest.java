package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.testing.Fixtures;
import dev.reweave.testing.HadoopFiles;
import dev.reweave.testing.TestHdfs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.Test;

/** A list, checkpoints and results in a store that is not this machine's disk. */
class ListOnHdfsTest {
  private static final FileSystem fs = TestHdfs.fileSystem();

  @Test
  void allStepsOfAListedCheckpoint() throws IOException {
    String input =
        HadoopFiles.copy(Fixtures.folder("z2_bf16_w2_tags").resolve("ckpt"), fs, "/listed/in");
    String output = fs.getUri() + "/listed/out";
    Path list = new Path(fs.getUri() + "/listed/list.jsonl");
    try (var out = fs.create(list)) {
      out.write(
          ("{\"input\": \"" + input + "\", \"output\": \"" + output + "/{tag}\", \"tag\": \"new\"}")
              .getBytes(StandardCharsets.UTF_8));
    }

    ConvertRun first = ConvertRun.of("--list", list);
    assertEquals(0, first.exitCode(), first::toString);
    Map<String, String> made = HadoopFiles.digests(fs, output);
    ConvertRun second = ConvertRun.of("--list", list);

    assertEquals(0, second.exitCode(), second::toString);
    assertTrue(
        second.out().contains("3 conversions: 0 converted, 3 up to date, 0 failed"),
        second::toString);
    assertEquals(made, HadoopFiles.digests(fs, output));
    assertEquals(
        List.of(
            "global_step1/model.safetensors",
            "global_step1/reweave.json",
            "global_step3/model.safetensors",
            "global_step3/reweave.json",
            "my-tag 2/model.safetensors",
            "my-tag 2/reweave.json"),
        made.keySet().stream().sorted().toList());
  }
}
