package dev.reweave.storage;

/** Paths of files in a folder, with {@code /} between names, that files tell of. */
public final class FolderPath {
  private FolderPath() {}

  /**
   * Whether a path leads to a place in the folder: no part of it is empty, leads up or has a NUL.
   * Whatever else a name has may stand in the name of a file.
   */
  public static boolean isInside(String path) {
    for (String name : path.split("/", -1)) {
      if (name.isEmpty() || name.equals(".") || name.equals("..") || name.indexOf(0) >= 0) {
        return false;
      }
    }
    return true;
  }
}
