package dev.reweave.storage;

import dev.reweave.common.ReweaveException;
import java.io.File;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FileUtil;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

/**
 * What a folder of a local disk holds. Hadoop's own listing leaves out what it cannot reach without
 * a word.
 */
final class LocalFolder {
  /** What Java puts where the bytes of a name are none in the encoding of the machine. */
  private static final char UNKNOWN = '\uFFFD';

  private LocalFolder() {}

  /**
   * What is in a folder.
   *
   * @param statuses of the files and folders
   * @param lost names of what cannot be reached, but hidden ones: editors lock files by links to
   *     nothing
   */
  record Content(List<FileStatus> statuses, List<String> lost) {}

  /**
   * Lists a folder of any store, or the one file that is at an address.
   *
   * @throws FileNotFoundException if there is neither
   */
  static Content list(FileSystem fs, Path address) throws IOException {
    return fs instanceof RawLocalFileSystem disk
        ? list(disk, address)
        : new Content(Arrays.asList(fs.listStatus(address)), List.of());
  }

  private static Content list(RawLocalFileSystem disk, Path address) throws IOException {
    File folder = disk.pathToFile(address);
    if (!folder.isDirectory()) {
      return new Content(Arrays.asList(disk.listStatus(address)), List.of());
    }
    List<FileStatus> statuses = new ArrayList<>();
    List<String> lost = new ArrayList<>();
    for (String name : FileUtil.list(folder)) {
      try {
        statuses.add(disk.getFileStatus(new Path(address, "./" + name)));
      } catch (FileNotFoundException e) {
        // Files can go while they are listed; these stay.
        if (!name.startsWith(".") && (isUnknown(name) || isLink(folder, name))) {
          lost.add(name);
        }
      }
    }
    lost.sort(null);
    return new Content(statuses, lost);
  }

  private static boolean isUnknown(String name) {
    return name.indexOf(UNKNOWN) >= 0;
  }

  private static boolean isLink(File folder, String name) {
    return Files.isSymbolicLink(folder.toPath().resolve(name));
  }

  /** What to say when all of a folder is needed, and some of it is lost. */
  static ReweaveException lost(String folder, List<String> names) {
    Optional<String> unknown = names.stream().filter(LocalFolder::isUnknown).findFirst();
    return unknown
        .map(name -> StoreFailures.notInEncoding(name, folder))
        .orElseGet(() -> StoreFailures.looseLinks(names, folder));
  }

  /**
   * Refuses what a read could hang on, or never end.
   *
   * @throws ReweaveException if it is there but is no regular file
   */
  static void requireRegular(RawLocalFileSystem disk, Path address) {
    if (isOther(disk.pathToFile(address))) {
      throw StoreFailures.noFile(address.toString());
    }
  }

  /** Asked once: between two questions, a file can go away. */
  private static boolean isOther(File file) {
    try {
      return !Files.readAttributes(file.toPath(), BasicFileAttributes.class).isRegularFile();
    } catch (IOException | InvalidPathException e) {
      return false; // Opening it tells what is wrong.
    }
  }

  /**
   * Refuses a link that leads nowhere where a folder is to be made.
   *
   * @throws ReweaveException if it is one
   */
  static void requireNoLooseLink(RawLocalFileSystem disk, Path address) {
    File folder = disk.pathToFile(address);
    if (Files.isSymbolicLink(folder.toPath()) && !folder.exists()) {
      throw StoreFailures.looseOutput(address.toString());
    }
  }
}
