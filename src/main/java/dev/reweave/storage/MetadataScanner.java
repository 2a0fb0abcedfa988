package dev.reweave.storage;

import java.io.IOException;
import java.io.Serializable;
import java.util.List;

/** Reads the structure of many files at once. */
public interface MetadataScanner {

  /** Takes from one file what is needed of it; runs anywhere, so it is serializable. */
  interface Probe<T extends Serializable> extends Serializable {
    /**
     * Extracts facts.
     *
     * @param access opened for as long as the call lasts
     * @param index of the file in the checkpoint's list of files
     * @param recall what other files of the scan told on this machine
     */
    T read(RandomAccess access, int index, Recall recall) throws IOException;
  }

  /** A file to read, with its index in the checkpoint's list of files, and what to take from it. */
  record Request<T extends Serializable>(InputFile file, int index, Probe<T> probe)
      implements Serializable {}

  /** Answers in the order of the requests. */
  <T extends Serializable> List<T> scan(List<Request<T>> requests);
}
