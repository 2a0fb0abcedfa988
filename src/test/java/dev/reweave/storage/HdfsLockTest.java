package dev.reweave.storage;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.common.ReweaveException.Kind;
import dev.reweave.testing.Locations;
import dev.reweave.testing.TestHdfs;
import java.io.IOException;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.hdfs.DistributedFileSystem;
import org.apache.hadoop.hdfs.protocol.HdfsConstants;
import org.junit.jupiter.api.Test;

/** A lock in a folder whose quota is used up: HDFS makes the file, and takes no byte for it. */
class HdfsLockTest {
  private static final DistributedFileSystem fs = (DistributedFileSystem) TestHdfs.fileSystem();

  private static OutputLock lock(Path folder) {
    return new Stores(TestHdfs.configuration()).outputFolder(Locations.of(folder)).lock();
  }

  private static Path folder(String name) throws IOException {
    Path folder = fs.makeQualified(new Path("/locks/" + name));
    fs.mkdirs(folder);
    return folder;
  }

  private static void fill(Path folder) throws IOException {
    fs.setQuota(folder, HdfsConstants.QUOTA_DONT_SET, 1);
  }

  private static void makeRoom(Path folder) throws IOException {
    fs.setQuota(folder, HdfsConstants.QUOTA_DONT_SET, HdfsConstants.QUOTA_RESET);
  }

  @Test
  void isNotTaken() throws IOException {
    Path folder = folder("new");
    fill(folder);

    ReweaveException e = assertThrows(ReweaveException.class, () -> lock(folder).take("one"));

    assertEquals(Kind.SHORTAGE, e.kind(), e::getMessage);
    assertEquals(0, fs.listStatus(folder).length);
    makeRoom(folder);
    lock(folder).take("two").close();
  }

  @Test
  void isHeldAndGivenBackAllTheSame() throws IOException {
    Path folder = folder("held");
    Path file = new Path(folder, OutputLock.NAME);
    try (OutputLock.Held held = lock(folder).take("one")) {
      fill(folder);
      ((OutputLock.Holding) held).renew();
      assertEquals(0, fs.getFileStatus(file).getLen());

      assertDoesNotThrow(held::check);
      ReweaveException e = assertThrows(ReweaveException.class, () -> lock(folder).take("two"));
      assertEquals(Kind.OUTPUT_LOCKED, e.kind(), e::getMessage);
      ((OutputLock.Holding) held).renew();
    }
    assertFalse(fs.exists(file));
  }

  @Test
  void isRenewedWhenThereIsRoomAgain() throws IOException {
    Path folder = folder("again");
    try (OutputLock.Held held = lock(folder).take("one")) {
      fill(folder);
      ((OutputLock.Holding) held).renew();
      makeRoom(folder);
      ((OutputLock.Holding) held).renew();

      ReweaveException e = assertThrows(ReweaveException.class, () -> lock(folder).take("two"));
      assertTrue(e.problem().contains("'one'"), e::getMessage);
    }
  }

  /** Somebody else's, whose content does not come either. */
  @Test
  void anEmptyOneOfAnotherStays() throws IOException {
    Path folder = folder("other");
    Path file = new Path(folder, OutputLock.NAME);
    fs.create(file).close();

    ReweaveException e = assertThrows(ReweaveException.class, () -> lock(folder).take("two"));

    assertEquals(Kind.OUTPUT_LOCKED, e.kind(), e::getMessage);
    assertTrue(fs.exists(file));
  }
}
