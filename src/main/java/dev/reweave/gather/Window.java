package dev.reweave.gather;

import dev.reweave.plan.Chunk;
import dev.reweave.plan.Measuring;
import dev.reweave.plan.PlannedFile;
import dev.reweave.plan.Segment;
import dev.reweave.storage.Checksum;
import dev.reweave.storage.ChunkSink;
import dev.reweave.tensor.Agreement;
import dev.reweave.tensor.Cast;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.TensorStatistics;
import dev.reweave.tensor.ValueFacts;
import dev.reweave.tensor.ValueHistogram;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * Collects what a few megabytes of a chunk are made of, then gathers, casts and writes them. Where
 * stores answer late there are several panes: some are read while another is collected, cast and
 * written.
 */
final class Window {
  /** Where stores answer late: two that are read have as many requests as can be made at once. */
  static final int FAR_PANES = 3;

  /** Bytes of a pane: gathered and cast elements, and what is read with joined requests. */
  private static final long PANE = 2L * Pane.BUFFER + StoredReads.MOST_JOINED;

  private final Chunk chunk;
  private final PlannedFile file;
  private final Proof proof;
  private final Supplier<Gather> gathers;
  private final ChunkSink sink;
  private final Measuring measuring;
  private final int panes;
  private final boolean needsCrc32;
  private final Deque<Pane> idle = new ArrayDeque<>();
  private final Deque<Pane> begun = new ArrayDeque<>();
  private final Map<Integer, ChunkResult.TensorShare> tensors = new TreeMap<>();
  private Pane pane;
  private long elementsCast;
  private int crc32c;

  /**
   * A window on a chunk.
   *
   * @param gathers makes what reads the elements of one pane
   * @param panes how many there are
   */
  Window(
      Chunk chunk,
      PlannedFile file,
      Supplier<Gather> gathers,
      int panes,
      Proof proof,
      ChunkSink sink,
      Measuring measuring) {
    this.chunk = chunk;
    this.file = file;
    this.proof = proof;
    this.gathers = gathers;
    this.panes = panes;
    this.sink = sink;
    this.measuring = measuring;
    this.needsCrc32 = file.needsCrc32();
    this.pane = newPane();
  }

  /**
   * Bytes of all buffers.
   *
   * @param besides whether something is read beside the elements of a tensor
   */
  static long bufferBytes(int panes, boolean besides) {
    return panes * (PANE + (besides ? Gather.MOST_BESIDE : 0));
  }

  private Pane newPane() {
    return new Pane(gathers.get(), chunk.length());
  }

  /** Adds bytes {@code [from, to)} of a literal. */
  void add(Segment.Literal literal, int from, int to) throws IOException {
    int at = from;
    while (at < to) {
      if (pane.isFull()) {
        flush();
      }
      at += pane.add(literal, at, to - at);
    }
  }

  /** Adds the end of an item, all of which lies in the chunk. */
  void add(Segment.ItemEnd end) throws IOException {
    if (!pane.add(end)) {
      flush();
      if (!pane.add(end)) {
        throw new IllegalStateException("no room for " + end.length() + " bytes of an item");
      }
    }
  }

  /** Adds elements {@code [from, to)} of a tensor. */
  void add(int segment, Segment.OfTensor ofTensor, long from, long to) throws IOException {
    Layout layout = ofTensor.layout();
    Cast cast = Cast.between(layout.dtype(), ofTensor.spec().dtype());
    long at = from;
    while (at < to) {
      long wanted = Math.min(Gather.mostElements(layout), to - at);
      if (layout.besides() > 0) {
        wanted = Math.min(wanted, Math.max(1, Gather.mostBeside(layout, Gather.MOST_BESIDE)));
        if (Gather.mostBeside(layout, Gather.MOST_BESIDE - pane.besides()) < wanted) {
          flush();
        }
      }
      // A request for what is left of a window would be as dear as one for a full window.
      if (pane.room(cast) < Math.min(wanted, pane.roomOfEmpty(cast) / 2 + 1)
          || pane.runs() >= Gather.MOST_RUNS) {
        flush();
      }
      int elements = (int) Math.min(wanted, pane.room(cast));
      pane.add(segment, ofTensor, cast, at, elements);
      at += elements;
    }
  }

  /** Has all that was added gathered, cast and written, now or when the next pane is full. */
  private void flush() throws IOException {
    pane.begin();
    begun.add(pane);
    if (begun.size() == panes) {
      write(begun.remove());
    }
    pane = idle.isEmpty() ? newPane() : idle.remove();
  }

  /** Gathers, casts and writes all that was added. */
  void drain() throws IOException {
    flush();
    while (!begun.isEmpty()) {
      write(begun.remove());
    }
  }

