package dev.reweave.storage;

import dev.reweave.common.Location;
import java.io.EOFException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** A part of a file, read as if it were a file. Leaves the whole open when it is closed. */
final class PartAccess implements RandomAccess {
  private final RandomAccess whole;
  private final long start;
  private final InputFile file;

  PartAccess(RandomAccess whole, String name, long start, long length) {
    InputFile outer = whole.file();
    if (start < 0 || length < 0 || start > outer.length() - length) {
      throw new IndexOutOfBoundsException(
          "bytes " + start + " and " + length + " more of a file of " + outer.length());
    }
    this.whole = whole;
    this.start = start;
    this.file = new InputFile(new Location(outer.uri() + " " + name), length, outer.modified());
  }

  @Override
  public InputFile file() {
    return file;
  }

  @Override
  public MetadataLimit limit() {
    return whole.limit();
  }

  @Override
  public int stride() {
    return whole.stride();
  }

  @Override
  public void readFully(long position, byte[] buffer, int offset, int length) throws IOException {
    requireWithin(position, length);
    whole.readFully(start + position, buffer, offset, length);
  }

  @Override
  public void readFully(List<ReadRange> ranges) throws IOException {
    List<ReadRange> moved = new ArrayList<>();
    for (ReadRange range : ranges) {
      requireWithin(range.position(), range.length());
      moved.add(
          new ReadRange(start + range.position(), range.buffer(), range.offset(), range.length()));
    }
    whole.readFully(moved);
  }

  private void requireWithin(long position, int length) throws EOFException {
    if (position < 0 || position > file.length() - length) {
      throw new EOFException(
          "bytes " + position + " to " + (position + length) + " of a part of " + file.length());
    }
  }

  @Override
  public void close() {}
}
