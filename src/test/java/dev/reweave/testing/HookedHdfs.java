package dev.reweave.testing;

import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.hdfs.DistributedFileSystem;

/** A client of HDFS with {@link OpenHooks}. */
public final class HookedHdfs extends DistributedFileSystem {
  /** Makes {@code hdfs:} addresses lead here, to {@link TestHdfs}. */
  public static Configuration configuration(Configuration with) {
    Configuration conf = new Configuration(with);
    TestHdfs.configuration().forEach(e -> conf.setIfUnset(e.getKey(), e.getValue()));
    conf.setClass("fs.hdfs.impl", HookedHdfs.class, org.apache.hadoop.fs.FileSystem.class);
    // Other tests have a client of their own for the same address.
    conf.setBoolean("fs.hdfs.impl.disable.cache", true);
    return conf;
  }

  @Override
  public FSDataInputStream open(Path path, int bufferSize) throws IOException {
    OpenHooks.opened(path);
    return super.open(path, bufferSize);
  }

  @Override
  public boolean rename(Path from, Path to) throws IOException {
    OpenHooks.moved(to);
    return super.rename(from, to);
  }

  @Override
  public void concat(Path target, Path[] sources) throws IOException {
    OpenHooks.moved(target.getParent());
    super.concat(target, sources);
  }
}
