package dev.reweave.checkpoint;

import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.MetadataScanner;
import dev.reweave.storage.Stores;
import java.util.List;
import java.util.Optional;

/**
 * An address at which checkpoints are looked for.
 *
 * @param scanner what reads many files at once
 * @param address in full
 * @param file what the address names, if that is a file
 * @param listing what is directly in it, if it is a folder
 */
public record Place(
    Stores stores,
    MetadataScanner scanner,
    Location address,
    Optional<InputFile> file,
    Stores.Listing listing) {

  /**
   * What an address names.
   *
   * @throws ReweaveException if there is nothing
   */
  public static Place at(Stores stores, MetadataScanner scanner, Location address) {
    Optional<InputFile> file = stores.file(address);
    Stores.Listing listing =
        file.isPresent() ? new Stores.Listing(List.of(), List.of()) : stores.list(address);
    return new Place(stores, scanner, address, file, listing);
  }

  /** A folder in the same stores. */
  public Place folder(Location folder) {
    return at(stores, scanner, folder);
  }

  /** The last part of the address. */
  public String name() {
    return address.name();
  }
}
