package dev.reweave.checkpoint.fsdp;

import dev.reweave.format.pytorch.TorchFile;
import dev.reweave.format.pytorch.TorchTensor;
import dev.reweave.format.pytorch.TorchValue;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.StoredLayout;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Reads {@code DTensor}s, as FSDP2 and tensor parallelism have them, from one rank's file: {@code
 * _local_tensor} with a {@code DTensorSpec} of mesh, placements and the tensor's shape ({@code
 * torch/distributed/tensor/_api.py} and {@code _dtensor_spec.py}).
 */
final class DTensors {
  static final String CLASS = "DTensor";

  /** More dimensions than any mesh or tensor has. */
  private static final int MOST_DIMENSIONS = 64;

  /**
   * Of the arguments of the function, and of the tensor that they make, which has its size there.
   */
  private static final int SIZE = 2;

  private final TorchFile file;
  private final int rank;
  private final Pieces pieces;
  private final IdentityHashMap<Object, Mesh> meshes = new IdentityHashMap<>();
  private final Map<String, List<Long>> owners = new LinkedHashMap<>();

  DTensors(TorchFile file, int rank, Pieces pieces) {
    this.file = file;
    this.rank = rank;
    this.pieces = pieces;
  }

  /** The meshes that were met, as people read them. */
  Set<String> meshTexts() {
    Set<String> texts = new LinkedHashSet<>();
    meshes.values().forEach(mesh -> texts.add(mesh.text()));
    return new TreeSet<>(texts);
  }

  /** The ranks of the mesh of each tensor that was read. */
  Map<String, List<Long>> owners() {
    return owners;
  }

  /** How many ranks there are at least, as the meshes tell. */
  long world() {
    return meshes.values().stream().mapToLong(Mesh::world).max().orElse(0);
  }

  /**
   * What the rank has of a tensor.
   *
   * @throws dev.reweave.common.ReweaveException if the value is of a form that is not known, or its
   *     parts do not fit each other
   */
  TensorSlice read(String name, TorchValue value) throws IOException {
    TorchValue state = State.of(value);
    TorchValue spec = State.attribute(state, "_spec");
    TorchTensor local = State.attribute(state, "_local_tensor").tensor();
    TorchValue meshValue = State.attribute(spec, "mesh");
    Mesh mesh = meshes.get(meshValue.identity());
    if (mesh == null) {
      mesh = Mesh.of(meshValue, rank, pieces);
      meshes.put(meshValue.identity(), mesh);
    }
    owners.put(name, mesh.members());
    Shape whole = shape(name, value, spec);
    List<Placement> placements = placements(spec, whole, mesh, name);
    StoredLayout layout = file.layout(local);
    try {
      Map<Integer, List<Integer>> order = order(spec, placements);
      List<Spans> spans = spans(whole, mesh, placements, order);
      boolean nothing = mesh.at().isEmpty() || spans.stream().anyMatch(s -> s.length() == 0);
      requireLocal(name, local.shape(), spans, nothing, value);
      List<TensorSlice.Piece> found = nothing ? List.of() : pieces.blocks(spans, layout);
      String how = CLASS + " on mesh " + mesh.text() + ": " + placements;
      TensorSlice.Cut cut = new TensorSlice.Cut(how, order.hashCode());
      return new TensorSlice(local.dtype(), whole, cut, found);
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw FsdpFailures.cutDoesNotFit(name, value.place(), e);
    }
  }

  private static void requireLocal(
      String name, Shape local, List<Spans> spans, boolean nothing, TorchValue value) {
    List<Long> lengths = spans.stream().map(Spans::length).toList();
    if (nothing ? local.elements() > 0 : !local.equals(Shape.of(lengths))) {
      throw FsdpFailures.otherPart(
          name, local, nothing ? "nothing" : lengths.toString(), value.place());
    }
  }

