package dev.reweave.plan;

import dev.reweave.tensor.DType;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.StorageRef;
import dev.reweave.tensor.StoredLayout;
import dev.reweave.tensor.TensorSpec;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** One file to be written by tasks: segments without gaps between them. */
public final class PlannedFile implements Serializable {
  private static final long serialVersionUID = 1L;

  /** What a file is to the result. */
  public enum Role {
    /** A shard of the converted weights. */
    WEIGHTS,
    /** A file of the base, byte for byte. */
    COPY
  }

  private final String path;
  private final Role role;
  private final List<Segment> segments;
  private final Map<Integer, Layout> secondCopies;
  private final Witness.Extent compared;
  private final long cell;
  private final long[] positions;
  private final long length;

  /**
   * A file of these segments.
   *
   * @param path in the output folder, such as {@code transformer/model-00001-of-00003.safetensors}
   */
  public PlannedFile(String path, Role role, List<Segment> segments) {
    this(path, role, segments, Map.of(), Witness.Extent.ALL, Chunk.ALIGNMENT);
  }

  /**
   * A file of weights that can be cut at multiples of a number of bytes alone.
   *
   * @param cell that number, a multiple of {@link Chunk#ALIGNMENT}
   */
  static PlannedFile inCells(String path, List<Segment> segments, long cell) {
    return new PlannedFile(path, Role.WEIGHTS, segments, Map.of(), Witness.Extent.ALL, cell);
  }

  private PlannedFile(
      String path,
      Role role,
      List<Segment> segments,
      Map<Integer, Layout> secondCopies,
      Witness.Extent compared,
      long cell) {
    this.path = path;
    this.role = role;
    this.segments = List.copyOf(segments);
    this.secondCopies = Map.copyOf(secondCopies);
    this.compared = compared;
    this.cell = cell;
    this.positions = new long[segments.size()];
    long position = 0;
    for (int s = 0; s < positions.length; s++) {
      positions[s] = position;
      position = Math.addExact(position, this.segments.get(s).length());
      if (this.segments.get(s) instanceof Segment.Tail && s != positions.length - 1) {
        throw new IllegalArgumentException("the tail of " + path + " is not its end");
      }
    }
    this.length = position;
    if (cell < 1 || cell % Chunk.ALIGNMENT != 0) {
      throw new IllegalArgumentException("cells of " + cell + " bytes in " + path);
    }
    for (int s = 0; s < positions.length; s++) {
      requireInOneCell(s);
    }
  }

  private void requireInOneCell(int segment) {
    if (segments.get(segment) instanceof Segment.ItemEnd end
        && positions[end.tensor()] / cell != (positions[segment] + end.length() - 1) / cell) {
      throw new IllegalArgumentException(path + " can be cut within an item");
    }
  }

  /**
   * A file that is copied byte for byte.
   *
   * @param path in the output folder
   * @param source index of the input file in the plan
   * @param length of the file in bytes, more than 0
   * @param storages in it, which are checked on the way
   */
  public static PlannedFile copy(String path, int source, long length, List<StorageRef> storages) {
    List<StorageRef> inOrder =
        storages.stream()
            .filter(s -> s.bytes() > 0)
            .sorted(Comparator.comparingLong(StorageRef::position))
            .toList();
    List<Segment> segments = new ArrayList<>();
    long at = 0;
    for (StorageRef storage : inOrder) {
      if (storage.position() >= at) {
        addBytes(segments, path, source, at, storage.position() - at, StorageRef.UNCOUNTED);
        addBytes(segments, path, source, storage.position(), storage.bytes(), storage.crc32());
        at = storage.position() + storage.bytes();
      }
    }
    addBytes(segments, path, source, at, length - at, StorageRef.UNCOUNTED);
    return new PlannedFile(path, Role.COPY, segments);
  }

