package dev.reweave.storage;

import dev.reweave.common.ReweaveException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The folder on a local disk that symbolic links in it may not lead out of. What was unpacked from
 * somebody else's archive can hold links to any file of this machine.
 *
 * @param named what the user named: followed, whatever it is
 * @param folders where links may lead: real paths
 */
record LinkBoundary(Path named, List<Path> folders) {
  /** The cache of the Hub keeps contents in one folder, and links to them in another. */
  private static final String SNAPSHOTS = "snapshots";

  private static final String BLOBS = "blobs";

  /** The boundary of a folder, or of the folder that a file is in; empty if there is none. */
  static Optional<LinkBoundary> of(File address) throws IOException {
    Path named = address.toPath().toAbsolutePath().normalize();
    Path folder = Files.isDirectory(named) ? named : named.getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      return Optional.empty();
    }
    Path real = folder.toRealPath();
    List<Path> folders = new ArrayList<>(List.of(real));
    blobs(real).ifPresent(folders::add);
    return Optional.of(new LinkBoundary(named, List.copyOf(folders)));
  }

  /** Where the links of {@code models--NAME/snapshots/REVISION} lead: {@code ../../blobs}. */
  private static Optional<Path> blobs(Path folder) {
    for (Path at = folder; at.getParent() != null; at = at.getParent()) {
      if (at.getParent().endsWith(SNAPSHOTS)) {
        Path blobs = at.getParent().resolveSibling(BLOBS);
        return Optional.of(blobs).filter(b -> Files.isDirectory(b) && !Files.isSymbolicLink(b));
      }
    }
    return Optional.empty();
  }

  /**
   * Refuses a file or folder that is a link to somewhere else.
   *
   * @throws ReweaveException if it is
   */
  void require(File listed) throws IOException {
    Path path = listed.toPath().toAbsolutePath().normalize();
    if (!Files.isSymbolicLink(path) || path.equals(named)) {
      return;
    }
    Path target = path.toRealPath();
    if (folders.stream().noneMatch(target::startsWith)) {
      throw StoreFailures.linkLeadsOut(target, path);
    }
  }
}
