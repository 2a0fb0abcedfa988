package dev.reweave.storage;

import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.io.TempDir;

/** Local files: written in place. */
class LocalStorageTest extends StorageContract {
  @TempDir static Path temp;

  @Override
  Configuration configuration() {
    return new Configuration();
  }

  @Override
  String root() {
    return "file:" + temp;
  }

  @Override
  Class<? extends StagedFile> kind() {
    return InPlaceFile.class;
  }
}
