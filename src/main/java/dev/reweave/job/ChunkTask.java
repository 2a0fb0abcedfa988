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
import java.util.List;
import java.util.zip.CRC32C;

/**
 * Makes one chunk of one shard: gathers elements, casts them, writes them. Needs the same few
 * megabytes for every chunk, whatever the size of chunk, tensor and model.
 */
final class ChunkTask {
  private static final int BUFFER = 8 << 20;

  /** Bytes of all buffers: gathered and cast elements, and what is read with joined requests. */
  static final long BUFFERS = 2L * BUFFER + Gather.MOST_JOINED;

  private final Stores stores;
  private final ConversionPlan.Work work;
  private final Chunk chunk;
  private final ReadTally tally = new ReadTally();
  private final CRC32C crc = new CRC32C();
  private final byte[] in;
  private final byte[] out;
  private int filled;

  ChunkTask(Stores stores, ConversionPlan.Work work, Chunk chunk) {
    this.stores = stores;
    this.work = work;
    this.chunk = chunk;
    // A cast from 64 to 16 bits takes in four times what it gives.
    this.in = new byte[(int) Math.min(BUFFER, 4 * chunk.length())];
    this.out = new byte[(int) Math.min(BUFFER, chunk.length())];
  }

  ChunkResult run(StagedFile target) {
    PlannedShard shard = work.shards().get(chunk.shard());
    Part part = new Part(chunk.number(), chunk.from(), chunk.length());
    try (OpenFiles files = new OpenFiles(stores, work.files());
        ChunkSink sink = target.open(stores, part)) {
      Gather gather = new Gather(files, tally);
      writeHeader(shard.header(), sink);
      List<SafetensorsHeader.Entry> entries = shard.header().entries();
      for (int t = 0; t < entries.size(); t++) {
        writeTensor(shard.header(), entries.get(t), shard.layouts().get(t), gather, sink);
      }
      flush(sink);
      PartReceipt receipt = sink.commit();
      return new ChunkResult(
          chunk, receipt, (int) crc.getValue(), tally.shares(), tally.bytes(), tally.requests());
    } catch (IOException e) {
      throw Stores.unwritable(shard.fileName(), e);
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
    int size = entry.spec().dtype().bytes();
    long from = (Math.max(begin, chunk.from()) - begin) / size;
    long to = (Math.min(end, chunk.to()) - begin) / size;
    Cast cast = Cast.between(layout.dtype(), entry.spec().dtype());
    long most = Math.min(Gather.mostElements(layout), in.length / layout.dtype().bytes());
    while (from < to) {
      long wanted = Math.min(most, to - from);
      // A request for what is left of the buffer would be as dear as one for a full buffer.
      if ((out.length - filled) / size < Math.min(wanted, out.length / size / 2)) {
        flush(sink);
      }
      int elements = (int) Math.min(wanted, (out.length - filled) / size);
      if (cast.isCopy()) {
        gather.read(layout, from, from + elements, out, filled);
      } else {
        gather.read(layout, from, from + elements, in, 0);
        cast.apply(in, 0, out, filled, elements);
      }
      filled += elements * size;
      from += elements;
    }
  }

  private void flush(ChunkSink sink) throws IOException {
    crc.update(out, 0, filled);
    sink.write(out, 0, filled);
    filled = 0;
  }
}
