package dev.reweave.plan;

import dev.reweave.format.pytorch.TorchFileLayout;
import dev.reweave.format.pytorch.TorchFilePiece;
import dev.reweave.format.pytorch.TorchFileTail;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Shards as {@code torch.save} writes them. */
record TorchShards(FileNames names, Map<String, Layout> layouts, Map<String, String> aliases)
    implements ShardWriter {

  /**
   * The central directory, which has the checksums of all storages.
   *
   * @param segments by storage, the index of its segment; -1 for one without bytes
   */
  private record Directory(TorchFileTail tail, List<Integer> segments) implements Segment.Tail {
    @Override
    public long length() {
      return tail.length();
    }

    @Override
    public byte[] bytes(List<Integer> crc32) {
      return tail.bytes(segments.stream().mapToInt(s -> s < 0 ? 0 : crc32.get(s)).toArray());
    }
  }

  @Override
  public PlannedFile plan(PackedShard shard) {
    List<TensorSpec> tensors = shard.tensors();
    TorchFileLayout file = TorchFileLayout.of(archive(shard), tensors, ties(tensors));
    List<Segment> segments = new ArrayList<>();
    Integer[] places = new Integer[tensors.size()];
    Arrays.fill(places, -1);
    for (TorchFilePiece piece : file.pieces(0, file.length())) {
      if (piece instanceof TorchFilePiece.Literal literal) {
        segments.add(new Segment.Literal(literal.bytes()));
      } else if (piece instanceof TorchFilePiece.Slot slot) {
        TensorSpec spec = tensors.get(slot.tensor());
        places[slot.tensor()] = segments.size();
        segments.add(new Segment.OfTensor(spec, layouts.get(spec.name())));
      } else if (piece instanceof TorchFileTail tail) {
        segments.add(new Directory(tail, List.of(places)));
      }
    }
    return new PlannedFile(names.path(shard.fileName()), PlannedFile.Role.WEIGHTS, segments);
  }

  /** The folder of all entries: torch takes the file's name without its last suffix. */
  private static String archive(PackedShard shard) {
    return shard.fileName().substring(0, shard.fileName().lastIndexOf('.'));
  }

  private Map<String, String> ties(List<TensorSpec> tensors) {
    Set<String> present = new HashSet<>();
    tensors.forEach(t -> present.add(t.name()));
    Map<String, String> ties = new TreeMap<>(aliases);
    ties.values().retainAll(present);
    return ties;
  }

  @Override
  public boolean keepsTies() {
    return true;
  }
}