  private static void addBytes(
      List<Segment> segments, String path, int source, long from, long length, long crc32) {
    if (length > 0) {
      Shape shape = Shape.of(length);
      StorageRef bytes =
          new StorageRef(source, path, from, DType.U8, length, StorageRef.Endian.LITTLE, crc32);
      segments.add(
          new Segment.OfTensor(
              new TensorSpec(path, DType.U8, shape), StoredLayout.contiguous(bytes, 0, shape)));
    }
  }

  /**
   * The same file, with what its tensors are to be compared with.
   *
   * @param second by tensor, where its elements are once more
   * @param extent how many of them are compared
   */
  public PlannedFile provenBy(Map<String, Layout> second, Witness.Extent extent) {
    Map<Integer, Layout> found = new TreeMap<>();
    for (int s = 0; s < segments.size(); s++) {
      if (segments.get(s) instanceof Segment.OfTensor ofTensor) {
        Layout copy = second.get(ofTensor.spec().name());
        if (copy != null && copy.elements() == ofTensor.layout().elements()) {
          found.put(s, copy);
        }
      }
    }
    return new PlannedFile(path, role, segments, found, extent, cell);
  }

  /** The same file in another place. */
  PlannedFile at(String other) {
    return new PlannedFile(other, role, segments, secondCopies, compared, cell);
  }

  /** By segment, where the elements of a tensor are once more. */
  public Map<Integer, Layout> secondCopies() {
    return secondCopies;
  }

  /** How many elements are compared with those. */
  public Witness.Extent compared() {
    return compared;
  }

  /** Where it stands in the output folder, with {@code /} between names. */
  public String path() {
    return path;
  }

  /** What it is to the result. */
  public Role role() {
    return role;
  }

  /** Length of the file in bytes. */
  public long length() {
    return length;
  }

  /** The segments in the order of their bytes. */
  public List<Segment> segments() {
    return segments;
  }

  /** First byte of a segment. */
  public long position(int segment) {
    return positions[segment];
  }

  /**
   * Index of the segment that has a byte of the file; at the first byte of one, the first of those
   * that start there, which can be without bytes.
   *
   * @param position before the end of the file
   */
  public int segmentAt(long position) {
    int found = Arrays.binarySearch(positions, position);
    int at = found >= 0 ? found : -found - 2;
    // Segments without bytes share their position with the next one.
    while (at > 0 && positions[at - 1] == position) {
      at--;
    }
    return at;
  }

  /** Chunks end at multiples of this many bytes. */
  long cell() {
    return cell;
  }

  /** First byte of the tail; the length of the file if it has none. */
  public long tailStart() {
    boolean tail = !segments.isEmpty() && segments.get(segments.size() - 1) instanceof Segment.Tail;
    return tail ? positions[positions.length - 1] : length;
  }

  /** Whether its end depends on checksums of what comes before. */
  public boolean hasTail() {
    return tailStart() < length;
  }

  /** Whether something in it depends on checksums of its tensors. */
  public boolean needsCrc32() {
    return hasTail() || segments.stream().anyMatch(Segment.ItemEnd.class::isInstance);
  }

  /** The tensors in it, in the order of their bytes: the first segment of each. */
  public List<Segment.OfTensor> tensors() {
    return segments.stream()
        .filter(Segment.OfTensor.class::isInstance)
        .map(Segment.OfTensor.class::cast)
        .filter(Segment.OfTensor::isFirst)
        .toList();
  }

  /** Bytes that its tensors take where they lie, with what they are compared with. */
  public long bytesToRead() {
    long bytes = 0;
    for (int s = 0; s < segments.size(); s++) {
      if (segments.get(s) instanceof Segment.OfTensor ofTensor) {
        Layout copy = secondCopies.get(s);
        long ofAll = ofTensor.layout().storedBytes();
        ofAll += copy == null ? 0 : compared(ofTensor.layout(), copy) * copy.dtype().bytes();
        bytes += ofTensor.share(ofAll);
      }
    }
    return bytes;
  }

  private long compared(Layout layout, Layout copy) {
    return compared == Witness.Extent.ALL
        ? copy.storedElements()
        : SampledElements.count(layout) * copy.width();
  }
}
