package dev.reweave.storage;

import java.io.IOException;
import java.util.List;

/** The same file with another limit of its structure. */
record LimitedAccess(RandomAccess whole, MetadataLimit limit) implements RandomAccess {
  @Override
  public InputFile file() {
    return whole.file();
  }

  @Override
  public void readFully(long position, byte[] buffer, int offset, int length) throws IOException {
    whole.readFully(position, buffer, offset, length);
  }

  @Override
  public void readFully(List<ReadRange> ranges) throws IOException {
    whole.readFully(ranges);
  }

  @Override
  public void rest() {
    whole.rest();
  }

  @Override
  public int stride() {
    return whole.stride();
  }

  @Override
  public long repeatedReads() {
    return whole.repeatedReads();
  }

  @Override
  public void close() throws IOException {
    whole.close();
  }
}
