package dev.reweave.storage;

import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.io.TempDir;

/** A store without optional features: whole files alone. */
class PlainStorageTest extends StorageContract {
  @TempDir static Path temp;

  @Override
  Configuration configuration() {
    return PlainFileSystem.configuration();
  }

  @Override
  String root() {
    return "plain:" + temp;
  }

  @Override
  Class<? extends StagedFile> kind() {
    return WholeFile.class;
  }
}
