package dev.reweave.plan;

import dev.reweave.format.pytorch.DistributedItem;
import dev.reweave.format.pytorch.DistributedMetadata;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * Shards as {@code torch.distributed.checkpoint.save} writes them: each the file of a rank, with
 * one item behind another.
 *
 * <p>An item ends with the checksum of its elements. So that whoever writes a part of a file knows
 * it, files are made of cells of one length, and no item crosses from one to the next: big tensors
 * are cut into several items, and where none fits any more a cell is filled up with zeros, which
 * nothing names.
 *
 * @param layouts by tensor, in the order of the model
 * @param cell bytes of a cell
 */
record DistributedShards(
    FileNames names, Map<String, Layout> layouts, Map<String, String> aliases, long cell)
    implements ShardWriter {
  /**
   * Length of cells, wherever they are written, so that the same input gives the same bytes: about
   * what is usual for a task, and made of twelve parts of S3's multipart upload.
   */
  static final long CELL = 60 << 20;

  /** Less than this part of a cell stays empty where a tensor does not fit in it. */
  private static final int LEAST_FILLED = 16;

  /**
   * A writer.
   *
   * @param most bytes of one task's work, if somebody wants less than usual
   */
  static DistributedShards of(
      FileNames names,
      Map<String, Layout> layouts,
      Map<String, String> aliases,
      Optional<Long> most) {
    long cell = Math.min(CELL, most.orElse(CELL)) / Chunk.ALIGNMENT * Chunk.ALIGNMENT;
    return new DistributedShards(names, layouts, aliases, cell);
  }

  /** The end of an item, with its zip's directory. */
  private record End(DistributedItem item, int tensor, long length) implements Segment.ItemEnd {
    @Override
    public byte[] bytes(int crc32) {
      return item.end(crc32);
    }
  }

  /** The start of an item. */
  private record Head(DistributedItem item) implements Segment.Literal.Source {
    @Override
    public byte[] bytes() {
      return item.head();
    }
  }

  /** What fills a cell up. */
  private record Zeros(int length) implements Segment.Literal.Source {
    @Override
    public byte[] bytes() {
      return new byte[length];
    }
  }

  /** The segments of a file, as far as it is laid out. */
  private static final class Laid {
    private final List<Segment> segments = new ArrayList<>();
    private long position;

    void add(Segment segment) {
      if (segment.length() > 0 || segment instanceof Segment.OfTensor) {
        segments.add(segment);
        position += segment.length();
      }
    }

    void add(DistributedItem item, Segment.OfTensor tensor) {
      int head = item.head().length;
      add(new Segment.Literal(head, new Head(item)));
      add(tensor);
      add(new End(item, segments.size() - 1, item.length() - head - tensor.length()));
    }
  }

  @Override
  public PlannedFile plan(PackedShard shard) {
    Laid laid = new Laid();
    for (TensorSpec tensor : shard.tensors()) {
      DistributedMetadata.require(tensor);
      add(tensor, laid);
    }
    return PlannedFile.inCells(names.path(shard.fileName()), laid.segments, cell);
  }

  private void add(TensorSpec tensor, Laid laid) {
    TensorBoxes boxes = new TensorBoxes(tensor, cell / LEAST_FILLED);
    long from = 0;
    while (true) {
      long left = cell - laid.position % cell;
      long room = left - DistributedItem.MOST_BESIDE;
      long wanted = tensor.units() - from;
      long taken = room < 0 || wanted == 0 ? 0 : boxes.take(from, room);
      boolean fits = room >= 0 && taken == wanted;
      if (!fits && left < cell && (taken == 0 || room < cell / LEAST_FILLED)) {
        laid.add(new Segment.Literal((int) left, new Zeros((int) left)));
        continue;
      }
      if (!fits && taken == 0) {
        throw new IllegalArgumentException("cells of " + cell + " bytes are too small");
      }
      laid.add(
          new DistributedItem(tensor.dtype(), box(tensor, from, from + taken).sizes()),
          new Segment.OfTensor(tensor, layouts.get(tensor.name()), from, from + taken));
      from += taken;
      if (from == tensor.units()) {
        return;
      }
    }
  }

  private static TensorBoxes.Box box(TensorSpec tensor, long from, long to) {
    Shape shape = tensor.torchShape();
    return TensorBoxes.Box.of(shape, from, to);
  }

  /** Tied names have no word in this format: each is a tensor that lies where the other does. */
  @Override
  public Optional<SmallFile> index(List<PlannedFile> shards) {
    return Optional.of(
        SmallFile.index(names.path(names.index()), naming -> metadata(shards, naming)));
  }

  private byte[] metadata(List<PlannedFile> shards, UnaryOperator<String> naming) {
    Map<String, TensorSpec> specs = new HashMap<>();
    Map<String, List<DistributedMetadata.Box>> boxes = new HashMap<>();
    for (PlannedFile shard : shards) {
      String file = naming.apply(shard.path().substring(names.folder().length()));
      for (int s = 0; s < shard.segments().size(); s++) {
        if (shard.segments().get(s) instanceof Segment.OfTensor ofTensor) {
          TensorSpec spec = ofTensor.spec();
          TensorBoxes.Box box = box(spec, ofTensor.from(), ofTensor.to());
          DistributedItem item = new DistributedItem(spec.dtype(), box.sizes());
          long start = shard.position(s) - item.head().length;
          specs.put(spec.name(), spec);
          boxes
              .computeIfAbsent(spec.name(), t -> new ArrayList<>())
              .add(
                  new DistributedMetadata.Box(
                      box.offsets(), box.sizes(), file, start, item.length()));
        }
      }
    }
    DistributedMetadata metadata = new DistributedMetadata();
    for (String name : layouts.keySet()) {
      metadata.add(specs.get(name), boxes.get(name));
    }
    new TreeMap<>(aliases)
        .forEach(
            (alias, kept) -> {
              TensorSpec spec = specs.get(kept);
              TensorSpec other = new TensorSpec(alias, spec.dtype(), spec.shape());
              metadata.add(other, boxes.get(kept));
            });
    return metadata.bytes();
  }

  @Override
  public boolean keepsTies() {
    return true;
  }
}
