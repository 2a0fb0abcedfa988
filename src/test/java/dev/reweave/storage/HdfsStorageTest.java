package dev.reweave.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reweave.testing.TestHdfs;
import java.io.FileNotFoundException;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
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
}
