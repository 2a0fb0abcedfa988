package dev.reweave.testing;

import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.hdfs.DistributedFileSystem;

/** A client of {@link TestHdfs} that says that it can join files, and refuses to. */
public final class UnjoinedHdfs extends DistributedFileSystem {
  /** Makes {@code hdfs:} addresses lead here. */
  public static Configuration configuration() {
    Configuration conf = TestHdfs.configuration();
    conf.setClass("fs.hdfs.impl", UnjoinedHdfs.class, FileSystem.class);
    conf.setBoolean("fs.hdfs.impl.disable.cache", true);
    return conf;
  }

  @Override
  public void concat(Path target, Path[] sources) throws IOException {
    throw new IOException("concat of " + target + " is refused");
  }
}
