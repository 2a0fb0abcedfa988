package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.testing.ChunkedModel;
import dev.reweave.testing.OwnHdfs;
import java.io.IOException;
import java.nio.file.Path;
import org.apache.hadoop.hdfs.DistributedFileSystem;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Folders whose files HDFS stripes over machines. */
class ErasureCodingTest {
  private static final String POLICY = "XOR-2-1-1024k";

  @TempDir static Path temp;
  private static OwnHdfs hdfs;
  private static DistributedFileSystem fs;
  private static ChunkedModel model;

  @BeforeAll
  static void start() throws Exception {
    hdfs = OwnHdfs.start(3);
    fs = hdfs.fileSystem();
    fs.enableErasureCodingPolicy(POLICY);
    model = ChunkedModel.in(temp);
  }

  @AfterAll
  static void stop() {
    hdfs.close();
  }

  private static org.apache.hadoop.fs.Path striped(String name) throws IOException {
    org.apache.hadoop.fs.Path folder = fs.makeQualified(new org.apache.hadoop.fs.Path(name));
    fs.mkdirs(folder);
    fs.setErasureCodingPolicy(folder, POLICY);
    return folder;
  }

  private static void assertStriped(String folder) throws IOException {
    for (String name : model.expected().keySet()) {
      assertTrue(
          fs.getFileStatus(new org.apache.hadoop.fs.Path(folder, name)).isErasureCoded(), name);
    }
  }

  @Test
  void resultInAStripedFolder() throws IOException {
    String output = striped("/striped-1") + "/out";

    assertEquals(model.expected(), ChunkedModel.made(fs, model.copy(fs, "/in-1/ckpt"), output));
    assertStriped(output);
  }

  @Test
  void checkpointInAStripedFolder() throws IOException {
    striped("/striped-2");
    String input = model.copy(fs, "/striped-2/ckpt");

    assertEquals(model.expected(), ChunkedModel.made(fs, input, fs.getUri() + "/plain-2"));
  }
}
