package dev.reweave.sql;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.checkpoint.reading.Reading;
import dev.reweave.common.Location;
import dev.reweave.plan.prepare.MappingChoice;
import dev.reweave.plan.prepare.Renaming;
import dev.reweave.spark.Cluster;
import dev.reweave.spark.Shared;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.StoredLayout;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The tensors that an address holds, with their names in the result and their places. */
public final class TensorListing {
  private static final String SAFETENSORS = ".safetensors";

  /**
   * The one file that holds a tensor as such, not in partitions, slices or chunks.
   *
   * @param file its path in the folder that was named
   * @param range where the elements lie in it; empty where they are not one after another
   */
  public record Place(String file, Optional<Range> range) {}

  /**
   * Bytes {@code [from, to)}: of a safetensors file behind its header, as the {@code data_offsets}
   * there; of every other file from its start.
   */
  public record Range(long from, long to) {}

  private final Location address;
  private final Checkpoint checkpoint;
  private final List<NamedTensor> tensors;
  private final Map<Integer, Long> dataStarts = new HashMap<>();

  /**
   * @param all what lies in the files of the checkpoint
   */
  private TensorListing(
      Location address, Checkpoint checkpoint, Checkpoint all, List<NamedTensor> tensors) {
    this.address = address;
    this.checkpoint = checkpoint;
    this.tensors = tensors;
    for (NamedTensor tensor : all.tensors()) {
      if (tensor.layout() instanceof StoredLayout stored && isSafetensors(stored)) {
        // The first tensor begins where the header ends: readers refuse files with a gap there.
        dataStarts.merge(stored.storage().file(), stored.storage().position(), Math::min);
      }
    }
  }

  /**
   * Reads metadata alone, in Spark tasks where there are many files.
   *
   * @throws dev.reweave.common.ReweaveException if there is no checkpoint, or the mapping does not
   *     fit it
   */
  public static TensorListing read(
      Cluster cluster,
      Stores stores,
      Location address,
      ReadOptions reading,
      MappingChoice mapping) {
    Shared<Stores> shared = cluster.share(stores);
    try {
      ReadOptions options = Renaming.reading(stores, reading, mapping);
      Reading found =
          new CheckpointReader(stores, cluster.scanner(shared)).reading(address, options);
      Checkpoint checkpoint = found.read(options);
      // Of an adapter and its model the first tensor of a file may be the other's.
      boolean isPart = options.adapter().isMade() || checkpoint.adapter().isPresent();
      Checkpoint all =
          isPart
              ? found.read(options.ofAllParts().withNames(ReadOptions.Names.AS_SAVED))
              : checkpoint;
      Renaming renaming = Renaming.of(stores, checkpoint, mapping);
      return new TensorListing(address, checkpoint, all, renaming.tensors());
    } finally {
      shared.close();
    }
  }

  /** The saved step; empty where there is none. */
  public String tag() {
    return checkpoint.source().tag();
  }

  /** The files that layouts point into. */
  public List<InputFile> files() {
    return checkpoint.files();
  }

  /** The tensors in the checkpoint's order; of several names of one tensor, one. */
  public List<NamedTensor> tensors() {
    return tensors;
  }

  /** Where a tensor lies; empty where it is made of several. */
  public Optional<Place> place(NamedTensor tensor) {
    if (!(tensor.layout() instanceof StoredLayout stored)) {
      return Optional.empty();
    }
    Optional<Range> range = Optional.empty();
    if (stored.isContiguous()) {
      long start = dataStarts.getOrDefault(stored.storage().file(), 0L);
      long from = stored.storage().position() + stored.offset() * stored.dtype().bytes() - start;
      range = Optional.of(new Range(from, from + tensor.spec().bytes()));
    }
    return Optional.of(new Place(path(stored), range));
  }

  private InputFile file(StoredLayout stored) {
    return checkpoint.files().get(stored.storage().file());
  }

  private boolean isSafetensors(StoredLayout stored) {
    return file(stored).name().endsWith(SAFETENSORS);
  }

  private String path(StoredLayout stored) {
    InputFile file = file(stored);
    return address.holds(file.location()) && !address.equals(file.location())
        ? address.pathTo(file.location())
        : file.name();
  }
}
