package dev.reweave.checkpoint;

import dev.reweave.pytorch.TorchFile;
import dev.reweave.storage.InputFile;
import java.io.IOException;
import java.io.Serializable;
import java.util.List;

/** Reads the structure of many torch files at once. */
public interface MetadataScanner {

  /** Takes from one file what is needed of it; runs anywhere, so it is serializable. */
  interface Probe<T extends Serializable> extends Serializable {
    /**
     * Extracts facts.
     *
     * @param file opened for as long as the call lasts
     */
    T read(TorchFile file) throws IOException;
  }

  /** A file to read, with its index in the checkpoint's list of files, and what to take from it. */
  record Request<T extends Serializable>(InputFile file, int index, Probe<T> probe)
      implements Serializable {}

  /** Answers in the order of the requests. */
  <T extends Serializable> List<T> scan(List<Request<T>> requests);
}
