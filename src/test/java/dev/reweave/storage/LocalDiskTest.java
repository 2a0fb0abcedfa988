package dev.reweave.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LocalDiskTest {
  private static final String MODE = "unix:mode";

  @TempDir Path temp;

  private static FileSystem disk(Path path, String mask) {
    Configuration conf = new Configuration();
    conf.set("fs.permissions.umask-mode", mask);
    conf.setBoolean("fs.file.impl.disable.cache", true);
    FileSystem disk = FileSystems.of(new org.apache.hadoop.fs.Path(path.toUri()), conf);
    assertInstanceOf(LocalDisk.class, disk);
    return disk;
  }

  private static int mode(Path path) throws IOException {
    return (Integer) Files.getAttribute(path, MODE) & 07777;
  }

  private static void write(FileSystem disk, Path file) throws IOException {
    try (var out = disk.create(new org.apache.hadoop.fs.Path(file.toUri()), true)) {
      out.write("text".getBytes(StandardCharsets.UTF_8));
    }
  }

  @Test
  void modesFollowTheMaskOfHadoop() throws IOException {
    FileSystem disk = disk(temp, "027");

    disk.mkdirs(new org.apache.hadoop.fs.Path(temp.resolve("a/b").toUri()));
    write(disk, temp.resolve("a/file"));

    assertEquals(0750, mode(temp.resolve("a")));
    assertEquals(0750, mode(temp.resolve("a/b")));
    assertEquals(0640, mode(temp.resolve("a/file")));
  }

  @Test
  void aFolderOfAGroupHandsTheGroupOn() throws IOException {
    Path shared = Files.createDirectory(temp.resolve("shared"));
    Files.setAttribute(shared, MODE, 02775);
    FileSystem disk = disk(temp, "022");

    disk.mkdirs(new org.apache.hadoop.fs.Path(shared.resolve("model").toUri()));

    assertEquals(02755, mode(shared.resolve("model")));
  }

  @Test
  void noProcessIsStartedForAFile() throws Exception {
    FileSystem disk = disk(temp, "077");
    Path told = temp.resolve("told.jfr");
    try (Recording recording = new Recording()) {
      recording.enable("jdk.ProcessStart");
      recording.start();
      write(disk, temp.resolve("file"));
      new ProcessBuilder("true").start().waitFor();
      recording.stop();
      recording.dump(told);
    }

    List<String> started =
        RecordingFile.readAllEvents(told).stream()
            .map((RecordedEvent event) -> event.getString("command"))
            .toList();
    assertEquals(List.of("true"), started);
    assertEquals(0600, mode(temp.resolve("file")));
  }

  /** What somebody has put in the place of Hadoop's own class. */
  static final class Chosen extends RawLocalFileSystem {}

  @Test
  void anotherClassForLocalFilesStays() throws IOException {
    RawLocalFileSystem chosen = new Chosen();
    LocalFileSystem local = new LocalFileSystem(chosen);

    assertSame(
        chosen, LocalDisk.of((RawLocalFileSystem) local.getRawFileSystem(), new Configuration()));
  }
}
