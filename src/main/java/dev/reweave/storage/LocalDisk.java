package dev.reweave.storage;

import java.io.IOException;
import java.nio.file.Files;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FsConstants;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;

/**
 * The disks of this machine. Hadoop's own class starts a process, {@code chmod}, for each file and
 * folder that it makes, where its native library is not at hand.
 */
final class LocalDisk extends RawLocalFileSystem {
  private static final String MODE = "unix:mode";

  /** Set-user-ID and set-group-ID: {@code chmod} leaves a folder the latter, as those within it. */
  private static final int KEPT = 06000;

  /** The disks as they are. */
  static RawLocalFileSystem of(Configuration conf) throws IOException {
    LocalDisk disk = new LocalDisk();
    disk.initialize(FsConstants.LOCAL_FS_URI, conf);
    return disk;
  }

  /** The same disks as another file system has. */
  static RawLocalFileSystem of(RawLocalFileSystem other, Configuration conf) throws IOException {
    // What somebody has configured instead knows why.
    if (other.getClass() != RawLocalFileSystem.class) {
      return other;
    }
    return of(conf);
  }

  @Override
  public void setPermission(Path path, FsPermission permission) throws IOException {
    java.nio.file.Path file = pathToFile(path).toPath();
    if (!file.getFileSystem().supportedFileAttributeViews().contains("unix")) {
      super.setPermission(path, permission);
      return;
    }
    int now = (Integer) Files.getAttribute(file, MODE);
    int wanted = (now & ~07777) | (now & KEPT) | permission.toShort();
    if (now != wanted) {
      Files.setAttribute(file, MODE, wanted);
    }
  }
}
