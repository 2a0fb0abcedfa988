package dev.reweave.checkpoint;

import dev.reweave.common.Location;
import dev.reweave.storage.InputFile;
import java.util.List;
import java.util.Optional;

/** A model, or what could be taken for one, in a file of its own. */
public interface FileContents extends Contents {
  /** The file. */
  InputFile file();

  @Override
  default String name() {
    return file().name();
  }

  @Override
  default Location address() {
    return file().location();
  }

  @Override
  default List<InputFile> files(Optional<String> wanted) {
    return List.of(file());
  }
}
