package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.common.ReweaveException.Kind;
import dev.reweave.storage.Stores;
import dev.reweave.testing.ChunkedModel;
import dev.reweave.testing.HookedHdfs;
import dev.reweave.testing.OpenHooks;
import dev.reweave.testing.TestHdfs;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.util.List;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.SafeModeAction;
import org.apache.hadoop.hdfs.DistributedFileSystem;
import org.apache.hadoop.hdfs.protocol.HdfsConstants;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A name node that refuses, while chunks are made, what it took before. */
class HdfsRefusalsMidwayTest {
  private static final DistributedFileSystem fs = (DistributedFileSystem) TestHdfs.fileSystem();
  private static final long NONE = HdfsConstants.QUOTA_DONT_SET;

  @TempDir static java.nio.file.Path temp;
  private static ChunkedModel model;
  private static String input;

  @BeforeAll
  static void write() throws IOException {
    model = ChunkedModel.in(temp);
    input = model.copy(fs, "/midway/in");
  }

  @AfterEach
  void unhook() {
    OpenHooks.clear();
  }

  private static Path folder(String name) throws IOException {
    Path folder = fs.makeQualified(new Path("/midway/" + name));
    fs.mkdirs(folder);
    return folder;
  }

  private static void run(Path output) {
    Stores stores = new Stores(HookedHdfs.configuration(TestSpark.context().hadoopConfiguration()));
    ChunkedModel.converting(input, output).in(stores).run();
  }

  private static ReweaveException refused(Path output, OpenHooks.Action change) {
    OpenHooks.whenOpened("rank_1_mp_rank_00_optim_states.pt", 3, change);
    ReweaveException e = assertThrows(ReweaveException.class, () -> run(output));
    assertEquals(0, OpenHooks.waiting());
    assertFalse(e.getMessage().contains("\n"), e::getMessage);
    assertTrue(e.getMessage().length() < 1000, e::getMessage);
    return e;
  }

  @Test
  void safeMode() throws IOException {
    Path output = folder("safe/out");

    ReweaveException e;
    try {
      e = refused(output, file -> fs.setSafeMode(SafeModeAction.ENTER));
      assertTrue(fs.isInSafeMode());
    } finally {
      fs.setSafeMode(SafeModeAction.LEAVE);
    }

    assertEquals(Kind.STORE_FAILED, e.kind(), e::getMessage);
    assertTrue(
        e.problem().startsWith("the name node is in safe mode, in which it changes nothing ("),
        e::getMessage);
    run(output);
    assertEquals(model.expected(), ChunkedModel.files(fs, output.toString()));
  }

  @Test
  void spaceQuota() throws IOException {
    Path folder = folder("space");
    Path output = new Path(folder, "out");

    ReweaveException e = refused(output, file -> fs.setQuota(folder, NONE, 1));

    assertEquals(Kind.SHORTAGE, e.kind(), e::getMessage);
    assertTrue(e.problem().startsWith("a space quota of HDFS is used up ("), e::getMessage);
    assertEquals(0, fs.listStatus(folder).length, () -> "left: " + List.of(folder));
  }

  @Test
  void nameQuota() throws IOException {
    Path folder = folder("names");
    Path output = new Path(folder, "out");

    ReweaveException e = refused(output, file -> fs.setQuota(folder, 1, NONE));

    assertEquals(Kind.SHORTAGE, e.kind(), e::getMessage);
    assertTrue(e.problem().startsWith("a name quota of HDFS is used up ("), e::getMessage);
    assertEquals(0, fs.listStatus(folder).length);
  }
}
