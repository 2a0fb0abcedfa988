package dev.reweave.gather;

import dev.reweave.common.ReweaveException;
import dev.reweave.plan.Chunk;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.Measuring;
import dev.reweave.plan.PlannedFile;
import dev.reweave.plan.Segment;
import dev.reweave.storage.ChunkSink;
import dev.reweave.storage.Part;
import dev.reweave.storage.PartReceipt;
import dev.reweave.storage.ReadLimit;
import dev.reweave.storage.StagedFile;
import dev.reweave.storage.Stores;
import dev.reweave.storage.TokenBucket;
import dev.reweave.tensor.Layout;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * Makes one chunk of one file, a window of a few megabytes after another: gathers the elements of
 * all tensors in the window, casts them, writes them. Needs the same memory for every chunk,
 * whatever the size of chunk, tensor and model.
 */
public final class ChunkTask {
  private final Stores stores;
  private final ConversionPlan.Work work;
  private final Chunk chunk;
  private final PlannedFile file;
  private final List<Integer> before;
  private final ReadLimit limit;
  private final Measuring measuring;
  private final String attempt;

  /**
   * A task for one chunk.
   *
   * @param before what the file's other chunks add to the CRC-32 of each of its segments; empty if
   *     this chunk does not need it
   * @param attempt which attempt this is and where, for messages; can be empty
   */
  public ChunkTask(
      Stores stores,
      ConversionPlan.Work work,
      Chunk chunk,
      List<Integer> before,
      ReadLimit limit,
      Measuring measuring,
      String attempt) {
    this.stores = stores;
    this.work = work;
    this.chunk = chunk;
    this.file = work.files().get(chunk.file());
    this.before = before;
    this.limit = limit;
    this.measuring = measuring;
    this.attempt = attempt;
  }

  /** Bytes of all buffers of a task of this plan, beside what waits for the output's store. */
  public static long bufferBytes(Stores stores, ConversionPlan plan) {
    boolean besides = anyTensor(plan, layout -> layout.besides() > 0);
    boolean sums = anyTensor(plan, layout -> layout.summedOn().isPresent());
    return Window.bufferBytes(panes(stores, plan.work()), besides)
        + (sums ? Factors.MOST_BYTES : 0);
  }

  private static boolean anyTensor(ConversionPlan plan, Predicate<Layout> is) {
    return plan.shards().stream()
        .flatMap(shard -> shard.tensors().stream())
        .anyMatch(tensor -> is.test(tensor.layout()));
  }

  /** Some are read while one is cast: where that is no wait, it would only take memory. */
  private static int panes(Stores stores, ConversionPlan.Work work) {
    return OpenFiles.areFar(stores, work.sources()) ? Window.FAR_PANES : 1;
  }

  /**
   * Writes the chunk.
   *
   * @param meter takes the bytes that are made, as they are
   */
  public ChunkResult run(StagedFile target, LongConsumer meter) {
    Part part = new Part(chunk.number(), chunk.from(), chunk.length());
    return attempt(
        () -> {
          try (ChunkSink sink = target.open(stores, part)) {
            return run(new Metered(sink, meter));
          } catch (IOException e) {
            throw Stores.unwritable(target.target(), e);
          }
        },
        chunk.length());
  }

  /**
   * Does all but write.
   *
   * @param meter takes the bytes that are made, as they are
   */
  public ChunkResult tryOut(LongConsumer meter) {
    return attempt(
        () -> {
          try (ChunkSink sink = new Nowhere(chunk.number())) {
            return run(new Metered(sink, meter));
          } catch (IOException e) {
            throw new IllegalStateException(e);
          }
        },
        0);
  }

  /** Counts what became of the work, and tells what it was if it failed. */
  private ChunkResult attempt(Supplier<ChunkResult> work, long bytesWritten) {
    boolean done = false;
    try {
      ChunkResult result = work.get();
      ExecutorMetrics.add(result, bytesWritten);
      done = true;
      return result;
    } catch (ReweaveException e) {
      throw new ReweaveException(
          e.kind(), e.problem(), e.place() + ", while " + whatAndWhere(), e.remedy(), e);
    } finally {
      if (!done) {
        ExecutorMetrics.addFailed();
      }
    }
  }

  private String whatAndWhere() {
    String what =
        "making bytes " + chunk.from() + " to " + chunk.to() + " of " + file.path() + tensors();
    return attempt.isEmpty() ? what : what + ", " + attempt;
  }

  /** The first and the last tensor of the chunk. */
  private String tensors() {
    List<String> names = new ArrayList<>();
    for (int s = file.segmentAt(chunk.from()); s < file.segments().size(); s++) {
      if (file.position(s) >= chunk.to()) {
        break;
      }
      if (file.segments().get(s) instanceof Segment.OfTensor ofTensor && ofTensor.length() > 0) {
        names.add(ofTensor.spec().name());
      }
    }
    if (names.isEmpty()) {
      return "";
    }
    String first = names.get(0);
    String last = names.get(names.size() - 1);
    return " (" + (first.equals(last) ? "tensor " + first : first + " to " + last) + ")";
  }

  /** Tells how many bytes went through. */
  private record Metered(ChunkSink sink, LongConsumer meter) implements ChunkSink {
    @Override
    public void write(byte[] data, int offset, int length) throws IOException {
      sink.write(data, offset, length);
      meter.accept(length);
    }

    @Override
    public List<PartReceipt> commit() throws IOException {
      return sink.commit();
    }

    @Override
    public void close() throws IOException {
      sink.close();
    }
  }

  private record Nowhere(int number) implements ChunkSink {
    @Override
    public void write(byte[] data, int offset, int length) {
      // That is the point.
    }

    @Override
    public List<PartReceipt> commit() {
      return List.of(new PartReceipt(number, ""));
    }

    @Override
    public void close() {
      // Nothing is open.
    }
  }

  private ChunkResult run(ChunkSink sink) throws IOException {
    ReadTally tally = new ReadTally();
    ReadTally proofTally = new ReadTally();
    TokenBucket bucket = limit.bucket();
    try (OpenFiles files = new OpenFiles(stores, work.sources(), bucket);
        OpenFiles second = new OpenFiles(stores, work.second(), bucket)) {
      Gather masters = new Gather(files, proofTally);
      Gather copies = new Gather(second, proofTally);
      Proof proof = new Proof(file, masters, copies);
      int panes = panes(stores, work);
      Factors factors = new Factors(files, tally);
      Window window =
          new Window(
              chunk, file, () -> new Gather(files, tally, factors), panes, proof, sink, measuring);
      fill(window);
      window.finish();
      window.release();
      masters.release();
      copies.release();
      List<PartReceipt> receipts = sink.commit();
      return new ChunkResult(
          chunk,
          receipts,
          window.crc32c(),
          window.tensors(),
          new Reads(
              tally.shares(),
              tally.bytes() + proofTally.bytes(),
              tally.requests() + proofTally.requests(),
              files.repeatedReads() + second.repeatedReads(),
              files.waits()),
          window.elementsCast());
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
      } else if (segment instanceof Segment.OfTensor ofTensor) {
        window.add(
            s,
            ofTensor,
            ofTensor.from() + from / ofTensor.spec().dtype().bytes(),
            ofTensor.from() + to / ofTensor.spec().dtype().bytes());
      } else if (segment instanceof Segment.ItemEnd end) {
        window.add(end);
      } else if (segment instanceof Segment.Tail tail) {
        window.drain();
        byte[] bytes = tail.bytes(window.crc32OfSegments(before));
        window.add(new Segment.Literal(bytes), (int) from, (int) to);
      }
    }
  }
}
