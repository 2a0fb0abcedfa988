package dev.reweave.storage;

/** Paths of files in a folder, with {@code /} between names, that files tell of. */
public final class FolderPath {
  private FolderPath() {}

  /**
   * Whether a path leads to a place in the folder, in whichever store it is: no part of it is empty
   * or leads up, and none has what some store takes for a separator or the end of a scheme.
   */
  public static boolean isInside(String path) {
    for (String name : path.split("/", -1)) {
      if (name.isEmpty()
          || name.equals(".")
          || name.equals("..")
          || name.chars().anyMatch(c -> c == '\\' || c == ':' || Character.isISOControl(c))) {
        return false;
      }
    }
    return true;
  }
}
