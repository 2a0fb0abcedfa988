package dev.reweave.storage;

import dev.reweave.common.Progress;
import java.io.IOException;
import java.io.Serializable;
import java.util.List;

/** Reads the files on threads of this process: all that is needed to look at a checkpoint. */
public final class ThreadScanner implements MetadataScanner {
  private final Stores stores;
  private final Progress progress;

  /** A scanner of files in these stores. */
  public ThreadScanner(Stores stores) {
    this(stores, new Progress());
  }

  /** The same, which tells how many it has read. */
  public ThreadScanner(Stores stores, Progress progress) {
    this.stores = stores;
    this.progress = progress;
  }

  /**
   * Reads one file, as every scanner does.
   *
   * @param recall of the scan, one on each machine
   */
  public static <T extends Serializable> T answer(
      Stores stores, Request<T> request, Recall recall) {
    try (RandomAccess access = stores.open(request.file())) {
      return request.probe().read(access, request.index(), recall);
    } catch (IOException e) {
      throw Stores.unreadable(request.file().location(), e);
    }
  }

  @Override
  public <T extends Serializable> List<T> scan(List<Request<T>> requests) {
    Recall recall = new Recall();
    try (Progress.Step step =
        progress.begin(what(requests.size()), Progress.Unit.FILES, requests.size())) {
      return ParallelCalls.answers(
          requests,
          request -> {
            T answer = answer(stores, request, recall);
            step.add(1);
            return answer;
          });
    }
  }

  /** What a scan of so many files does. */
  public static String what(int files) {
    return "read the structure of " + files + (files == 1 ? " file" : " files");
  }
}
