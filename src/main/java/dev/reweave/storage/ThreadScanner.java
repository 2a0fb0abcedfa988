package dev.reweave.storage;

import java.io.IOException;
import java.io.Serializable;
import java.util.List;

/** Reads the files on threads of this process: all that is needed to look at a checkpoint. */
public final class ThreadScanner implements MetadataScanner {
  private final Stores stores;

  /** A scanner of files in these stores. */
  public ThreadScanner(Stores stores) {
    this.stores = stores;
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
    return ParallelCalls.answers(requests, request -> answer(stores, request, recall));
  }
}
