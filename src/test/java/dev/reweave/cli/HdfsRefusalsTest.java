package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.testing.Fixtures;
import dev.reweave.testing.TestHdfs;
import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.SafeModeAction;
import org.apache.hadoop.hdfs.DistributedFileSystem;
import org.apache.hadoop.hdfs.protocol.HdfsConstants;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a name node refuses to write is one line to the user, and leaves nothing. */
class HdfsRefusalsTest {
  private static final DistributedFileSystem fs = (DistributedFileSystem) TestHdfs.fileSystem();
  private static final long NONE = HdfsConstants.QUOTA_DONT_SET;

  /** What a file of any length takes while it is written, where there is one copy of each. */
  private static final long BLOCK = 128 << 20;

  private static Path folder(String name) throws IOException {
    Path folder = fs.makeQualified(new Path("/refusals/" + name));
    fs.mkdirs(folder);
    return folder;
  }

  private static ConvertRun convert(Object output, Object... options) {
    return ConvertRun.of(
        Stream.concat(
                Stream.of("-i", Fixtures.folder("z2_bf16_w2/ckpt"), "-o", output),
                Stream.of(options))
            .toArray());
  }

  private static void assertRefused(ConvertRun run, String problem, Object place, String remedy) {
    assertEquals(1, run.exitCode(), run::toString);
    assertEquals(1, run.err().size(), run::toString);
    String line = run.err().get(0);
    assertTrue(line.startsWith("reweave: " + problem), line);
    assertTrue(line.contains("): " + place), line);
    assertTrue(line.contains("; " + remedy), line);
    assertTrue(line.length() < 700, line);
  }

  private static List<String> names(Path folder) throws IOException {
    return Stream.of(fs.listStatus(folder)).map(FileStatus::getPath).map(Path::getName).toList();
  }

  /** For its lock; for the first files beside it; for the result that is made already. */
  @ParameterizedTest
  @ValueSource(longs = {1 << 20, BLOCK, BLOCK + 1000, BLOCK + 2000, BLOCK + 3000, BLOCK + 4000})
  void spaceQuota(long bytes) throws IOException {
    Path folder = folder("space-" + bytes);
    fs.setQuota(folder, NONE, bytes);

    for (Path output : List.of(new Path(folder, "out"), folder)) {
      assertRefused(
          convert(output),
          "a space quota of HDFS is used up (The DiskSpace quota of " + folder.toUri().getPath(),
          output,
          "raise it (hdfs dfsadmin -setSpaceQuota)");
      assertEquals(List.of(), names(folder));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7})
  void nameQuota(int names) throws IOException {
    Path folder = folder("names-" + names);
    fs.setQuota(folder, names, NONE);

    for (Path output : List.of(new Path(folder, "out"), folder)) {
      assertRefused(
          convert(output),
          "a name quota of HDFS is used up (The NameSpace quota (directories and files) of"
              + " directory "
              + folder.toUri().getPath(),
          output,
          "raise it (hdfs dfsadmin -setQuota)");
      assertEquals(List.of(), names(folder));
    }
  }

  @Test
  void safeMode() throws IOException {
    Path output = folder("safe");
    fs.setSafeMode(SafeModeAction.ENTER);
    try {
      for (Path there : List.of(output, new Path(output, "new"))) {
        assertRefused(
            convert(there),
            "the name node is in safe mode, in which it changes nothing (Cannot create file",
            there,
            "wait until it has left it (hdfs dfsadmin -safemode wait)");
      }
    } finally {
      fs.setSafeMode(SafeModeAction.LEAVE);
    }
    assertEquals(List.of(), names(output));
    assertEquals(0, convert(output).exitCode());
  }

  /** The old model stays, and so does what it takes. */
  @Test
  void safeModeWhereAModelIs() throws IOException {
    Path output = folder("model");
    assertEquals(0, convert(output).exitCode());
    List<String> before = names(output);
    fs.setSafeMode(SafeModeAction.ENTER);
    try {
      assertEquals(0, convert(output).exitCode(), "it is up to date");
      assertRefused(
          convert(output, "--dtype", "bfloat16", "--overwrite"),
          "the name node is in safe mode, in which it changes nothing",
          output,
          "wait until it has left it");
    } finally {
      fs.setSafeMode(SafeModeAction.LEAVE);
    }
    assertEquals(before, names(output));
  }
}
