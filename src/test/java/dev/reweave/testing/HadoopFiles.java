package dev.reweave.testing;

import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;

/** Folders of any store, as tests see them. */
public final class HadoopFiles {
  private HadoopFiles() {}

  /** Copies a local folder with all that is in it; gives the address of the copy. */
  public static String copy(java.nio.file.Path from, FileSystem fs, String to) throws IOException {
    Path target = new Path(fs.getUri() + to);
    fs.mkdirs(target.getParent());
    fs.copyFromLocalFile(new Path(from.toUri()), target);
    return target.toString();
  }

  /**
   * {@link Fixtures#digest} of every file under a folder, hidden ones too, by path relative to it.
   */
  public static Map<String, String> digests(FileSystem fs, String folder) throws IOException {
    return digests(fs, folder, Fixtures::digest);
  }

  /** The same with a digest of the caller's. */
  public static Map<String, String> digests(
      FileSystem fs, String folder, Function<byte[], String> digest) throws IOException {
    Map<String, String> digests = new TreeMap<>();
    Path root = fs.makeQualified(new Path(folder));
    if (fs.exists(root)) {
      RemoteIterator<LocatedFileStatus> files = fs.listFiles(root, true);
      while (files.hasNext()) {
        Path file = files.next().getPath();
        try (InputStream in = fs.open(file)) {
          digests.put(
              root.toUri().relativize(file.toUri()).getPath(), digest.apply(in.readAllBytes()));
        }
      }
    }
    return digests;
  }
}
