package dev.reweave.storage;

import dev.reweave.common.ReweaveException;
import java.io.IOException;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.UnsupportedFileSystemException;
import org.apache.hadoop.security.UserGroupInformation;

/** Finds the store of an address. */
final class FileSystems {
  private static final String DISK = "file";

  /** Hadoop's setting of another class for paths on disks. */
  private static final String DISK_CLASS = "fs.file.impl";

  /** Hadoop has streams for them, and neither lengths nor folders. */
  private static final Set<String> STREAMS = Set.of("http", "https");

  private record Client(URI store, UserGroupInformation user) {}

  private static final Map<Client, FileSystem> OWN = new HashMap<>();

  private FileSystems() {}

  /**
   * Whether a path is one on a disk, and nobody has configured another class for these. Hadoop is
   * not asked then: it loads the classes of all stores that it knows before it answers.
   */
  private static boolean isOnDisk(Path path, Configuration conf) {
    URI uri = path.toUri().getScheme() == null ? FileSystem.getDefaultUri(conf) : path.toUri();
    return DISK.equals(uri.getScheme())
        && uri.getAuthority() == null
        && conf.get(DISK_CLASS, "").isEmpty();
  }

  private static FileSystem found(Path path, Configuration conf) throws IOException {
    FileSystem found = connected(path, conf);
    return found instanceof LocalFileSystem local
        ? LocalDisk.of((RawLocalFileSystem) local.getRawFileSystem(), conf)
        : found;
  }

  /**
   * Hadoop keeps one client for each bucket and user, with the settings of whoever asked first: of
   * Spark, where its log of events goes to the same bucket.
   */
  private static synchronized FileSystem own(URI store, Configuration conf) throws IOException {
    Client client = new Client(store, UserGroupInformation.getCurrentUser());
    FileSystem own = OWN.get(client);
    if (own == null) {
      own = FileSystem.newInstance(store, conf);
      OWN.put(client, own);
    }
    return own;
  }

  private static FileSystem connected(Path path, Configuration conf) throws IOException {
    try {
      FileSystem fs = path.getFileSystem(conf);
      return fs.getClass().getName().equals(ObjectStatus.S3A)
              && ConnectorSettings.areComplete(conf)
              && !ConnectorSettings.areComplete(fs.getConf())
          ? own(fs.getUri(), conf)
          : fs;
    } catch (IllegalArgumentException e) {
      boolean hasNoBucket = path.toUri().getScheme() != null && path.toUri().getHost() == null;
      if (hasNoBucket || e.getCause() instanceof UnknownHostException) {
        throw e; // It is about the address.
      }
      throw StoreFailures.badSetting(path.toString(), StoreSettings.meant(path, conf, e), e);
    }
  }

  /**
   * The file system that holds a path, without checksum side files.
   *
   * @throws ReweaveException if there is none, or it can have no such path
   */
  static FileSystem of(Path path, Configuration conf) {
    if (path.toUri().getScheme() == null) {
      StoreFailures.requireNoLogin(conf.get(FileSystem.FS_DEFAULT_NAME_KEY, ""));
    } else if (STREAMS.contains(path.toUri().getScheme())) {
      throw StoreFailures.overHttp(path.toString());
    }
    try {
      FileSystem fs = isOnDisk(path, conf) ? LocalDisk.of(conf) : found(path, conf);
      fs.makeQualified(path); // refuses what is another's
      return fs;
    } catch (UnsupportedFileSystemException e) {
      throw StoreFailures.unknownScheme(path.toString(), e);
    } catch (IOException e) {
      throw StoreFailures.unreadable(path.toString(), e);
    } catch (IllegalArgumentException e) {
      // A client of HDFS looks its name node up before it asks anything.
      throw e.getCause() instanceof UnknownHostException
          ? StoreFailures.unknownName(path.toString(), e)
          : StoreFailures.unusable(path.toString(), e);
    } catch (RuntimeException e) {
      // The store of ftp: wraps what happens while it connects.
      if (e.getCause() instanceof IOException cause) {
        throw StoreFailures.unreadable(path.toString(), cause);
      }
      throw e;
    }
  }
}
