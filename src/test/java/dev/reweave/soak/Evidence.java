package dev.reweave.soak;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What is known of a round, and is written to a folder if something was wrong. */
final class Evidence {
  private final Path folder;
  private final Path work;
  private final List<String> notes = new ArrayList<>();
  private final Map<String, Map<String, byte[]>> kept = new TreeMap<>();

  /**
   * Nothing yet.
   *
   * @param folder to which it is written
   * @param work where logs are meanwhile
   * @param repeat the command that repeats the round
   */
  Evidence(Path folder, Path work, String repeat) throws IOException {
    this.folder = folder;
    this.work = Files.createDirectories(work);
    notes.add("again: " + repeat);
  }

  void note(String line) {
    notes.add(line);
  }

  Path log(String of) {
    return work.resolve(of + ".log");
  }

  /** Keeps all files of a site. */
  void keep(String moment, Map<String, byte[]> files) {
    kept.put(moment, files);
  }

  /** Writes it, with what was wrong first. */
  void write(List<String> failures) throws IOException {
    Files.createDirectories(folder);
    List<String> lines = new ArrayList<>(failures);
    lines.add("");
    lines.addAll(notes);
    Files.write(folder.resolve("what.txt"), lines);
    for (Map.Entry<String, Map<String, byte[]>> moment : kept.entrySet()) {
      write(folder.resolve(moment.getKey()), moment.getValue());
    }
    for (String log : List.of("first", "second")) {
      if (Files.exists(log(log))) {
        Files.write(folder.resolve(log + ".log"), Files.readAllBytes(log(log)));
      }
    }
  }

  private static void write(Path to, Map<String, byte[]> files) throws IOException {
    for (Map.Entry<String, byte[]> file : files.entrySet()) {
      Path path = to.resolve(file.getKey());
      if (file.getKey().endsWith("/")) {
        Files.createDirectories(path);
      } else {
        Files.createDirectories(path.getParent());
        Files.write(path, file.getValue());
      }
    }
  }
}
