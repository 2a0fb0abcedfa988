package dev.reweave.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reweave.testing.S3Server;
import java.io.IOException;
import java.util.List;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** S3: multipart uploads. */
class S3StorageTest extends StorageContract {
  private static final String BUCKET = "contract-" + UUID.randomUUID();

  @BeforeAll
  static void createBucket() throws IOException {
    S3Server.shared().createBucket(BUCKET);
  }

  @Override
  Configuration configuration() {
    Configuration conf = new Configuration();
    S3Server.shared().configure(conf);
    conf.unset(S3Server.SIGNING);
    return conf;
  }

  @Override
  String root() {
    return "s3a://" + BUCKET;
  }

  @Override
  Class<? extends StagedFile> kind() {
    return MultipartFile.class;
  }

  @Override
  List<String> pendingUploads() throws IOException {
    return S3Server.shared().pendingUploads(BUCKET);
  }

  /**
   * S3 compares and writes in one step; the test server does so in two, and lets both of two
   * writers through that meet there. So one writes after the other here, when both have looked.
   */
  @Override
  @Test
  void oneOfTwoGetsALock() throws IOException {
    Path lock = new Path(root() + "/race/.reweave.lock");
    FileSystem fs = lock.getFileSystem(configuration());
    FSDataOutputStream first = OutputLock.exclusive(fs, lock);
    FSDataOutputStream second = OutputLock.exclusive(fs, lock);
    first.write(1);
    second.write(2);
    first.close();

    assertThrows(IOException.class, second::close);
    assertEquals(1, fs.getFileStatus(lock).getLen());
  }

  /** The way to it leads through two locks as the one above. */
  @Override
  @Test
  void oneOfTwoTakesAStaleLockOver() {
    aStaleLockIsTakenOver();
  }

  /** Two uploads of one part at the same moment spoil it on the test server, though not on S3. */
  @Override
  List<PartReceipt> twins(PartWriter writer, Part part) throws Exception {
    PartReceipt first = writer.write(List.of(part)).get(0);
    return List.of(first, writer.write(List.of(part)).get(0));
  }
}
