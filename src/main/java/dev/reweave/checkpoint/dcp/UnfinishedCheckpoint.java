package dev.reweave.checkpoint.dcp;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.Contents;
import dev.reweave.checkpoint.Place;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.Location;
import dev.reweave.storage.InputFile;
import java.util.List;
import java.util.Optional;

/** Chunks of tensors without {@code .metadata}, which torch writes when all chunks are there. */
record UnfinishedCheckpoint(Place place) implements Contents {
  @Override
  public String name() {
    return place.name();
  }

  @Override
  public Location address() {
    return place.address();
  }

  @Override
  public List<InputFile> files(Optional<String> wanted) {
    return place.listing().files().stream().filter(f -> DcpFolder.holdsChunks(f.name())).toList();
  }

  @Override
  public Checkpoint read(ReadOptions options) {
    throw DcpFailures.unfinished(place.address().uri());
  }
}
