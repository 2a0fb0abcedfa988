package dev.reweave.checkpoint.dcp;

import dev.reweave.storage.MetadataScanner;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.ReadRange;
import dev.reweave.storage.Recall;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads some elements of a file.
 *
 * @param spans in the order of their positions
 */
record BucketProbe(List<Span> spans) implements MetadataScanner.Probe<BucketProbe.Found> {
  /** Bytes of the file. */
  record Span(long position, int length) implements Serializable {}

  /** The bytes of each. */
  record Found(List<byte[]> bytes) implements Serializable {}

  @Override
  public Found read(RandomAccess access, int index, Recall recall) throws IOException {
    List<byte[]> all = new ArrayList<>(spans.size());
    List<ReadRange> ranges = new ArrayList<>(spans.size());
    for (Span span : spans) {
      byte[] bytes = new byte[span.length()];
      all.add(bytes);
      ranges.add(new ReadRange(span.position(), bytes, 0, bytes.length));
    }
    access.readFully(ranges);
    return new Found(all);
  }
}
