package dev.reweave.job;

import dev.reweave.plan.Chunk;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.PlannedFile;
import dev.reweave.plan.Segment;
import dev.reweave.storage.ChunkSink;
import dev.reweave.storage.Part;
import dev.reweave.storage.PartReceipt;
import dev.reweave.storage.StagedFile;
import dev.reweave.storage.Stores;
import java.io.IOException;
import java.util.List;

/**
 * Makes one chunk of one file, a window of a few megabytes after another: gathers the elements of
 * all tensors in the window, casts them, writes them. Needs the same memory for every chunk,
 * whatever the size of chunk, tensor and model.
 */
final class ChunkTask {
  private final Stores stores;
  private final ConversionPlan.Work work;
  private final Chunk chunk;
  private final PlannedFile file;
  private final List<Integer> before;
  private final Measuring measuring;

  /**
   * A task for one chunk.
   *
   * @param before what the file's other chunks add to the CRC-32 of each of its segments; empty if
   *     this chunk does not need it
   */
  ChunkTask(
      Stores stores,
      ConversionPlan.Work work,
      Chunk chunk,
      List<Integer> before,
      Measuring measuring) {
    this.stores = stores;
    this.work = work;
    this.chunk = chunk;
    this.file = work.files().get(chunk.file());
    this.before = before;
    this.measuring = measuring;
  }

  /** Writes the chunk. */
  ChunkResult run(StagedFile target) {
    Part part = new Part(chunk.number(), chunk.from(), chunk.length());
    try (ChunkSink sink = target.open(stores, part)) {
      return run(sink);
    } catch (IOException e) {
      throw Stores.unwritable(target.target(), e);
    }
  }

  /** Does all but write. */
  ChunkResult tryOut() {
    try (ChunkSink sink = new Nowhere(chunk.number())) {
      return run(sink);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private record Nowhere(int number) implements ChunkSink {
    @Override
    public void write(byte[] data, int offset, int length) {
      // That is the point.
    }

    @Override
    public PartReceipt commit() {
      return new PartReceipt(number, "");
    }

    @Override
    public void close() {
      // Nothing is open.
    }
  }

  private ChunkResult run(ChunkSink sink) throws IOException {
    ReadTally tally = new ReadTally();
    ReadTally proofTally = new ReadTally();
    try (OpenFiles files = new OpenFiles(stores, work.sources());
        OpenFiles second = new OpenFiles(stores, work.second())) {
      Proof proof = new Proof(file, new Gather(second, proofTally));
      Window window = new Window(chunk, file, new Gather(files, tally), proof, sink, measuring);
      fill(window);
      window.flush();
      PartReceipt receipt = sink.commit();
      return new ChunkResult(
          chunk,
          receipt,
          window.crc32c(),
          window.tensors(),
          tally.shares(),
          tally.bytes() + proofTally.bytes(),
          tally.requests() + proofTally.requests());
    }
  }

  private void fill(Window window) throws IOException {
    for (int s = file.segmentAt(chunk.from()); s < file.segments().size(); s++) {
      Segment segment = file.segments().get(s);
      long begin = file.position(s);
      if (begin >= chunk.to()) {
        return;
      }
      long from = Math.max(begin, chunk.from()) - begin;
      long to = Math.min(begin + segment.length(), chunk.to()) - begin;
      if (segment instanceof Segment.Literal literal) {
        window.add(literal, (int) from, (int) to);
      } else if (segment instanceof Segment.Woven woven) {
        window.add(
            s, woven, from / woven.spec().dtype().bytes(), to / woven.spec().dtype().bytes());
      } else if (segment instanceof Segment.Tail tail) {
        window.flush();
        byte[] bytes = tail.bytes(window.crc32OfSegments(before));
        window.add(new Segment.Literal(bytes), (int) from, (int) to);
      }
    }
  }
}
