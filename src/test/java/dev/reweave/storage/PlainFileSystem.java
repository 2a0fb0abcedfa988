package dev.reweave.storage;

import java.io.IOException;
import java.net.URI;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FilterFileSystem;
import org.apache.hadoop.fs.MultipartUploaderBuilder;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;

/**
 * Local files under the scheme {@code plain}, as a store that has nothing but what every Hadoop
 * file system must have.
 */
public final class PlainFileSystem extends FilterFileSystem {
  private static final URI ADDRESS = URI.create("plain:///");

  /** For Hadoop, which finds it by its configuration. */
  public PlainFileSystem() {
    super(new LocalFiles());
  }

  /** The settings that make the scheme known. */
  static Configuration configuration() {
    Configuration conf = new Configuration();
    conf.set("fs.plain.impl", PlainFileSystem.class.getName());
    return conf;
  }

  @Override
  public boolean hasPathCapability(Path path, String capability) {
    return false;
  }

  @Override
  public void concat(Path target, Path[] sources) {
    throw new UnsupportedOperationException("concat");
  }

  @Override
  public MultipartUploaderBuilder<?, ?> createMultipartUploader(Path path) {
    throw new UnsupportedOperationException("multipart upload");
  }

  private static final class LocalFiles extends RawLocalFileSystem {
    @Override
    public URI getUri() {
      return ADDRESS;
    }

    /** Atomic where the original looks first and creates then. */
    @Override
    public FSDataOutputStream create(
        Path path,
        FsPermission permission,
        boolean overwrite,
        int bufferSize,
        short replication,
        long blockSize,
        Progressable progress)
        throws IOException {
      if (!overwrite) {
        try {
          mkdirs(path.getParent());
          Files.createFile(pathToFile(path).toPath());
        } catch (FileAlreadyExistsException e) {
          throw new org.apache.hadoop.fs.FileAlreadyExistsException(path + " exists");
        }
      }
      return super.create(path, permission, true, bufferSize, replication, blockSize, progress);
    }
  }
}
