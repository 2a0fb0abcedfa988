package dev.reweave.checkpoint;

import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.StorageRef;
import dev.reweave.tensor.StoredLayout;
import java.util.List;
import java.util.Optional;

/** Copies that several ranks saved of one tensor. */
public final class StoredCopies {
  private StoredCopies() {}

  /** Whether the checksums in the files say so, of storages that hold nothing else. */
  public static boolean areSame(List<NamedTensor> copies) {
    Optional<StorageRef> first = only(copies.get(0));
    return first.isPresent()
        && copies.stream()
            .allMatch(
                copy ->
                    copy.spec().equals(copies.get(0).spec())
                        && only(copy).filter(s -> same(s, first.get())).isPresent());
  }

  private static boolean same(StorageRef a, StorageRef b) {
    return a.crc32() == b.crc32() && a.order() == b.order() && a.elements() == b.elements();
  }

  /** The storage of a tensor that holds nothing else and has a checksum. */
  public static Optional<StorageRef> only(NamedTensor tensor) {
    return tensor.layout() instanceof StoredLayout stored
            && stored.isContiguous()
            && stored.storage().hasCrc()
            && stored.storage().elements() == stored.elements()
        ? Optional.of(stored.storage())
        : Optional.empty();
  }
}
