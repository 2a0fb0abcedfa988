package dev.reweave.storage;

import dev.reweave.testing.TestHdfs;
import org.apache.hadoop.conf.Configuration;

/** A real HDFS: parts are files that are concatenated. */
class HdfsStorageTest extends StorageContract {
  @Override
  Configuration configuration() {
    return TestHdfs.configuration();
  }

  @Override
  String root() {
    return TestHdfs.fileSystem().getUri() + "/contract";
  }

  @Override
  Class<? extends StagedFile> kind() {
    return ConcatenatedFile.class;
  }
}
