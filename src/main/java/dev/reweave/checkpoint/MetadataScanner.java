package dev.reweave.checkpoint;

import dev.reweave.pytorch.TorchFile;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.RandomAccess;
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

  /** Takes what is needed from a file that is not, as a whole, what torch.save wrote. */
  interface RawProbe<T extends Serializable> extends Serializable {
    /**
     * Extracts facts.
     *
     * @param access opened for as long as the call lasts
     * @param index of the file in the checkpoint's list of files
     */
    T read(RandomAccess access, int index) throws IOException;
  }

  /** A file to read, with its index in the checkpoint's list of files, and what to take from it. */
  record Request<T extends Serializable>(InputFile file, int index, RawProbe<T> probe)
      implements Serializable {
    /** A request for a torch file. */
    public Request(InputFile file, int index, Probe<T> probe) {
      this(file, index, (RawProbe<T>) (access, i) -> probe.read(TorchFile.read(access, i)));
    }
  }

  /** Answers in the order of the requests. */
  <T extends Serializable> List<T> scan(List<Request<T>> requests);
}
