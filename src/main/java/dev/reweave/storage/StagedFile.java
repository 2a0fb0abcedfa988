package dev.reweave.storage;

import java.io.IOException;
import java.io.Serializable;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.util.UUID;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * One file of the output that is put together out of readers' sight. Made by the driver, sent to
 * tasks, which write its chunks; safe to write twice.
 */
public sealed interface StagedFile extends Serializable {

  /** Whether several chunks may be written at once, in any order, each through its own sink. */
  boolean takesChunks();

  /**
   * A sink for the bytes from {@code position} on.
   *
   * @param position first byte of the chunk in the file; 0 unless {@link #takesChunks()}
   */
  ChunkSink open(Stores stores, long position);

  /** A local file of its final length, written in place by position. */
  record InPlace(String address) implements StagedFile {
    @Override
    public boolean takesChunks() {
      return true;
    }

    @Override
    public ChunkSink open(Stores stores, long position) {
      try {
        java.nio.file.Path path = java.nio.file.Path.of(Stores.path(address).toUri().getPath());
        return new PositionedSink(FileChannel.open(path, StandardOpenOption.WRITE), position);
      } catch (IOException e) {
        throw Stores.unwritable(address, e);
      }
    }
  }

  /** A file of a store that knows only whole files: one stream, renamed when it is complete. */
  record Whole(String address) implements StagedFile {
    @Override
    public boolean takesChunks() {
      return false;
    }

    @Override
    public ChunkSink open(Stores stores, long position) {
      if (position != 0) {
        throw new IllegalArgumentException("a whole file is written from its start");
      }
      Path path = Stores.path(address);
      FileSystem fs = stores.fileSystem(path);
      Path attempt = path.suffix("." + UUID.randomUUID());
      try {
        return new WholeSink(fs, attempt, path, fs.create(attempt, true));
      } catch (IOException e) {
        throw Stores.unwritable(address, e);
      }
    }
  }
}
