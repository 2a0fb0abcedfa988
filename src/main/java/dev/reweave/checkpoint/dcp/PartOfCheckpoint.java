package dev.reweave.checkpoint.dcp;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.FileContents;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;

/** One file of a distributed checkpoint that was named by itself. */
record PartOfCheckpoint(InputFile file) implements FileContents {
  @Override
  public Checkpoint read(ReadOptions options) {
    throw ReweaveException.usage(
        "this file is not a whole model, but "
            + (DcpFolder.holdsChunks(file.name())
                ? "what one rank saved of a distributed checkpoint"
                : "the description of a distributed checkpoint"),
        file.uri(),
        "name the folder with all of its files: " + file.folder());
  }
}
