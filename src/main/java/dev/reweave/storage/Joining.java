package dev.reweave.storage;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.Optional;
import java.util.UUID;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Whether files of a folder can become one without a copy. A store that knows {@code concat} may
 * refuse it: HDFS does so in encryption zones, where each file has a key of its own.
 */
final class Joining {
  private final FileSystem fs;
  private final Path folder;
  private Optional<Boolean> possible = Optional.empty();

  Joining(FileSystem fs, Path folder) {
    this.fs = fs;
    this.folder = folder;
  }

  /** The answer, as far as it can be known without a file. */
  synchronized boolean isPossible() throws IOException {
    if (possible.isEmpty()) {
      possible = Optional.of(!isEncrypted());
    }
    return possible.get();
  }

  /** What is made in a folder is encrypted as the folder is, or the next one that is there. */
  private boolean isEncrypted() throws IOException {
    Path path = folder;
    while (path != null) {
      try {
        return fs.getFileStatus(path).isEncrypted();
      } catch (FileNotFoundException e) {
        path = path.getParent(); // It will be made.
      }
    }
    return false;
  }

  /**
   * Finds the answer by joining two small files.
   *
   * @param staging where they are made, and removed
   */
  synchronized void tryIn(Path staging) throws IOException {
    if (!isPossible()) {
      return;
    }
    Path trial = new Path(staging, "joining-" + UUID.randomUUID());
    try {
      possible = Optional.of(joins(byteIn(trial, "1"), byteIn(trial, "2")));
    } finally {
      fs.delete(trial, true);
    }
  }

  private Path byteIn(Path parent, String name) throws IOException {
    Path file = new Path(parent, name);
    SmallFiles.fill(fs.create(file, false), new byte[1]);
    return file;
  }

  private boolean joins(Path first, Path second) throws IOException {
    try {
      fs.concat(first, new Path[] {second});
    } catch (IOException | UnsupportedOperationException e) {
      // If it is for another reason, whole files fail as well, and say why.
      return false;
    }
    return fs.getFileStatus(first).getLen() == 2;
  }
}
