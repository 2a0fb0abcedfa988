package dev.reweave.checkpoint.dcp;

import dev.reweave.format.pytorch.TorchFile;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.MetadataLimit;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.ReadRange;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A file of which the first and last bytes of some chunks are in memory, as all that is needed of
 * them lies there. Where one chunk ends and the next starts, one request takes both.
 */
final class ChunkEnds implements RandomAccess {
  private final RandomAccess access;
  private final TreeMap<Long, byte[]> windows = new TreeMap<>();

  private ChunkEnds(RandomAccess access) {
    this.access = access;
  }

  private record Span(long from, long to) {}

  /** Reads the ends of chunks that lie within the file. */
  static ChunkEnds read(RandomAccess access, List<StoredChunk> chunks) throws IOException {
    List<Span> spans = new ArrayList<>();
    for (StoredChunk chunk : chunks) {
      long head = Math.min(TorchFile.PART_HEAD_BYTES, chunk.length());
      long tail = Math.min(TorchFile.PART_TAIL_BYTES, chunk.length());
      spans.add(new Span(chunk.start(), chunk.start() + head));
      spans.add(new Span(chunk.end() - tail, chunk.end()));
    }
    spans.sort(Comparator.comparingLong(Span::from));
    ChunkEnds ends = new ChunkEnds(access);
    List<ReadRange> ranges = new ArrayList<>();
    for (Span span : joined(spans)) {
      byte[] bytes = new byte[Math.toIntExact(span.to() - span.from())];
      ends.windows.put(span.from(), bytes);
      ranges.add(new ReadRange(span.from(), bytes, 0, bytes.length));
    }
    access.readFully(ranges);
    return ends;
  }

  private static List<Span> joined(List<Span> spans) {
    List<Span> joined = new ArrayList<>();
    for (Span span : spans) {
      int last = joined.size() - 1;
      if (last >= 0 && span.from() <= joined.get(last).to()) {
        joined.set(
            last, new Span(joined.get(last).from(), Math.max(joined.get(last).to(), span.to())));
      } else {
        joined.add(span);
      }
    }
    return joined;
  }

  @Override
  public MetadataLimit limit() {
    return access.limit();
  }

  @Override
  public InputFile file() {
    return access.file();
  }

  @Override
  public void readFully(long position, byte[] buffer, int offset, int length) throws IOException {
    Map.Entry<Long, byte[]> window = windows.floorEntry(position);
    if (window != null && position - window.getKey() <= window.getValue().length - length) {
      int at = (int) (position - window.getKey());
      System.arraycopy(window.getValue(), at, buffer, offset, length);
    } else {
      access.readFully(position, buffer, offset, length);
    }
  }

  @Override
  public void close() {}
}
