package dev.reweave.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reweave.common.ReweaveException;
import dev.reweave.testing.TestHdfs;
import java.io.FileNotFoundException;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.hdfs.DistributedFileSystem;
import org.apache.hadoop.hdfs.protocol.HdfsConstants;
import org.junit.jupiter.api.Test;

/** A real HDFS: parts are files that are concatenated. */
class HdfsStorageTest extends StorageContract {
  @Override
  Configuration configuration() {
    return TestHdfs.configuration();
  }

  @Override
  String root() {
    return TestHdfs.fileSystem().getUri() + "/contract";
  }

  @Override
  Class<? extends StagedFile> kind() {
    return ConcatenatedFile.class;
  }

  @Test
  void aTwinThatComesTooLateLeavesNothing() throws Exception {
    byte[] content = new byte[1000];
    Part part = new Part(1, 0, content.length);
    output.prepare(content.length);
    StagedFile file = output.stage(NAME, content.length);
    List<PartReceipt> receipts =
        List.of(new PartWriter(stores, file, content).write(List.of(part)).get(0));
    output.assemble(file, receipts);
    output.publish(file, receipts);
    output.finish();

    assertThrows(FileNotFoundException.class, () -> file.open(stores, part));
    assertEquals(List.of(NAME), leftovers());
  }

  /** Longer than what a stream keeps back: it fails while it is written, and again when closed. */
  @Test
  void noRoomForALongFile() throws Exception {
    Path folder = Stores.path(output.address());
    output.prepare(1);
    ((DistributedFileSystem) TestHdfs.fileSystem())
        .setQuota(folder, HdfsConstants.QUOTA_DONT_SET, 1);

    ReweaveException e =
        assertThrows(ReweaveException.class, () -> output.writeState("plan.json", bytes(16 << 20)));

    assertEquals(ReweaveException.Kind.SHORTAGE, e.kind(), e::getMessage);
    clear(output);
    assertEquals(List.of(), leftovers());
  }
}