  private void write(Pane full) throws IOException {
    full.finish();
    byte[] out = full.out();
    Casting casting = new Casting(full.in(), out);
    int known = 0;
    for (int i = 0; i < full.pieces().size(); i++) {
      Pane.Placed piece = full.pieces().get(i);
      boolean copy = piece.cast().isCopy();
      proof.add(
          piece.segment(),
          piece.index(),
          piece.elements(),
          copy ? Proof.Source.WRITTEN : Proof.Source.GATHERED,
          copy ? piece.target() : piece.source());
      Casting.Made cast =
          casting.make(
              piece.cast(), piece.source(), piece.target(), piece.elements(), piece.index());
      elementsCast += copy ? 0 : piece.elements();
      writeEnds(full, piece.target());
      addLiteral(out, known, piece.target());
      addCrc(cast.crc32c(), piece.bytes());
      known = piece.target() + piece.bytes();
      if (file.role() == PlannedFile.Role.WEIGHTS) {
        ChunkResult.TensorShare share =
            new ChunkResult.TensorShare(
                piece.segment(),
                crc32(out, piece),
                cast.facts(),
                full.differences(i),
                Agreement.NONE,
                new TensorDigest(
                    statistics(out, piece),
                    Checksum.CRC_32C.share(cast.crc32c(), piece.behind()),
                    histogram(out, piece)));
        tensors.merge(piece.segment(), share, ChunkResult.TensorShare::plus);
      }
    }
    writeEnds(full, full.filled());
    addLiteral(out, known, full.filled());
    proof.compare(full.in(), out, this::addOutcome);
    sink.write(out, 0, full.filled());
    full.clear();
    idle.add(full);
  }

  /** Puts the ends of items in their places before a byte; their elements have been written. */
  private void writeEnds(Pane full, int before) {
    while (!full.ends().isEmpty() && full.ends().peek().target() < before) {
      Pane.PlacedEnd placed = full.ends().remove();
      ChunkResult.TensorShare share = tensors.get(placed.end().tensor());
      byte[] bytes = placed.end().bytes(share == null ? 0 : share.crc32());
      System.arraycopy(bytes, 0, full.out(), placed.target(), bytes.length);
    }
  }

  /** Gathers and writes what is left, and compares what waits for it. */
  void finish() throws IOException {
    drain();
    proof.finish(this::addOutcome);
  }

  /** Gives its buffers to the tasks that follow, once nothing is left to do. */
  void release() {
    pane.release();
    idle.forEach(Pane::release);
  }

  private void addOutcome(int segment, Agreement outcome) {
    tensors.merge(
        segment,
        new ChunkResult.TensorShare(segment, 0, ValueFacts.NONE, 0, outcome, TensorDigest.NONE),
        ChunkResult.TensorShare::plus);
  }

  /** Adds bytes {@code [from, to)} of the window, which are of no tensor, to the checksum. */
  private void addLiteral(byte[] out, int from, int to) {
    if (from < to) {
      addCrc(Checksum.CRC_32C.of(out, from, to - from), to - from);
    }
  }

  /** Adds bytes to the chunk's checksum, of which theirs is known. */
  private void addCrc(int crc, int bytes) {
    crc32c = Checksum.CRC_32C.share(crc32c, bytes) ^ crc;
  }

  private int crc32(byte[] out, Pane.Placed piece) {
    if (!needsCrc32) {
      return 0;
    }
    int crc32 = Checksum.CRC_32.of(out, piece.target(), piece.bytes());
    return Checksum.CRC_32.share(crc32, piece.behindInSegment());
  }

  /** Elements that changed their type, so far. */
  long elementsCast() {
    return elementsCast;
  }

  private TensorStatistics statistics(byte[] out, Pane.Placed piece) {
    return measuring == Measuring.NOTHING || piece.cast().to().isPacked()
        ? TensorStatistics.NONE
        : TensorStatistics.of(piece.cast().to(), out, piece.target(), piece.elements());
  }

  private ValueHistogram histogram(byte[] out, Pane.Placed piece) {
    return measuring == Measuring.VALUES
        ? ValueHistogram.of(piece.cast().to(), out, piece.target(), piece.elements())
        : ValueHistogram.NONE;
  }

  int crc32c() {
    return crc32c;
  }

  List<ChunkResult.TensorShare> tensors() {
    return List.copyOf(tensors.values());
  }

  /**
   * The CRC-32 of each segment, if all other chunks have been written.
   *
   * @param before what the other chunks add; empty for nothing
   */
  List<Integer> crc32OfSegments(List<Integer> before) {
    Integer[] crcs = new Integer[file.segments().size()];
    Arrays.setAll(crcs, s -> before.isEmpty() ? 0 : before.get(s));
    tensors.forEach((segment, share) -> crcs[segment] ^= share.crc32());
    return List.of(crcs);
  }
}
