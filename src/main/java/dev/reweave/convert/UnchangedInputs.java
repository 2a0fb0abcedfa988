package dev.reweave.convert;

import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Notices that somebody wrote to the input while it was converted: its bytes are of two states
 * then, and no checksum need tell. All folders are listed once more for that.
 */
final class UnchangedInputs {
  private final Stores stores;
  private final List<InputFile> before;

  /**
   * Watches files.
   *
   * @param before all that the conversion reads, as the first listing showed it
   */
  UnchangedInputs(Stores stores, Collection<InputFile> before) {
    this.stores = stores;
    this.before = List.copyOf(before);
  }

  /**
   * Compares with what is there now.
   *
   * @throws ReweaveException if a file is gone, or has another size, time or ETag
   */
  void require() {
    change()
        .ifPresent(
            change -> {
              throw change;
            });
  }

  private Optional<ReweaveException> change() {
    Map<Location, InputFile> now =
        stores.present(before.stream().map(InputFile::location).toList());
    List<InputFile> changed =
        before.stream().filter(file -> difference(file, now).isPresent()).toList();
    if (changed.isEmpty()) {
      return Optional.empty();
    }
    InputFile first = changed.get(0);
    int more = changed.size() - 1;
    return Optional.of(
        ConversionFailures.inputChanged(difference(first, now).orElseThrow(), first.uri(), more));
  }

  /**
   * What to tell of a run that failed: that the input was changed, if it was, since all else may
   * follow from that.
   */
  RuntimeException cause(RuntimeException failure) {
    try {
      Optional<ReweaveException> change = change();
      if (change.isPresent()) {
        change.get().addSuppressed(failure);
        return change.get();
      }
    } catch (ReweaveException e) {
      // The store does not tell, and that is not what went wrong first.
      failure.addSuppressed(e);
    }
    return failure;
  }

  private static Optional<String> difference(InputFile before, Map<Location, InputFile> present) {
    InputFile now = present.get(before.location());
    if (now == null) {
      return Optional.of("a file is gone");
    }
    if (now.length() != before.length()) {
      return Optional.of("a file has " + now.length() + " bytes and had " + before.length());
    }
    boolean named = !now.etag().isEmpty() && !before.etag().isEmpty();
    if (named && !now.etag().equals(before.etag())) {
      return Optional.of("a file has ETag " + now.etag() + " and had " + before.etag());
    }
    // Listings of object stores have milliseconds where the answer for one object has seconds.
    long unit = named ? Duration.ofSeconds(1).toMillis() : 1;
    if (now.modified() / unit != before.modified() / unit) {
      return Optional.of(
          "a file was modified at "
              + Instant.ofEpochMilli(now.modified())
              + " and was of "
              + Instant.ofEpochMilli(before.modified()));
    }
    return Optional.empty();
  }
}
