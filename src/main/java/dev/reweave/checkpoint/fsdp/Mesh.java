package dev.reweave.checkpoint.fsdp;

import dev.reweave.format.pytorch.TorchValue;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;

/**
 * The place of one rank in a {@code DeviceMesh}, as {@code torch/distributed/device_mesh.py}
 * pickles it.
 *
 * <p>Until torch 2.9 it has its ranks as a tensor {@code mesh} with {@code _flatten_mesh_list}.
 * Later ones have the ranks of the root mesh, {@code _flatten_rank_map}, and a {@code _layout} that
 * says which of them are this mesh's: a shape with strides, nested where axes were flattened, and
 * since 2.13 a list of {@code axes}.
 *
 * @param sizes of its dimensions
 * @param at the rank's number among those along each; empty if the mesh has not this rank
 * @param names of its dimensions; empty if they have none
 * @param members the rank and those that it shares the mesh with, in rising order; empty if the
 *     mesh has not this rank
 * @param world how many ranks there are at least
 */
record Mesh(
    List<Long> sizes, Optional<List<Long>> at, List<String> names, List<Long> members, long world) {
  /** More dimensions than any mesh has. */
  private static final int MOST_AXES = 64;

  /** Every so manyth rank of the root, so many times. */
  private record Steps(long size, long stride) {}

  /**
   * Reads one.
   *
   * @param rank whose file it stands in
   * @param pieces count what is looked at
   * @throws dev.reweave.common.ReweaveException if it is of a form that is not known, or does not
   *     fit itself or the rank
   */
  static Mesh of(TorchValue mesh, int rank, Pieces pieces) {
    try {
      return mesh.attribute("mesh").isPresent()
          ? ofTensor(mesh, rank, pieces)
          : ofLayout(mesh, rank, pieces);
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw FsdpFailures.meshDoesNotFit(mesh.place(), e);
    }
  }

  /** Until torch 2.9: the mesh itself, row by row. */
  private static Mesh ofTensor(TorchValue mesh, int rank, Pieces pieces) {
    long[] sizes = mesh.attribute("mesh").orElseThrow().tensor().shape().dims();
    List<List<Steps>> axes = new ArrayList<>();
    long stride = 1;
    for (int d = sizes.length - 1; d >= 0; d--) {
      axes.add(0, sizes[d] == 1 ? List.of() : List.of(new Steps(sizes[d], stride)));
      stride = Math.multiplyExact(stride, sizes[d]);
    }
    List<Long> ranks = ranks(mesh, "_flatten_mesh_list", pieces);
    if (stride != ranks.size()) {
      throw new IllegalArgumentException(ranks.size() + " ranks in a mesh of " + stride);
    }
    return of(mesh, axes, ranks, rank);
  }

  private static Mesh ofLayout(TorchValue mesh, int rank, Pieces pieces) {
    TorchValue layout =
        mesh.attribute("_layout").orElseThrow(() -> FsdpFailures.unknownMesh(mesh.place()));
    return of(mesh, axes(layout), ranks(mesh, "_flatten_rank_map", pieces), rank);
  }

  /**
   * @param ranks in which the axes take their steps
   */
  private static Mesh of(TorchValue mesh, List<List<Steps>> axes, List<Long> ranks, int rank) {
    requireApart(axes, ranks.size());
    boolean ordered = mesh.attribute("_preserve_rank_order").filter(o -> isTrue(o)).isPresent();
    int position = ranks.indexOf((long) rank);
    List<Long> sizes = new ArrayList<>();
    List<Long> index = new ArrayList<>();
    List<Long> inGroup = new ArrayList<>();
    for (List<Steps> axis : axes) {
      long size = 1;
      long digit = 0;
      for (Steps steps : axis) {
        size *= steps.size();
        digit = digit * steps.size() + position / steps.stride() % steps.size();
      }
      sizes.add(size);
      index.add(digit);
      inGroup.add(ordered || position < 0 ? digit : inGroup(axis, ranks, position));
    }
    if (position < 0) {
      index.clear();
      inGroup.clear();
    }
    requireSelf(mesh, rank, position < 0 ? Optional.empty() : Optional.of(index));
    return new Mesh(
        List.copyOf(sizes),
        position < 0 ? Optional.empty() : Optional.of(List.copyOf(inGroup)),
        names(mesh, sizes.size()),
        position < 0 ? List.of() : members(axes, ranks, position),
        ranks.stream().mapToLong(Long::longValue).max().orElseThrow() + 1);
  }

  private static boolean isTrue(TorchValue value) {
    return value.isTruth() && value.truth();
  }

  /**
   * The rank's number among those along an axis. Process groups have their ranks in rising order,
   * whatever the mesh's is, and it is groups that scatter and gather the parts.
   */
  private static long inGroup(List<Steps> axis, List<Long> ranks, int position) {
    return along(axis, ranks, position).stream().filter(rank -> rank < ranks.get(position)).count();
  }

  private static List<Long> members(List<List<Steps>> axes, List<Long> ranks, int position) {
    return along(axes.stream().flatMap(List::stream).toList(), ranks, position).stream()
        .sorted()
        .toList();
  }

  /** The ranks that these steps lead to from one of them, itself among them. */
  private static List<Long> along(List<Steps> all, List<Long> ranks, int position) {
    long start = position;
    for (Steps steps : all) {
      start -= position / steps.stride() % steps.size() * steps.stride();
    }
    List<Long> positions = List.of(start);
    for (Steps steps : all) {
      List<Long> more = new ArrayList<>();
      for (long from : positions) {
        for (long i = 0; i < steps.size(); i++) {
          more.add(from + i * steps.stride());
        }
      }
      positions = more;
    }
    if (positions.stream().anyMatch(p -> p >= ranks.size())) {
      throw new IllegalArgumentException("axes that reach beyond " + ranks.size() + " ranks");
    }
    return positions.stream().map(p -> ranks.get(Math.toIntExact(p))).toList();
  }

  private static List<List<Steps>> axes(TorchValue layout) {
    List<List<Steps>> axes = new ArrayList<>();
    Optional<TorchValue> listed = layout.attribute("axes").filter(TorchValue::isSequence);
    if (listed.isPresent()) {
      requireFew(listed.get().size());
      for (TorchValue axis : listed.get().items()) {
        axes.add(steps(part(axis, "shape"), part(axis, "stride"), new ArrayList<>()));
      }
    } else {
      List<TorchValue> shape = parts(part(layout, "shape"));
      List<TorchValue> stride = parts(part(layout, "stride"));
      requireAlike(shape, stride);
      for (int i = 0; i < shape.size(); i++) {
        axes.add(steps(shape.get(i), stride.get(i), new ArrayList<>()));
      }
    }
    return axes;
  }

  private static void requireFew(int axes) {
    if (axes > MOST_AXES) {
      throw new IllegalArgumentException(axes + " axes");
    }
  }

  /** Lengths and strides of an axis, which are nested alike. */
  private static List<Steps> steps(TorchValue shape, TorchValue stride, List<Steps> into) {
    if (into.size() > MOST_AXES) {
      throw new IllegalArgumentException("an axis of more than " + MOST_AXES + " parts");
    }
    if (shape.isInteger() && stride.isInteger()) {
      if (shape.integer() != 1) {
        into.add(new Steps(shape.integer(), stride.integer()));
      }
      return into;
    }
    List<TorchValue> shapes = parts(shape);
    List<TorchValue> strides = parts(stride);
    requireAlike(shapes, strides);
    for (int i = 0; i < shapes.size(); i++) {
      if (!shapes.get(i).isInteger() && into.size() + i >= MOST_AXES) {
        throw new IllegalArgumentException("an axis nested too deep");
      }
      steps(shapes.get(i), strides.get(i), into);
    }
    return into;
  }

  private static void requireAlike(List<TorchValue> shape, List<TorchValue> stride) {
    if (shape.size() != stride.size()) {
      throw new IllegalArgumentException(
          shape.size() + " lengths and " + stride.size() + " strides");
    }
  }

  private static TorchValue part(TorchValue layout, String name) {
    return layout.attribute(name).orElseThrow(() -> FsdpFailures.unknownMesh(layout.place()));
  }

  private static List<TorchValue> parts(TorchValue value) {
    if (value.isInteger()) {
      return List.of(value);
    }
    requireFew(value.size());
    return value.items();
  }

  /** Each step beyond what all smaller ones reach: so a position has one index along each axis. */
  private static void requireApart(List<List<Steps>> axes, long ranks) {
    List<Steps> all =
        axes.stream()
            .flatMap(List::stream)
            .sorted(Comparator.comparingLong(Steps::stride))
            .toList();
    long reach = 1;
    for (Steps steps : all) {
      if (steps.size() < 1 || steps.stride() < 1 || steps.stride() % reach != 0) {
        throw new IllegalArgumentException(
            "axes that overlap: " + steps.size() + " steps of " + steps.stride());
      }
      reach = Math.multiplyExact(steps.stride(), steps.size());
    }
    if (reach > Math.max(1, ranks)) {
      throw new IllegalArgumentException("axes that reach " + reach + " of " + ranks + " ranks");
    }
  }

  private static List<Long> ranks(TorchValue mesh, String name, Pieces pieces) {
    TorchValue list =
        mesh.attribute(name)
            .filter(TorchValue::isSequence)
            .orElseThrow(() -> FsdpFailures.unknownMesh(mesh.place()));
    pieces.look(list.size());
    List<Long> ranks = list.items().stream().map(TorchValue::integer).toList();
    if (ranks.isEmpty()
        || new HashSet<>(ranks).size() < ranks.size()
        || ranks.stream().anyMatch(r -> r < 0 || r > Integer.MAX_VALUE)) {
      throw new IllegalArgumentException("ranks that are none, or stand there twice");
    }
    return ranks;
  }

  private static List<String> names(TorchValue mesh, int dimensions) {
    List<String> names =
        mesh.attribute("_mesh_dim_names")
            .or(() -> mesh.attribute("mesh_dim_names"))
            .filter(n -> n.isSequence() && n.size() <= MOST_AXES)
            .map(n -> n.items().stream().map(TorchValue::text).toList())
            .orElse(List.of());
    if (!names.isEmpty() && names.size() != dimensions) {
      throw new IllegalArgumentException(names + " for " + dimensions + " dimensions");
    }
    return names;
  }

  /** What the mesh says of its own rank has to be what its ranks say. */
  private static void requireSelf(TorchValue mesh, int rank, Optional<List<Long>> at) {
    Optional<Long> said =
        mesh.attribute("_rank").filter(TorchValue::isInteger).map(TorchValue::integer);
    if (said.isPresent() && said.get() != rank) {
      throw FsdpFailures.otherRank(said.get(), rank, mesh.place());
    }
    Optional<List<Long>> own =
        mesh.attribute("_coordinate_on_dim")
            .filter(c -> c.isSequence() && c.size() <= MOST_AXES)
            .map(c -> c.items().stream().map(TorchValue::integer).toList());
    if (own.isPresent() && !own.equals(at)) {
      throw FsdpFailures.otherIndex(
          own.get().toString(), at.map(List::toString).orElse("none"), rank, mesh.place());
    }
  }

  /** As people read it: {@code dp 2 x tp 4}. */
  String text() {
    List<String> dimensions = new ArrayList<>();
    for (int d = 0; d < sizes.size(); d++) {
      dimensions.add((names.isEmpty() ? "" : names.get(d) + " ") + sizes.get(d));
    }
    return sizes.isEmpty() ? "of one rank" : String.join(" x ", dimensions);
  }
}
