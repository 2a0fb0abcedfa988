package dev.reweave.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.reweave.testing.S3Server;
import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.Test;

/** Hadoop hands out one client for a bucket, with the settings of whoever asked first. */
class ConnectorSettingsTest {
  @Test
  void holdWhereSomebodyElseWasConnectedBefore() throws IOException {
    Configuration conf = new Configuration();
    S3Server.shared().configure(conf);
    Path root = new Path("s3a://" + S3Server.shared().newBucket() + "/");
    try (FileSystem others = FileSystem.get(root.toUri(), conf)) {
      assertNull(others.getConf().get(ConnectorSettings.STREAM));

      FileSystem used = new Stores(conf).fileSystem(root);

      assertEquals("classic", used.getConf().get(ConnectorSettings.STREAM));
      assertSame(used, new Stores(conf).fileSystem(root), "a client has threads and connections");
    }
  }
}
