package dev.reweave.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;

/**
 * What a conversion keeps in the hidden folder of its output, taken at a moment of its run and put
 * back when it has cleaned up: as of one that was killed, whose uploads the store has ended since.
 */
public final class KeptState {
  private final FileSystem fs;
  private final Path folder;
  private final SortedMap<Path, byte[]> files = new TreeMap<>();

  /** Nothing yet, of the output at this address. */
  public KeptState(FileSystem fs, String output) {
    this.fs = fs;
    this.folder = new Path(output, ".reweave");
  }

  /** Takes what there is now; can be put into the condition of a fault, and is true then. */
  public synchronized boolean take() {
    try {
      RemoteIterator<LocatedFileStatus> found = fs.listFiles(folder, true);
      while (found.hasNext()) {
        Path file = found.next().getPath();
        try (FSDataInputStream in = fs.open(file)) {
          files.put(file, in.readAllBytes());
        }
      }
      return true;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The files that were taken. */
  public synchronized Set<Path> files() {
    return Set.copyOf(files.keySet());
  }

  /** Puts back those with such names. */
  public synchronized void restore(Predicate<String> which) throws IOException {
    for (Path file : files.keySet()) {
      if (which.test(file.getName())) {
        try (FSDataOutputStream out = fs.create(file, true)) {
          out.write(files.get(file));
        }
      }
    }
  }
}
