package dev.reweave.checkpoint.reading;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.CheckpointFormat;
import dev.reweave.checkpoint.Contents;
import dev.reweave.checkpoint.Place;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.LimitedScanner;
import dev.reweave.storage.MetadataScanner;
import dev.reweave.storage.Stores;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Finds out what an address holds, and reads its structure. */
public final class CheckpointReader {
  private final Stores stores;
  private final MetadataScanner scanner;
  private final List<CheckpointFormat> formats;

  /**
   * A reader of checkpoints in these stores.
   *
   * @param scanner what reads many files at once
   */
  public CheckpointReader(Stores stores, MetadataScanner scanner) {
    this(stores, scanner, CheckpointFormats.ALL);
  }

  /** A reader of these formats alone, which are asked in this order. */
  CheckpointReader(Stores stores, MetadataScanner scanner, List<CheckpointFormat> formats) {
    this.stores = stores;
    this.scanner = scanner;
    this.formats = List.copyOf(formats);
  }

  /**
   * Reads the structure of the checkpoint at an address: a folder with {@code latest}, a tag
   * folder, a folder with a model's safetensors or {@code pytorch_model.bin} files, their index, a
   * distributed checkpoint of PyTorch or a folder with several, a file of weights, or a folder with
   * one torch file. No weights are read.
   *
   * @throws ReweaveException if there is none, it is not whole, a link leads out of it, or it has
   *     names that no model can have
   */
  public Checkpoint read(Location address, ReadOptions options) {
    return reading(address, options).read(options);
  }

  /**
   * Finds out what an address holds, by names alone.
   *
   * @throws ReweaveException if there is nothing that can be read, it is not clear what is meant,
   *     or a link leads out of it
   */
  public Reading reading(Location address, ReadOptions options) {
    Stores guarded = stores.guarded(address, options.safeguards());
    MetadataScanner limited = new LimitedScanner(scanner, options.safeguards().limit());
    return Reading.of(Place.at(guarded, limited, address), formats, options);
  }

  /**
   * The files of what lies at an address: of the step that is meant, or, where that is not clear,
   * of all steps.
   *
   * @throws ReweaveException if there is no such address, or a link leads out of it
   */
  public List<InputFile> files(Location address, ReadOptions options) {
    Stores guarded = stores.guarded(address, options.safeguards());
    Place place = Place.at(guarded, scanner, address);
    Set<InputFile> files = new LinkedHashSet<>(place.listing().files());
    place.file().ifPresent(files::add);
    for (List<Contents> ofFormat : Reading.lying(place, formats)) {
      for (Contents contents : ofFormat) {
        try {
          files.addAll(contents.files(options.tag()));
          contents.step(options.tag()).ifPresent(step -> addBeside(files, place, step));
        } catch (ReweaveException e) {
          contents.steps().forEach(step -> addBeside(files, place, step));
        }
      }
    }
    return List.copyOf(files);
  }

  private static void addBeside(Set<InputFile> files, Place place, String step) {
    Location folder = place.address().child(step);
    if (place.stores().isFolder(folder)) {
      files.addAll(place.stores().list(folder).files());
    }
  }
}
