package dev.reweave.checkpoint;

import dev.reweave.format.pytorch.TorchFile;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.MetadataScanner;
import java.io.IOException;
import java.io.Serializable;

/** Takes from one torch file what is needed of it; runs anywhere, so it is serializable. */
public interface TorchProbe<T extends Serializable> extends Serializable {
  /**
   * Extracts facts.
   *
   * @param file opened for as long as the call lasts
   */
  T read(TorchFile file) throws IOException;

  /**
   * A request for a torch file.
   *
   * @param index of the file in the checkpoint's list of files
   */
  static <T extends Serializable> MetadataScanner.Request<T> request(
      InputFile file, int index, TorchProbe<T> probe) {
    return new MetadataScanner.Request<>(
        file, index, (access, i, recall) -> probe.read(TorchFile.read(access, i, recall)));
  }
}
