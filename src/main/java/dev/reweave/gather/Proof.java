package dev.reweave.gather;

import dev.reweave.plan.PlannedFile;
import dev.reweave.plan.SampledElements;
import dev.reweave.plan.Segment;
import dev.reweave.plan.Witness;
import dev.reweave.storage.InputFile;
import dev.reweave.tensor.Agreement;
import dev.reweave.tensor.Cast;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Layout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Compares what a window gathers with a second copy of the same weights in the checkpoint: the
 * first is cast to the type of the second, and both must have the same bits. NaNs are the same
 * whatever their bits, and so are zeros whatever their sign.
 */
public final class Proof {
  /**
   * What the outcomes of all tensors come to, in words.
   *
   * @param outcomes by tensor; at least one
   * @throws dev.reweave.common.ReweaveException if they are no copies
   */
  public static String verdict(Witness witness, Map<String, Agreement> outcomes) {
    String place = place(witness.files());
    return switch (witness.kind()) {
      case BASE -> new BaseDistance(outcomes).text();
      case SECOND_COPY -> new ProofVerdict(outcomes, witness.extent()).require(place);
      case ONLY_PROOF -> new ProofVerdict(outcomes, witness.extent()).requireAll(place);
    };
  }

  /** Of several files it is not known which is wrong. */
  private static String place(List<InputFile> files) {
    String first = files.get(0).uri();
    return files.size() == 1 ? first : first.substring(0, first.lastIndexOf('/'));
  }

  /** Elements of one tensor that lie in a buffer, and their second copy. */
  private record Compared(
      int segment, Layout master, Layout copy, long from, int elements, Source source, int offset) {
    long to() {
      return from + elements;
    }
  }

  /** In which buffer elements are: one of the window's two, or what was kept of a sample. */
  enum Source {
    GATHERED,
    WRITTEN,
    KEPT
  }

  /** Most bytes of a sample that wait to be compared. */
  private static final int MOST_KEPT = 1 << 20;

  private final PlannedFile file;
  private final Gather gather;
  private final Gather second;
  private final List<Compared> waiting = new ArrayList<>();
  private byte[] kept = new byte[0];
  private int keptBytes;
  private byte[] masters = new byte[0];
  private byte[] copies = new byte[0];
  private byte[] cast = new byte[0];
  private final List<Compared> pieces = new ArrayList<>();
  private final Map<Integer, List<SampledElements.Range>> samples = new HashMap<>();

  /**
   * A comparison with the second copies that a file's plan names.
   *
   * @param gather what reads what is compared, where it is not at hand
   * @param second what reads the second copies
   */
  Proof(PlannedFile file, Gather gather, Gather second) {
    this.file = file;
    this.gather = gather;
    this.second = second;
  }

  /** Remembers elements {@code [from, from + elements)} of a tensor, to be compared. */
  void add(int segment, long from, int elements, Source source, int offset) {
    Layout copy = file.secondCopies().get(segment);
    if (copy == null) {
      return;
    }
    Segment.OfTensor ofTensor = (Segment.OfTensor) file.segments().get(segment);
    if (file.compared() == Witness.Extent.ALL) {
      pieces.add(new Compared(segment, ofTensor.layout(), copy, from, elements, source, offset));
      return;
    }
    int size =
        source == Source.WRITTEN
            ? ofTensor.spec().dtype().bytes()
            : ofTensor.layout().dtype().bytes();
    for (SampledElements.Range range :
        samples.computeIfAbsent(segment, s -> SampledElements.of(ofTensor.layout()))) {
      long first = Math.max(range.from(), from);
      long last = Math.min(range.to(), from + elements);
      if (first < last) {
        int at = offset + (int) (first - from) * size;
        int count = (int) (last - first);
        pieces.add(new Compared(segment, ofTensor.layout(), copy, first, count, source, at));
      }
    }
  }

  /** Takes what was found out. */
  interface Results {
    void add(int segment, Agreement outcome);
  }

