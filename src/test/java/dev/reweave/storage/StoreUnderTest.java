package dev.reweave.storage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.testing.Locations;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.BeforeEach;

/** A folder in a store, and what tests of every store do with it. */
abstract class StoreUnderTest {
  static final String NAME = "model-00001 of 2.safetensors";
  static final int ROUNDS = 10;
  private static final int MOST_BYTES = 64 << 20;

  Stores stores;
  OutputFolder output;

  abstract Configuration configuration();

  /** Address of a folder for this class alone. */
  abstract String root();

  /** How files are put together here. */
  abstract Class<? extends StagedFile> kind();

  /** Keys of uploads that were begun and neither completed nor aborted. */
  List<String> pendingUploads() throws IOException {
    return List.of();
  }

  @BeforeEach
  void open() {
    stores = new Stores(configuration());
    output = stores.outputFolder(Locations.of(root() + "/" + UUID.randomUUID() + "/my model"));
  }

  record Complete(StagedFile file, List<PartReceipt> receipts) {}

  Complete complete(OutputFolder folder, byte[] content) throws Exception {
    folder.prepare(content.length);
    StagedFile file = folder.stage(NAME, content.length);
    List<PartReceipt> receipts = new PartWriter(stores, file, content).write(parts(content));
    folder.assemble(file, receipts);
    return new Complete(file, receipts);
  }

  /** Long enough for three parts, where a store knows parts. */
  byte[] content() {
    PartRule rule = output.partRule();
    return bytes((int) (2 * Math.max(rule.leastBytes(), 4096)) + 1234);
  }

  List<Part> parts(byte[] content) {
    return PartWriter.parts(output.partRule(), content);
  }

  static byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }

  /** An address beside the output folder. */
  String in(String name) {
    return output.address().sibling(name).uri();
  }

  InputFile put(String name, byte[] content) throws IOException {
    Path path = new Path(in(name));
    try (FSDataOutputStream out = stores.fileSystem(path).create(path, false)) {
      out.write(content);
    }
    return stores.file(Locations.of(in(name))).orElseThrow();
  }

  static List<String> names(Stores.Listing listing) {
    return listing.files().stream().map(InputFile::name).toList();
  }

  byte[] read() {
    return stores.readAll(output.file(NAME).orElseThrow(), MOST_BYTES);
  }

  void assertPublished(byte[] content) {
    assertEquals(List.of(NAME), output.names());
    assertArrayEquals(content, read());
  }

  /** All files below the folder, hidden ones too, and all uploads to it. */
  List<String> leftovers() throws IOException {
    String key = output.address().uri().replaceFirst("^\\w+://[^/]*/", "");
    List<String> left = new ArrayList<>(pendingUploads());
    left.removeIf(upload -> !upload.startsWith(key + "/"));
    Path folder = Stores.path(output.address());
    FileSystem fs = stores.fileSystem(folder);
    if (fs.exists(folder)) {
      addFiles(fs, folder, left);
    }
    left.sort(null);
    return left;
  }

  void addFiles(FileSystem fs, Path folder, List<String> found) throws IOException {
    for (FileStatus status : fs.listStatus(folder)) {
      if (status.isDirectory()) {
        addFiles(fs, status.getPath(), found);
      } else {
        found.add(output.address().pathTo(Stores.location(status.getPath())));
      }
    }
  }
}
