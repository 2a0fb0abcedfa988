package dev.reweave.storage;

import java.io.IOException;
import org.apache.hadoop.fs.CommonPathCapabilities;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

/** How files are put together, from the best means to the one that every store has. */
enum StagingMeans {
  IN_PLACE,
  CONCATENATION,
  MULTIPART_UPLOAD,
  WHOLE_FILES;

  /** By what the store says that it can do, not by its scheme. */
  static StagingMeans of(FileSystem fs, Path folder) {
    if (fs instanceof RawLocalFileSystem) {
      return IN_PLACE;
    }
    try {
      if (fs.hasPathCapability(folder, CommonPathCapabilities.FS_CONCAT)) {
        return CONCATENATION;
      }
      return fs.hasPathCapability(folder, CommonPathCapabilities.FS_MULTIPART_UPLOADER)
          ? MULTIPART_UPLOAD
          : WHOLE_FILES;
    } catch (IOException e) {
      throw Stores.unreadable(Stores.location(folder), e);
    }
  }

  /** How the parts must be cut. */
  PartRule partRule() {
    return switch (this) {
      case IN_PLACE -> PartRule.FREE;
      case CONCATENATION -> PartRule.CONCATENATED;
      case MULTIPART_UPLOAD -> PartRule.MULTIPART;
      case WHOLE_FILES -> PartRule.WHOLE;
    };
  }
}
