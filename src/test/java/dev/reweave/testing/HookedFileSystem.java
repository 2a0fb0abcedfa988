package dev.reweave.testing;

import java.io.IOException;
import java.net.URI;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

/** Local files under the scheme {@code hooked}, with {@link OpenHooks}. */
public final class HookedFileSystem extends RawLocalFileSystem {
  /** Makes {@code hooked:} addresses lead here. */
  public static void configure(Configuration conf) {
    conf.setClass("fs.hooked.impl", HookedFileSystem.class, org.apache.hadoop.fs.FileSystem.class);
  }

  @Override
  public URI getUri() {
    return URI.create("hooked:///");
  }

  @Override
  public String getScheme() {
    return "hooked";
  }

  @Override
  public FSDataInputStream open(Path path, int bufferSize) throws IOException {
    OpenHooks.opened(path);
    return super.open(path, bufferSize);
  }
}
