package dev.reweave.checkpoint.dcp;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.FileContents;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.storage.InputFile;

/** One file of a distributed checkpoint that was named by itself. */
record PartOfCheckpoint(InputFile file) implements FileContents {
  @Override
  public Checkpoint read(ReadOptions options) {
    throw DcpFailures.partOfCheckpoint(file.name(), file.uri(), file.folder().uri());
  }
}
