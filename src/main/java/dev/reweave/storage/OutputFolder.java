package dev.reweave.storage;

import dev.reweave.ReweaveException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

/**
 * The folder that a conversion fills. Files are staged in a hidden folder inside it, where no
 * reader looks, and become visible one by one, whole, when they are published.
 */
public final class OutputFolder {
  /** Name of the hidden folder; whatever is in it is rubbish unless a conversion is running. */
  static final String STAGING = ".reweave";

  private final Stores stores;
  private final FileSystem fs;
  private final Path folder;
  private final Path staging;
  private boolean existed;

  OutputFolder(Stores stores, FileSystem fs, Path folder) {
    this.stores = stores;
    this.fs = fs;
    this.folder = folder;
    this.staging = new Path(folder, STAGING);
  }

  /** Full address of the folder. */
  public String address() {
    return folder.toString();
  }

  /** Names of what the folder holds, but for the staging folder; none if it does not exist. */
  public List<String> names() {
    List<String> names = new ArrayList<>();
    try {
      for (FileStatus status : fs.listStatus(folder)) {
        if (!status.getPath().getName().equals(STAGING)) {
          names.add(status.getPath().getName());
        }
      }
    } catch (FileNotFoundException e) {
      return List.of();
    } catch (IOException e) {
      throw Stores.unreadable(address(), e);
    }
    names.sort(null);
    return names;
  }

  /** Throws away what an earlier run left and starts an empty staging folder. */
  public void begin() {
    try {
      existed = fs.exists(folder);
      if (existed && !fs.getFileStatus(folder).isDirectory()) {
        throw new ReweaveException(
            "the output is a file", address(), "name a folder that is new or empty");
      }
      fs.delete(staging, true);
      if (!fs.mkdirs(staging)) {
        throw new IOException("cannot create " + staging);
      }
    } catch (IOException e) {
      throw Stores.unwritable(address(), e);
    }
  }

  /** Refuses when the store says that it has no room for so many bytes more. */
  public void requireSpace(long bytes) {
    if (!(fs instanceof RawLocalFileSystem)) {
      return;
    }
    try {
      long free = fs.getStatus(folder).getRemaining();
      if (free < bytes) {
        throw new ReweaveException(
            "not enough space: " + bytes + " bytes are needed and " + free + " are free",
            address(),
            "free some, or name an output on another disk");
      }
    } catch (IOException e) {
      throw Stores.unwritable(address(), e);
    }
  }

  /**
   * Reserves a file in the staging folder.
   *
   * @param name its name when it is published
   * @param length its final length in bytes
   */
  public StagedFile stage(String name, long length) {
    Path path = new Path(staging, name);
    if (!(fs instanceof RawLocalFileSystem)) {
      return new StagedFile.Whole(path.toString());
    }
    try (RandomAccessFile file = new RandomAccessFile(path.toUri().getPath(), "rw")) {
      file.setLength(length);
    } catch (IOException e) {
      throw Stores.unwritable(path.toString(), e);
    }
    return new StagedFile.InPlace(path.toString());
  }

  /** Stages a small file with this content. */
  public void stage(String name, byte[] content) {
    StagedFile file = stage(name, content.length);
    try (ChunkSink sink = file.open(stores, 0)) {
      sink.write(content, 0, content.length);
      sink.commit();
    } catch (IOException e) {
      throw Stores.unwritable(new Path(staging, name).toString(), e);
    }
  }

  /** Makes a staged file visible under its name, in place of any file of that name. */
  public void publish(String name) {
    Path target = new Path(folder, name);
    try {
      fs.delete(target, false);
      if (!fs.rename(new Path(staging, name), target)) {
        throw new IOException("rename was refused");
      }
    } catch (IOException e) {
      throw Stores.unwritable(target.toString(), e);
    }
  }

  /** Removes a visible file; nothing happens if there is none. */
  public void remove(String name) {
    Path target = new Path(folder, name);
    try {
      fs.delete(target, false);
    } catch (IOException e) {
      throw Stores.unwritable(target.toString(), e);
    }
  }

  /** Removes the staging folder, and the folder itself if it is new and nothing else is in it. */
  public void end() {
    try {
      fs.delete(staging, true);
      if (!existed && names().isEmpty()) {
        fs.delete(folder, false);
      }
    } catch (IOException e) {
      throw Stores.unwritable(address(), e);
    }
  }
}
