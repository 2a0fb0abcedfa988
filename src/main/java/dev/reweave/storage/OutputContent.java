package dev.reweave.storage;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * What an output folder holds, as one listing shows it.
 *
 * @param exists whether there is anything at the address
 * @param isStaged whether anything is staged, or kept of a process that staged something
 * @param locks how many files of locks there are, also of such on a take-over
 * @param names paths of the files that the folder and those below it hold for readers, in order
 */
public record OutputContent(boolean exists, boolean isStaged, int locks, List<String> names) {
  private static final OutputContent NOTHING = new OutputContent(false, false, 0, List.of());

  static OutputContent of(FileSystem fs, Path folder) {
    FileStatus[] listed;
    try {
      listed = fs.listStatus(folder);
    } catch (FileNotFoundException e) {
      return NOTHING;
    } catch (IOException e) {
      throw Stores.unreadable(Stores.location(folder), e);
    }
    boolean isStaged = false;
    int locks = 0;
    List<String> names = new ArrayList<>();
    for (FileStatus status : listed) {
      String name = status.getPath().getName();
      if (status.getPath().equals(folder)) {
        throw StoreFailures.outputIsFile(Stores.location(folder));
      }
      if (name.equals(OutputFolder.STAGING)) {
        isStaged = true;
      } else if (name.startsWith(OutputLock.NAME)) {
        locks++;
      } else {
        add(fs, folder, status, names);
      }
    }
    names.sort(null);
    return new OutputContent(true, isStaged, locks, List.copyOf(names));
  }

  private static void add(FileSystem fs, Path folder, FileStatus status, List<String> names) {
    if (!status.isDirectory()) {
      names.add(Stores.location(folder).pathTo(Stores.location(status.getPath())));
      return;
    }
    try {
      for (FileStatus below : fs.listStatus(status.getPath())) {
        add(fs, folder, below, names);
      }
    } catch (FileNotFoundException e) {
      // It went away meanwhile.
      return;
    } catch (IOException e) {
      throw Stores.unreadable(Stores.location(status.getPath()), e);
    }
  }
}
