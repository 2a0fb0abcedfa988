package dev.reweave.checkpoint.reading;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.Contents;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.Location;
import dev.reweave.storage.InputFile;
import java.util.List;
import java.util.Optional;

/**
 * The one file of a step in which a trainer's own dicts stand beside the model, where one of them
 * is asked for by its key.
 *
 * @param file the same, as what it is when it is named by itself
 */
record StateFile(Contents file) implements Contents {
  @Override
  public String name() {
    return file.name();
  }

  @Override
  public Location address() {
    return file.address();
  }

  @Override
  public List<InputFile> files(Optional<String> wanted) {
    return file.files(Optional.empty());
  }

  @Override
  public Checkpoint read(ReadOptions options) {
    return file.read(options.with(ReadOptions.TAG, Optional.empty()));
  }
}
