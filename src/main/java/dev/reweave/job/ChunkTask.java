package dev.reweave.job;

import dev.reweave.plan.Chunk;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.PlannedShard;
import dev.reweave.safetensors.SafetensorsHeader;
import dev.reweave.storage.ChunkSink;
import dev.reweave.storage.Part;
import dev.reweave.storage.PartReceipt;
import dev.reweave.storage.StagedFile;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.Cast;
import dev.reweave.tensor.Layout;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * Makes one chunk of one shard, a window of a few megabytes after another: gathers the elements of
 * all tensors in the window, casts them, writes them. Needs the same memory for every chunk,
 * whatever the size of chunk, tensor and model.
 */
final class ChunkTask {
  private static final int BUFFER = 8 << 20;

  /** Bytes of all buffers: gathered and cast elements, and what is read with joined requests. */
  static final long BUFFERS = 2L * BUFFER + Gather.MOST_JOINED;

  /** Elements that are gathered in one type and wanted in another. */
  private record CastSlice(Cast cast, int source, int target, int elements) {}

  private final Stores stores;
  private final ConversionPlan.Work work;
  private final Chunk chunk;
  private final ReadTally tally = new ReadTally();
  private final CRC32C crc = new CRC32C();
  private final byte[] in;
  private final byte[] out;
  private final List<Gather.Slice> slices = new ArrayList<>();
  private final List<CastSlice> casts = new ArrayList<>();
  private long runs;
  private int gathered;
  private int filled;

  ChunkTask(Stores stores, ConversionPlan.Work work, Chunk chunk) {
    this.stores = stores;
    this.work = work;
    this.chunk = chunk;
    // A cast from 64 to 16 bits takes in four times what it gives.
    this.in = new byte[(int) Math.min(BUFFER, 4 * chunk.length())];
    this.out = new byte[(int) Math.min(BUFFER, chunk.length())];
  }

  ChunkResult run(StagedFile file) {
    PlannedShard shard = work.shards().get(chunk.shard());
    Part part = new Part(chunk.number(), chunk.from(), chunk.length());
    try (OpenFiles files = new OpenFiles(stores, work.files());
        ChunkSink sink = file.open(stores, part)) {
      Gather gather = new Gather(files, tally);
      writeHeader(shard.header(), sink);
      List<SafetensorsHeader.Entry> entries = shard.header().entries();
      for (int t = 0; t < entries.size(); t++) {
        writeTensor(shard.header(), entries.get(t), shard.layouts().get(t), gather, sink);
      }
      flush(gather, sink);
      PartReceipt receipt = sink.commit();
      return new ChunkResult(
          chunk, receipt, (int) crc.getValue(), tally.shares(), tally.bytes(), tally.requests());
    } catch (IOException e) {
      throw Stores.unwritable(file.target(), e);
    }
  }

  private void writeHeader(SafetensorsHeader header, ChunkSink sink) throws IOException {
    if (chunk.from() < header.dataStart()) {
      byte[] bytes = header.bytes();
      int from = (int) chunk.from();
      int to = (int) Math.min(chunk.to(), header.dataStart());
      crc.update(bytes, from, to - from);
      sink.write(bytes, from, to - from);
    }
  }

  private void writeTensor(
      SafetensorsHeader header,
      SafetensorsHeader.Entry entry,
      Layout layout,
      Gather gather,
      ChunkSink sink)
      throws IOException {
    long begin = header.dataStart() + entry.begin();
    long end = header.dataStart() + entry.end();
    int outSize = entry.spec().dtype().bytes();
    long from = (Math.max(begin, chunk.from()) - begin) / outSize;
    long to = (Math.min(end, chunk.to()) - begin) / outSize;
    Cast cast = Cast.between(layout.dtype(), entry.spec().dtype());
    int inSize = cast.isCopy() ? 0 : layout.dtype().bytes();
    while (from < to) {
      long wanted = Math.min(Gather.mostElements(layout), to - from);
      // A request for what is left of a window would be as dear as one for a full window.
      if (room(outSize, inSize) < Math.min(wanted, roomOfEmpty(outSize, inSize) / 2 + 1)
          || runs >= Gather.MOST_RUNS) {
        flush(gather, sink);
      }
      int elements = (int) Math.min(wanted, room(outSize, inSize));
      if (cast.isCopy()) {
        slices.add(new Gather.Slice(layout, from, from + elements, out, filled));
      } else {
        slices.add(new Gather.Slice(layout, from, from + elements, in, gathered));
        casts.add(new CastSlice(cast, gathered, filled, elements));
      }
      gathered += elements * inSize;
      filled += elements * outSize;
      from += elements;
      runs += elements / layout.granularity() + 1;
    }
  }

  /** Elements that still fit in the window. */
  private int room(int outSize, int inSize) {
    int room = (out.length - filled) / outSize;
    return inSize == 0 ? room : Math.min(room, (in.length - gathered) / inSize);
  }

  private int roomOfEmpty(int outSize, int inSize) {
    int room = out.length / outSize;
    return inSize == 0 ? room : Math.min(room, in.length / inSize);
  }

  private void flush(Gather gather, ChunkSink sink) throws IOException {
    gather.read(slices);
    for (CastSlice cast : casts) {
      cast.cast().apply(in, cast.source(), out, cast.target(), cast.elements());
    }
    crc.update(out, 0, filled);
    sink.write(out, 0, filled);
    slices.clear();
    casts.clear();
    runs = 0;
    gathered = 0;
    filled = 0;
  }
}
