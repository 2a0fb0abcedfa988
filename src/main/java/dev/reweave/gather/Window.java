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
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Collects what a few megabytes of a chunk are made of, then gathers, casts and writes them. */
final class Window {
  private static final int BUFFER = 8 << 20;

  /** Bytes of all buffers: gathered and cast elements, and what is read with joined requests. */
  static final long BUFFERS = 2L * BUFFER + Gather.MOST_JOINED;

  /** The same for a tensor that is made of several copies. */
  static final long BUFFERS_FOR_COPIES = BUFFERS + Gather.MOST_COPIED;

  /**
   * Elements of one tensor in the window.
   *
   * @param source their first byte among the gathered ones; unused where nothing is cast
   * @param target their first byte among the written ones
   * @param index of the first one in the tensor
   * @param behind bytes of the segment behind them
   */
  private record Piece(
      int segment, Cast cast, int source, int target, int elements, long index, long behind) {
    int bytes() {
      return elements * cast.to().bytes();
    }
  }

  private final PlannedFile file;
  private final Proof proof;
  private final Gather gather;
  private final ChunkSink sink;
  private final Measuring measuring;
  private final Casting casting;
  private final byte[] in;
  private final byte[] out;
  private final List<Gather.Slice> slices = new ArrayList<>();
  private final List<Piece> pieces = new ArrayList<>();
  private final Map<Integer, ChunkResult.TensorShare> tensors = new TreeMap<>();
  private long runs;
  private int gathered;
  private int filled;
  private long copied;
  private long elementsCast;
  private int crc32c;

  Window(
      Chunk chunk,
      PlannedFile file,
      Gather gather,
      Proof proof,
      ChunkSink sink,
      Measuring measuring) {
    this.file = file;
    this.proof = proof;
    this.gather = gather;
    this.sink = sink;
    this.measuring = measuring;
    // A cast from 64 to 16 bits takes in four times what it gives.
    this.in = new byte[(int) Math.min(BUFFER, 4 * chunk.length())];
    this.out = new byte[(int) Math.min(BUFFER, chunk.length())];
    this.casting = new Casting(in, out);
  }

  /** Adds bytes {@code [from, to)} of a literal. */
  void add(Segment.Literal literal, int from, int to) throws IOException {
    int at = from;
    while (at < to) {
      if (filled == out.length) {
        flush();
      }
      int length = Math.min(to - at, out.length - filled);
      literal.copy(at, out, filled, length);
      filled += length;
      at += length;
    }
  }

  /** Adds elements {@code [from, to)} of a tensor. */
  void add(int segment, Segment.Woven woven, long from, long to) throws IOException {
    Layout layout = woven.layout();
    int outSize = woven.spec().dtype().bytes();
    Cast cast = Cast.between(layout.dtype(), woven.spec().dtype());
    int inSize = cast.isCopy() ? 0 : layout.dtype().bytes();
    long at = from;
    while (at < to) {
      long wanted = Math.min(Gather.mostElements(layout), to - at);
      if (layout.width() > 1) {
        wanted = Math.min(wanted, Math.max(1, Gather.mostCombined(layout, Gather.MOST_COPIED)));
        if (Gather.mostCombined(layout, Gather.MOST_COPIED - copied) < wanted) {
          flush();
        }
      }
      // A request for what is left of a window would be as dear as one for a full window.
      if (room(outSize, inSize) < Math.min(wanted, roomOfEmpty(outSize, inSize) / 2 + 1)
          || runs >= Gather.MOST_RUNS) {
        flush();
      }
      int elements = (int) Math.min(wanted, room(outSize, inSize));
      byte[] buffer = cast.isCopy() ? out : in;
      int offset = cast.isCopy() ? filled : gathered;
      slices.add(new Gather.Slice(layout, at, at + elements, buffer, offset));
      Proof.Source source = cast.isCopy() ? Proof.Source.WRITTEN : Proof.Source.GATHERED;
      proof.add(segment, at, elements, source, offset);
      long behind = woven.length() - (at + elements) * outSize;
      pieces.add(new Piece(segment, cast, gathered, filled, elements, at, behind));
      copied += (long) elements * (layout.width() - 1) * layout.dtype().bytes();
      gathered += elements * inSize;
      filled += elements * outSize;
      at += elements;
      runs += elements / layout.granularity() + 1;
    }
  }

  /** Elements that still fit. */
  private int room(int outSize, int inSize) {
    int room = (out.length - filled) / outSize;
    return inSize == 0 ? room : Math.min(room, (in.length - gathered) / inSize);
  }

  private int roomOfEmpty(int outSize, int inSize) {
    int room = out.length / outSize;
    return inSize == 0 ? room : Math.min(room, in.length / inSize);
  }

  /** Gathers, casts and writes all that was added. */
  void flush() throws IOException {
    gather.read(slices);
    int known = 0;
    for (int i = 0; i < pieces.size(); i++) {
      Piece piece = pieces.get(i);
      Casting.Made made =
          casting.make(
              piece.cast(), piece.source(), piece.target(), piece.elements(), piece.index());
      elementsCast += piece.cast().isCopy() ? 0 : piece.elements();
      addLiteral(known, piece.target());
      addCrc(made.crc32c(), piece.bytes());
      known = piece.target() + piece.bytes();
      if (file.role() == PlannedFile.Role.WEIGHTS) {
        ChunkResult.TensorShare share =
            new ChunkResult.TensorShare(
                piece.segment(),
                crc32(piece),
                made.facts(),
                slices.get(i).differences(),
                Agreement.NONE,
                new TensorDigest(
                    statistics(piece), Checksum.CRC_32C.share(made.crc32c(), piece.behind())));
        tensors.merge(piece.segment(), share, ChunkResult.TensorShare::plus);
      }
    }
    addLiteral(known, filled);
    proof.compare(in, out, this::addOutcome);
    sink.write(out, 0, filled);
    slices.clear();
    pieces.clear();
    runs = 0;
    gathered = 0;
    filled = 0;
    copied = 0;
  }

  /** Gathers and writes what is left, and compares what waits for it. */
  void finish() throws IOException {
    flush();
    proof.finish(this::addOutcome);
  }

  private void addOutcome(int segment, Agreement outcome) {
    tensors.merge(
        segment,
        new ChunkResult.TensorShare(segment, 0, ValueFacts.NONE, 0, outcome, TensorDigest.NONE),
        ChunkResult.TensorShare::plus);
  }

  /** Adds bytes {@code [from, to)} of the window, which are of no tensor, to the checksum. */
  private void addLiteral(int from, int to) {
    if (from < to) {
      addCrc(Checksum.CRC_32C.of(out, from, to - from), to - from);
    }
  }

  /** Adds bytes to the chunk's checksum, of which theirs is known. */
  private void addCrc(int crc, int bytes) {
    crc32c = Checksum.CRC_32C.share(crc32c, bytes) ^ crc;
  }

  private int crc32(Piece piece) {
    if (!file.hasTail()) {
      return 0;
    }
    int crc32 = Checksum.CRC_32.of(out, piece.target(), piece.bytes());
    return Checksum.CRC_32.share(crc32, piece.behind());
  }

  /** Elements that changed their type, so far. */
  long elementsCast() {
    return elementsCast;
  }

  private TensorStatistics statistics(Piece piece) {
    return measuring == Measuring.NOTHING || piece.cast().to().isPacked()
        ? TensorStatistics.NONE
        : TensorStatistics.of(piece.cast().to(), out, piece.target(), piece.elements());
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
