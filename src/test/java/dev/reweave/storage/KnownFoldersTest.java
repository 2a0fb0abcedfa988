package dev.reweave.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import dev.reweave.testing.FaultProxy;
import dev.reweave.testing.S3Server;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.Test;

/** Who reads one checkpoint from a far store asks once for what each folder holds. */
class KnownFoldersTest {
  private static void write(FileSystem fs, String path) throws IOException {
    try (OutputStream out = fs.create(new Path(path))) {
      out.write(1);
    }
  }

  @Test
  void whatWasListedIsNotAskedForAgain() throws IOException {
    try (FaultProxy proxy = FaultProxy.start(S3Server.shared())) {
      Configuration conf = new Configuration();
      proxy.configure(conf);
      String root = "s3a://" + S3Server.shared().newBucket();
      try (FileSystem fs = FileSystem.newInstance(URI.create(root), conf)) {
        write(fs, "/runs/latest");
        write(fs, "/runs/step/a");
        Stores stores = new Stores(conf);
        Location runs = new Location(root + "/runs");
        Stores once = stores.guarded(runs, Safeguards.DEFAULT);

        assertEquals(1, once.list(runs).files().size());
        proxy.clear();
        assertTrue(once.isFolder(runs));
        assertTrue(once.file(runs).isEmpty());
        assertTrue(once.isFolder(runs.child("step")));
        assertTrue(once.file(runs.child("step")).isEmpty());
        assertTrue(once.file(runs.child("latest")).isPresent());
        assertEquals(1, once.list(runs).files().size());
        assertEquals(List.of(), proxy.requests());

        // What is not known is asked for, each time: who waits for a file finds it.
        assertFalse(once.isFolder(runs.child("later")));
        write(fs, "/runs/later/c");
        assertTrue(once.isFolder(runs.child("later")));
        assertThrows(ReweaveException.class, () -> once.list(runs.child("last")));
        write(fs, "/runs/last/d");
        assertEquals(1, once.list(runs.child("last")).files().size());

        // One state for who looks twice, and the present one for all others.
        assertEquals(1, once.list(runs).folders().size());
        assertEquals(3, stores.list(runs).folders().size());
      }
    }
  }
}