  /** As the spec has it, and, in another copy, the arguments of the tensor that wraps it. */
  private static Shape shape(String name, TorchValue value, TorchValue spec) {
    List<TorchValue> meta = State.attribute(spec, "tensor_meta").arguments(1);
    if (meta.isEmpty()) {
      throw FsdpFailures.unknownForm(name, value.kind(), "tensor_meta", value.place());
    }
    Shape whole = meta.get(0).shape();
    Optional<Shape> wrapped =
        Optional.of(value.arguments(SIZE + 1))
            .filter(a -> a.size() > SIZE && a.get(SIZE).isSequence())
            .map(a -> a.get(SIZE))
            .filter(a -> a.size() > SIZE && a.size() <= MOST_DIMENSIONS)
            .map(a -> a.items().get(SIZE))
            .filter(TorchValue::isSequence)
            .map(TorchValue::shape);
    if (wrapped.isPresent() && !wrapped.get().equals(whole)) {
      throw FsdpFailures.twoShapes(name, wrapped.get(), whole, value.place());
    }
    return whole;
  }

  private static List<Placement> placements(TorchValue spec, Shape whole, Mesh mesh, String name) {
    TorchValue listed = State.attribute(spec, "placements");
    if (listed.size() != mesh.sizes().size()) {
      throw FsdpFailures.placementsDoNotFit(
          name, listed.size(), mesh.sizes().size(), listed.place());
    }
    List<Placement> placements = new ArrayList<>();
    for (TorchValue value : listed.items()) {
      placements.add(Placement.of(name, value, whole.rank()));
    }
    return placements;
  }

  /**
   * For each dimension of the tensor the dimensions of the mesh that cut it, in that order: from
   * left to right, unless a spec of torch 2.10 or later has another {@code shard_order}.
   */
  private static Map<Integer, List<Integer>> order(TorchValue spec, List<Placement> placements) {
    Map<Integer, List<Integer>> order = new HashMap<>();
    boolean strided = false;
    for (int m = 0; m < placements.size(); m++) {
      Placement placement = placements.get(m);
      strided |= placement.factor() > 1;
      if (placement.isShard()) {
        order.computeIfAbsent(placement.dim(), d -> new ArrayList<>()).add(m);
      }
    }
    Optional<TorchValue> told =
        spec.attribute("shard_order").filter(TorchValue::isSequence).filter(s -> s.size() > 0);
    if (strided || told.isEmpty() || told.get().size() > MOST_DIMENSIONS) {
      return order;
    }
    for (TorchValue entry : told.get().items()) {
      List<TorchValue> parts = entry.arguments(3);
      if (parts.size() != 2 || !parts.get(0).isInteger() || parts.get(1).size() > MOST_DIMENSIONS) {
        throw new IllegalArgumentException("a shard_order that is none");
      }
      int dim = Math.toIntExact(parts.get(0).integer());
      List<Integer> by = parts.get(1).items().stream().map(v -> (int) v.integer()).toList();
      List<Integer> known = order.getOrDefault(dim, List.of());
      if (!new TreeSet<>(by).equals(new TreeSet<>(known)) || by.size() != known.size()) {
        throw new IllegalArgumentException("a shard_order of " + by + " where " + known + " cut");
      }
      order.put(dim, by);
    }
    return order;
  }

  private static List<Spans> spans(
      Shape whole, Mesh mesh, List<Placement> placements, Map<Integer, List<Integer>> order) {
    List<Spans> spans = new ArrayList<>();
    for (int d = 0; d < whole.rank(); d++) {
      Spans along = Spans.all(whole.dim(d));
      for (int m : mesh.at().isEmpty() ? List.<Integer>of() : order.getOrDefault(d, List.of())) {
        long factor = placements.get(m).factor();
        long ranks = mesh.sizes().get(m);
        long at = mesh.at().get().get(m);
        along = factor > 1 ? along.strided(factor, ranks, at) : along.shard(ranks, at);
      }
      spans.add(along);
    }
    return spans;
  }
}
