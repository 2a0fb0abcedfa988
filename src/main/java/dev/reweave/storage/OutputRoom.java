package dev.reweave.storage;

import dev.reweave.common.ReweaveException;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

/** Whether a store has room for names and bytes, found out before anything is written. */
public final class OutputRoom {
  private static final String HDFS = "hdfs";

  /** Of one name on the file systems of Linux (NAME_MAX), in bytes. */
  private static final int LOCAL_NAME_BYTES = 255;

  /** Of a whole path on Linux (PATH_MAX), in bytes, with the zero behind it. */
  private static final int LOCAL_PATH_BYTES = 4095;

  /** Of a key in S3, and of an object in other stores, in bytes of UTF-8. */
  private static final int KEY_BYTES = 1024;

  /** The NameNode's limit of one name, in bytes; 0 for none. */
  private static final String HDFS_NAME_LIMIT = "dfs.namenode.fs-limits.max-component-length";

  /** Longest of what is put before and behind a name while the file is out of sight, in bytes. */
  private static final int STAGED_BEFORE = ".reweave/finished/".length();

  private static final int STAGED_BEHIND = ".parts".length();

  private final FileSystem fs;
  private final Path folder;

  OutputRoom(FileSystem fs, Path folder) {
    this.fs = fs;
    this.folder = folder;
  }

  /**
   * Refuses names that files cannot have here, also while they are out of sight.
   *
   * @param names paths in the folder
   * @throws ReweaveException if one is longer than the store takes, or has what it cannot have
   */
  public void requireNames(List<String> names) {
    names.forEach(name -> requireName(within(folder, name), name));
  }

  /** A path with a name as it is: what stands before a colon in it would be taken for a scheme. */
  Path within(Path parent, String name) {
    if (name.indexOf(':') >= 0 && HDFS.equals(folder.toUri().getScheme())) {
      throw StoreFailures.colonInName(name);
    }
    return new Path(parent, "./" + name);
  }

  private void requireName(Path file, String name) {
    String path = file.toUri().getPath();
    int pathLimit = KEY_BYTES;
    int nameLimit = KEY_BYTES;
    if (fs instanceof RawLocalFileSystem) {
      pathLimit = LOCAL_PATH_BYTES;
      nameLimit = LOCAL_NAME_BYTES;
    } else if (HDFS.equals(folder.toUri().getScheme())) {
      int set = fs.getConf().getInt(HDFS_NAME_LIMIT, LOCAL_NAME_BYTES);
      pathLimit = Integer.MAX_VALUE;
      nameLimit = set > 0 ? set : Integer.MAX_VALUE;
    }
    require(bytes(path) - 1, pathLimit - STAGED_BEFORE - STAGED_BEHIND, "path", name);
    for (String part : name.split("/", -1)) {
      require(bytes(part), nameLimit - STAGED_BEHIND, "name", part);
    }
  }

  private void require(int bytes, int most, String what, String name) {
    if (bytes > most) {
      throw StoreFailures.nameTooLong(what, bytes, most, folder + ", " + name);
    }
  }

  private static int bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }

  /**
   * Refuses what does not fit on a disk of this machine.
   *
   * @param bytes that will be written
   */
  public void requireSpace(long bytes) {
    if (!(fs instanceof RawLocalFileSystem local)) {
      return;
    }
    File there = local.pathToFile(folder);
    while (!there.exists() && there.getParentFile() != null) {
      there = there.getParentFile();
    }
    long free = there.getUsableSpace();
    if (free < bytes) {
      throw StoreFailures.noSpace(bytes, free, folder.toString());
    }
  }
}
