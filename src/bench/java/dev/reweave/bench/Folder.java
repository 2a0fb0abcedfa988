package dev.reweave.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** A temporary folder, made when it is first asked for. */
final class Folder {
  private Path path;

  Path path() throws IOException {
    if (path == null) {
      path = Files.createTempDirectory("reweave-bench-");
    }
    return path;
  }

  void delete() throws IOException {
    if (path != null) {
      delete(path);
    }
  }

  /** Deletes a folder and all that is in it; links are not followed. */
  static void delete(Path folder) throws IOException {
    try (Stream<Path> paths = Files.walk(folder)) {
      for (Path file : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