  /**
   * Compares all that was added since the last time. A sample waits for {@link #finish}: second
   * copies of a whole chunk, read at once, cost a late store's answer once.
   */
  void compare(byte[] gathered, byte[] written, Results results) {
    if (file.compared() == Witness.Extent.ALL) {
      compare(pieces, gathered, written, results);
    } else {
      for (Compared piece : pieces) {
        keep(piece, piece.source() == Source.GATHERED ? gathered : written);
      }
      if (keptBytes > MOST_KEPT) {
        finish(results);
      }
    }
    pieces.clear();
  }

  private void keep(Compared piece, byte[] buffer) {
    int length = bytes(piece, piece.master());
    if (kept.length - keptBytes < length) {
      kept = Arrays.copyOf(kept, Math.max(2 * kept.length, keptBytes + length));
    }
    System.arraycopy(buffer, piece.offset(), kept, keptBytes, length);
    waiting.add(
        new Compared(
            piece.segment(),
            piece.master(),
            piece.copy(),
            piece.from(),
            piece.elements(),
            Source.KEPT,
            keptBytes));
    keptBytes += length;
  }

  /** Compares what still waits. */
  void finish(Results results) {
    compare(waiting, kept, kept, results);
    waiting.clear();
    keptBytes = 0;
  }

  /**
   * Where several ranks have a copy each, the copies of each rank are compared: their mean in 16
   * bits is not that of the masters, and what only the first rank has of replicated ones is no
   * proof of the others.
   */
  private void compare(List<Compared> all, byte[] gathered, byte[] written, Results results) {
    int ranks = all.stream().mapToInt(piece -> piece.master().width()).max().orElse(0);
    for (int rank = 0; rank < ranks; rank++) {
      compareRank(rank, all, gathered, written, results);
    }
  }

  private void compareRank(
      int rank, List<Compared> all, byte[] gathered, byte[] written, Results results) {
    List<Compared> compared = all.stream().filter(p -> rank < p.master().width()).toList();
    copies = room(copies, compared.stream().mapToInt(p -> bytes(p, p.copy())).sum());
    cast = room(cast, copies.length);
    masters =
        room(
            masters,
            compared.stream()
                .filter(p -> !isAtHand(p, rank))
                .mapToInt(p -> bytes(p, p.master()))
                .sum());
    List<Gather.Slice> ofMasters = new ArrayList<>();
    List<Gather.Slice> ofCopies = new ArrayList<>();
    int at = 0;
    int masterAt = 0;
    for (Compared piece : compared) {
      ofCopies.add(new Gather.Slice(piece.copy(), piece.from(), piece.to(), copies, at, rank));
      at += bytes(piece, piece.copy());
      if (!isAtHand(piece, rank)) {
        ofMasters.add(
            new Gather.Slice(piece.master(), piece.from(), piece.to(), masters, masterAt, rank));
        masterAt += bytes(piece, piece.master());
      }
    }
    second.read(ofCopies);
    gather.read(ofMasters);
    at = 0;
    masterAt = 0;
    for (Compared piece : compared) {
      DType type = piece.copy().dtype();
      Cast toCopy = Cast.between(piece.master().dtype(), type);
      if (isAtHand(piece, rank)) {
        byte[] source = piece.source() == Source.WRITTEN ? written : gathered;
        toCopy.apply(source, piece.offset(), cast, at, piece.elements());
      } else {
        toCopy.apply(masters, masterAt, cast, at, piece.elements());
        masterAt += bytes(piece, piece.master());
      }
      results.add(piece.segment(), Agreement.of(type, cast, copies, at, piece.elements()));
      at += bytes(piece, piece.copy());
    }
  }

  /** Whether the window has a rank's own numbers: the first one's, unless it has a mean. */
  private static boolean isAtHand(Compared piece, int rank) {
    return rank == 0 && !piece.master().isComputed();
  }

  private static int bytes(Compared piece, Layout layout) {
    return piece.elements() * layout.dtype().bytes();
  }

  private static byte[] room(byte[] buffer, int size) {
    return buffer.length < size ? new byte[size] : buffer;
  }
}
