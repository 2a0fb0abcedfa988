package dev.reweave.storage;

import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * All files in a folder and in those below it. {@code FileSystem.listFiles} would ask for the
 * permissions of every local file with a process of its own.
 */
final class FolderTree {
  /** Levels of folders in folders that are walked: fewer than the links that a disk follows. */
  private static final int MOST_DEPTH = 32;

  private final Stores stores;
  private final SortedMap<String, InputFile> files = new TreeMap<>();

  private FolderTree(Stores stores) {
    this.stores = stores;
  }

  /**
   * Files by their paths in the folder, with {@code /} between names.
   *
   * @throws ReweaveException if it is missing or may not be read, or holds what cannot be read
   */
  static SortedMap<String, InputFile> of(Stores stores, Location folder) {
    FolderTree tree = new FolderTree(stores);
    tree.add(folder, "", 0);
    return tree.files;
  }

  private void add(Location folder, String prefix, int depth) {
    if (depth > MOST_DEPTH) {
      throw StoreFailures.endlessFolders(folder);
    }
    Stores.Listing listing = stores.list(folder);
    if (!listing.lost().isEmpty()) {
      throw LocalFolder.lost(folder.uri(), listing.lost());
    }
    for (InputFile file : listing.files()) {
      stores.requireRegular(file);
      files.put(prefix + file.name(), file);
    }
    listing.folders().forEach(f -> add(f, prefix + f.name() + "/", depth + 1));
  }
}
