package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reweave.common.ReweaveException;
import dev.reweave.look.compare.Verification;
import dev.reweave.plan.PlanOptions;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import dev.reweave.testing.TestHdfs;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The same conversion on a file system without positioned writes: a real HDFS. */
class HdfsConversionTest {
  @TempDir static java.nio.file.Path temp;
  private static final FileSystem fs = TestHdfs.fileSystem();

  private static String put(String fixture) throws IOException {
    Path target = new Path(fs.getUri() + "/in/" + fixture);
    fs.mkdirs(target.getParent());
    fs.copyFromLocalFile(new Path(Fixtures.folder(fixture).resolve("ckpt").toUri()), target);
    return target.toString();
  }

  private static void convert(String input, String output) {
    PlanOptions plan = PlanOptions.DEFAULTS.withSizes(400, 64_000);
    Converting.between(input, output).planning(plan).run();
  }

  private static List<String> names(Path folder) throws IOException {
    return Stream.of(fs.listStatus(folder)).map(FileStatus::getPath).map(Path::getName).toList();
  }

  @Test
  void givesTheFilesThatALocalRunGives() throws IOException {
    Path output = new Path(fs.getUri() + "/out/model 1");
    convert(put("z2_bf16_w2_tags"), output.toString());
    java.nio.file.Path local = temp.resolve("local");
    convert(Fixtures.folder("z2_bf16_w2_tags/ckpt").toString(), local.toString());

    List<String> expected = List.copyOf(Fixtures.digests(local).keySet());
    assertEquals(expected, names(output));
    for (String name : expected) {
      if (!name.equals("reweave.json")) {
        try (var in = fs.open(new Path(output, name))) {
          assertArrayEquals(Files.readAllBytes(local.resolve(name)), in.readAllBytes());
        }
      }
    }
    assertEquals(
        List.of(),
        new Verification(TestSpark.cluster(), TestSpark.stores())
            .run(Locations.of(output))
            .problems());
  }

  @Test
  void aFailureLeavesNothing() throws IOException {
    String input = put("corrupt/z3_flipped_byte");
    Path output = new Path(fs.getUri() + "/out/damaged");

    assertThrows(ReweaveException.class, () -> convert(input, output.toString()));

    assertFalse(fs.exists(output));
  }
}
