package dev.reweave.soak;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.testing.S3Server;
import dev.reweave.testing.TestHdfs;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.MultipartUploader;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** All that is in a store is seen, and what uploads are open. */
class SiteTest {
  @TempDir Path temp;

  private static S3Store s3;

  @BeforeAll
  static void start() {
    s3 = S3Store.embedded(S3Server.shared(), () -> {});
  }

  private Store store(String kind) throws IOException {
    return switch (kind) {
      case "local" -> FolderStore.local(temp);
      case "hdfs" -> FolderStore.hdfs(TestHdfs.fileSystem(), () -> {});
      default -> s3;
    };
  }

  /** A file system that reaches a site as a command does. */
  private static FileSystem reaching(Site site) throws IOException {
    Configuration conf = new Configuration();
    for (String setting : site.settings()) {
      String prefix = "spark.hadoop.";
      if (setting.startsWith(prefix)) {
        int end = setting.indexOf('=');
        conf.set(setting.substring(prefix.length(), end), setting.substring(end + 1));
      }
    }
    return FileSystem.newInstance(new org.apache.hadoop.fs.Path(site.address()).toUri(), conf);
  }

  @ParameterizedTest
  @ValueSource(strings = {"local", "hdfs", "s3"})
  void hiddenFilesAndEmptyFoldersAreSeen(String kind) throws IOException {
    byte[] content = {1, 2, 3};
    Store store = store(kind);
    try (Site site = store.site("one");
        Site other = store.site("one-more");
        FileSystem fs = reaching(site)) {
      site.put(Map.of("model/a", content, "model/.reweave.lock", content, ".b.crc", content));
      other.put(Map.of("c", content));
      fs.mkdirs(new org.apache.hadoop.fs.Path(site.address() + "/model/.reweave/files"));

      Map<String, byte[]> files = site.files();

      assertEquals(
          Set.of("model/a", "model/.reweave.lock", ".b.crc", "model/.reweave/files/"),
          files.keySet());
      assertArrayEquals(content, files.get("model/a"));
      assertEquals(List.of(), site.openUploads());
      site.remove();
      assertEquals(Map.of(), site.files());
      assertEquals(Set.of("c"), other.files().keySet());
      other.remove();
    }
  }

  @Test
  void uploadsThatAreOpenAreSeenAndRemoved() throws Exception {
    try (Site site = s3.site("one");
        Site other = s3.site("two");
        FileSystem fs = reaching(site)) {
      var path = new org.apache.hadoop.fs.Path(site.address() + "/model/x.safetensors");
      try (MultipartUploader uploader = fs.createMultipartUploader(path).build()) {
        var unused = uploader.startUpload(path).get();
      }

      List<String> open = site.openUploads();
      assertEquals(1, open.size());
      assertTrue(open.get(0).startsWith("model/x.safetensors ("), open::toString);
      assertEquals(List.of(), other.openUploads());
      site.remove();
      assertEquals(List.of(), site.openUploads());
    }
  }
}
