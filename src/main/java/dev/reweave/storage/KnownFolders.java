package dev.reweave.storage;

import dev.reweave.common.Location;
import dev.reweave.storage.Stores.Listing;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/**
 * Folders as they were when they were first listed: a store whose answers come late is asked once
 * for what is in them, and who looks twice sees one state. For all threads at once.
 */
final class KnownFolders {
  /** Keeps nothing, for stores that answer at once. */
  static final KnownFolders NONE = new KnownFolders(false);

  private final Map<Location, Listing> listings = new ConcurrentHashMap<>();
  private final boolean keeps;

  private KnownFolders(boolean keeps) {
    this.keeps = keeps;
  }

  /** Knows no folder yet. */
  static KnownFolders begin() {
    return new KnownFolders(true);
  }

  /** What a folder holds; asked for if it is not known. */
  Listing list(Location folder, Function<Location, Listing> asking) {
    Listing known = listings.get(folder);
    if (known == null) {
      known = asking.apply(folder);
      if (keeps) {
        listings.put(folder, known);
      }
    }
    return known;
  }

  /** The file at an address; empty if it is a folder, or what it is in is not known. */
  Optional<InputFile> file(Location address) {
    return around(address)
        .flatMap(
            listing ->
                listing.files().stream().filter(f -> f.location().equals(address)).findFirst());
  }

  /** Whether an address is known for a folder. */
  boolean isFolder(Location address) {
    return listings.containsKey(address)
        || around(address).filter(listing -> listing.folders().contains(address)).isPresent();
  }

  private Optional<Listing> around(Location address) {
    return Optional.ofNullable(listings.get(address.parent()));
  }
}
