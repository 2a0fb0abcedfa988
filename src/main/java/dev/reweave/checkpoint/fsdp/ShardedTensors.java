package dev.reweave.checkpoint.fsdp;

import dev.reweave.format.pytorch.TorchFile;
import dev.reweave.format.pytorch.TorchTensor;
import dev.reweave.format.pytorch.TorchValue;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.StoredLayout;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/**
 * Reads {@code ShardedTensor}s, as FSDP1 gives them under {@code SHARDED_STATE_DICT}, from one
 * rank's file: the rank's shards with their places, and the places of all ranks' ({@code
 * torch/distributed/_shard/sharded_tensor/api.py}, {@code __getstate__}).
 */
final class ShardedTensors {
  static final String CLASS = "ShardedTensor";

  /** More than any tensor has. */
  private static final int MOST_DIMENSIONS = 64;

  private static final int LOCAL_SHARDS = 0;
  private static final int METADATA = 1;
  private static final int PROCESS_GROUP = 2;

  /** Where a shard is. */
  private record Box(List<Long> offsets, List<Long> sizes) {}

  /** Where all ranks' shards are, with what tells them from others. */
  private record Listed(Set<Box> boxes, int hash) {}

  private final TorchFile file;
  private final int rank;
  private final Pieces pieces;
  private final IdentityHashMap<Object, Listed> boxes = new IdentityHashMap<>();
  private long world;

  ShardedTensors(TorchFile file, int rank, Pieces pieces) {
    this.file = file;
    this.rank = rank;
    this.pieces = pieces;
  }

  /** How many ranks there are, as the tensors tell; 0 if none has told yet. */
  long world() {
    return world;
  }

  /**
   * What the rank has of a tensor.
   *
   * @throws dev.reweave.common.ReweaveException if the value is of a form that is not known, or its
   *     parts do not fit each other
   */
  TensorSlice read(String name, TorchValue value) throws IOException {
    TorchValue state = State.of(value);
    if (!state.isSequence() || state.size() <= PROCESS_GROUP || state.size() > MOST_DIMENSIONS) {
      throw FsdpFailures.unknownForm(name, value.kind(), "state", value.place());
    }
    List<TorchValue> parts = state.items();
    requireRank(parts.get(PROCESS_GROUP));
    TorchValue metadata = parts.get(METADATA);
    Shape whole = State.attribute(metadata, "size").shape();
    TorchValue listed = State.attribute(metadata, "shards_metadata");
    Listed all = boxes.get(listed.identity());
    if (all == null) {
      all = boxes(listed);
      boxes.put(listed.identity(), all);
    }
    DType dtype = dtype(State.attribute(metadata, "tensor_properties"));
    List<TensorSlice.Piece> found = new ArrayList<>();
    requireFew(name, parts.get(LOCAL_SHARDS));
    for (TorchValue shard : parts.get(LOCAL_SHARDS).items()) {
      TorchTensor local = State.attribute(shard, "tensor").tensor();
      Box box = box(State.attribute(shard, "metadata"));
      requireListed(name, box, local, all.boxes(), whole, shard);
      if (local.dtype() != dtype) {
        throw FsdpFailures.otherType(name, local.dtype(), dtype, shard.place());
      }
      StoredLayout layout = file.layout(local);
      if (local.elements() > 0) {
        found.add(new TensorSlice.Piece(box.offsets(), local.shape(), layout));
      }
    }
    String how = CLASS + " in " + all.boxes().size() + " shards";
    return new TensorSlice(dtype, whole, new TensorSlice.Cut(how, all.hash()), found);
  }

  private void requireFew(String name, TorchValue shards) {
    try {
      pieces.count(shards.size());
    } catch (IllegalArgumentException e) {
      throw FsdpFailures.cutDoesNotFit(name, shards.place(), e);
    }
  }

  private static void requireListed(
      String name, Box box, TorchTensor local, Set<Box> all, Shape whole, TorchValue shard) {
    List<Long> sizes = new ArrayList<>();
    for (long size : local.shape().dims()) {
      sizes.add(size);
    }
    if (!box.sizes().equals(sizes)
        || box.offsets().size() != whole.rank()
        || sizes.size() != whole.rank()
        || !all.contains(box)) {
      throw FsdpFailures.otherPart(
          name, local.shape(), box.sizes() + " at " + box.offsets(), shard.place());
    }
  }

  /** The group's own rank is that of the file, and it says how many there are. */
  private void requireRank(TorchValue group) {
    group
        .attribute("global_world_size")
        .filter(TorchValue::isInteger)
        .ifPresent(size -> world = Math.max(world, size.integer()));
    group
        .attribute("global_rank")
        .filter(TorchValue::isInteger)
        .filter(own -> own.integer() != rank)
        .ifPresent(
            own -> {
              throw FsdpFailures.otherRank(own.integer(), rank, group.place());
            });
  }

  private static DType dtype(TorchValue properties) {
    TorchValue state = properties.state().orElse(properties);
    return state.isSequence() && state.size() > 0 && state.size() <= MOST_DIMENSIONS
        ? state.items().get(0).dtype()
        : State.attribute(properties, "dtype").dtype();
  }

  private static Listed boxes(TorchValue listed) {
    Set<Box> boxes = new HashSet<>();
    listed.items().forEach(shard -> boxes.add(box(shard)));
    return new Listed(boxes, boxes.hashCode());
  }

  private static Box box(TorchValue metadata) {
    return new Box(
        numbers(State.attribute(metadata, "shard_offsets")),
        numbers(State.attribute(metadata, "shard_sizes")));
  }

  /** Not as a shape: the product of indexes can be more than fits. */
  private static List<Long> numbers(TorchValue list) {
    if (list.size() > MOST_DIMENSIONS) {
      throw FsdpFailures.notTorch(list.kind(), "indexes", list.place());
    }
    return list.items().stream().map(TorchValue::integer).toList();
  }
}
