package dev.reweave.storage;

import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * The uploads to an output. They are known by their ids: of stores that are like S3, some list
 * none, or those of one key only, and not everybody may list them.
 */
public final class OpenUploads {
  /**
   * What a store would not give up.
   *
   * @param files whose parts it keeps
   * @param failure what to say of it; empty if there is nothing
   */
  public record Kept(List<StagedFile> files, Optional<ReweaveException> failure) {
    /** All is given up. */
    static final Kept NONE = new Kept(List.of(), Optional.empty());
  }

  private record Refused(StagedFile file, IOException why) {}

  private final Stores stores;
  private final FileSystem fs;
  private final Path folder;
  private final Set<MultipartFile> begun = ConcurrentHashMap.newKeySet();

  OpenUploads(Stores stores, FileSystem fs, Path folder) {
    this.stores = stores;
    this.fs = fs;
    this.folder = folder;
  }

  MultipartFile begin(Location target, long length) throws IOException {
    MultipartFile upload = MultipartFile.begin(stores, target, length);
    begun.add(upload);
    return upload;
  }

  /** Whether the store would take parts of an upload, as far as that can be found out. */
  boolean isOpen(MultipartFile upload) {
    return UploadProbe.isOpen(fs, upload);
  }

  /**
   * Aborts what this process began, and these, and what else the store lists.
   *
   * @throws ReweaveException if the store fails otherwise than by a refusal
   */
  Kept abort(Collection<StagedFile> earlier) {
    // Of an earlier process' files no length is known.
    Map<String, StagedFile> known = new LinkedHashMap<>();
    earlier.forEach(f -> known.put(f.token(), f));
    begun.forEach(f -> known.put(f.token(), f));
    List<Refused> refused = new ArrayList<>();
    ParallelCalls.allAnswers(known.values(), this::abort).forEach(refused::addAll);
    begun.clear();
    try {
      MultipartFile.abortUnder(fs, folder);
    } catch (IOException e) {
      if (refused.isEmpty() && !StoreAnswer.refusesToListUploads(e)) {
        throw Stores.unwritable(Stores.location(folder), e);
      }
    }
    if (refused.isEmpty()) {
      return Kept.NONE;
    }
    List<StagedFile> files = refused.stream().map(Refused::file).toList();
    IOException why = refused.get(0).why();
    return new Kept(
        files, Optional.of(UploadFailures.kept(files.size(), files.get(0).target(), folder, why)));
  }

  /** Aborts all uploads to these files, as far as the store lists them and does so. */
  void abortTo(Collection<Location> targets) {
    List<StagedFile> found = new ArrayList<>();
    ParallelCalls.answers(targets, target -> UploadProbe.to(fs, target)).forEach(found::addAll);
    var unused = ParallelCalls.allAnswers(found, this::abort);
  }

  private List<Refused> abort(StagedFile upload) {
    try {
      upload.abort(stores);
      return List.of();
    } catch (IOException e) {
      return List.of(new Refused(upload, e));
    }
  }
}
