package dev.reweave.checkpoint.fsdp;

import static dev.reweave.testing.PickleWriter.dict;

import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.PickleWriter.Call;
import dev.reweave.testing.PickleWriter.Global;
import dev.reweave.testing.PickleWriter.Instance;
import dev.reweave.testing.PickleWriter.Tuple;
import dev.reweave.testing.StorageContent;
import dev.reweave.testing.TensorValue;
import dev.reweave.testing.TorchZipWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/**
 * Files of ranks with one DTensor, whose elements are their own numbers. Each step is done as
 * plainly as it can be: with lists of indexes, one for each dimension.
 */
final class MadeRanks {
  private static final String PLACEMENTS = "torch.distributed.tensor.placement_types";

  /** How a mesh is pickled. */
  enum Form {
    /** Until torch 2.9: a tensor. */
    TENSOR,
    /** Then a layout of shape and stride. */
    LAYOUT,
    /** Since 2.13 a list of axes. */
    AXES
  }

  /**
   * What one dimension of the mesh does.
   *
   * @param dim -1000 for a replica
   * @param factor 0 for a plain shard
   */
  record Part(int dim, int factor) {
    static final Part REPLICATE = new Part(-1000, 0);

    Object pickled() {
      if (dim == -1000) {
        return new Instance(PLACEMENTS, "Replicate", Map.of());
      }
      return factor == 0
          ? new Instance(PLACEMENTS, "Shard", dict("dim", dim))
          : new Instance(PLACEMENTS, "_StridedShard", dict("dim", dim, "split_factor", factor));
    }
  }

  private MadeRanks() {}

  /** Writes the files of all ranks of a mesh. */
  static void write(Path folder, List<Integer> mesh, List<Part> parts, Shape shape, Form form)
      throws IOException {
    Files.createDirectories(folder);
    int world = mesh.stream().mapToInt(Integer::intValue).reduce(1, (a, b) -> a * b);
    for (int rank = 0; rank < world; rank++) {
      new Rank(mesh, parts, shape, form, rank).write(folder);
    }
  }

  /** One rank's file, each part of which can be exchanged before it is written. */
  static final class Rank {
    private final int rank;
    private final int world;
    final Map<Object, Object> mesh = new LinkedHashMap<>();
    final Map<Object, Object> spec = new LinkedHashMap<>();
    final List<Object> arguments = new ArrayList<>();
    final Map<Object, Object> entries = new LinkedHashMap<>();
    final List<StorageContent> storages = new ArrayList<>();
    Object local;

    Rank(List<Integer> sizes, List<Part> parts, Shape shape, Form form, int rank) {
      this.rank = rank;
      this.world = sizes.stream().mapToInt(Integer::intValue).reduce(1, (a, b) -> a * b);
      List<Integer> at = indexIn(sizes, rank);
      describe(sizes, form, at);
      List<List<Long>> indexes = new ArrayList<>();
      for (long dim : shape.dims()) {
        indexes.add(LongStream.range(0, dim).boxed().toList());
      }
      for (int m = 0; m < sizes.size(); m++) {
        Part part = parts.get(m);
        if (!part.equals(Part.REPLICATE)) {
          int dim = Math.floorMod(part.dim(), shape.rank());
          indexes.set(dim, share(indexes.get(dim), part, sizes.get(m), at.get(m)));
        }
      }
      local = tensor(indexes, shape);
      spec.put("mesh", new Instance("torch.distributed.device_mesh", "DeviceMesh", mesh));
      spec.put("placements", new Tuple(parts.stream().map(Part::pickled).toList()));
      spec.put("tensor_meta", meta(longs(shape.dims())));
      arguments.addAll(
          Arrays.asList(
              new Global("torch.distributed.tensor", "DTensor"),
              new Global("torch", "float32"),
              longs(shape.dims()),
              longs(shape.rowMajorStrides())));
      entries.put("w", null);
    }

    private void describe(List<Integer> sizes, Form form, List<Integer> at) {
      List<Long> ranks = LongStream.range(0, world).boxed().toList();
      List<Integer> strides = new ArrayList<>();
      for (int d = 0; d < sizes.size(); d++) {
        strides.add(sizes.subList(d + 1, sizes.size()).stream().reduce(1, (a, b) -> a * b));
      }
      switch (form) {
        case TENSOR -> {
          mesh.put("device_type", "cpu");
          Shape shape = Shape.of(sizes.stream().map(Integer::longValue).toList());
          mesh.put("mesh", number(shape));
          mesh.put("_flatten_mesh_list", new Tuple(ranks));
        }
        case LAYOUT -> {
          mesh.put("_layout", layout(new Tuple(sizes), new Tuple(strides)));
          mesh.put("_flatten_rank_map", new Tuple(ranks));
        }
        case AXES -> {
          List<Object> axes = new ArrayList<>();
          for (int d = 0; d < sizes.size(); d++) {
            // What has one rank has no steps.
            List<Integer> size = sizes.get(d) == 1 ? List.of() : List.of(sizes.get(d));
            List<Integer> stride = sizes.get(d) == 1 ? List.of() : List.of(strides.get(d));
            axes.add(
                new Instance(
                    "torch.distributed._mesh_layout",
                    "_FlatLayout",
                    dict("shape", new Tuple(size), "stride", new Tuple(stride))));
          }
          mesh.put(
              "_layout",
              new Instance(
                  "torch.distributed._mesh_layout", "_MeshLayout", dict("axes", new Tuple(axes))));
          mesh.put("_flatten_rank_map", new Tuple(ranks));
          mesh.put("_rank", rank);
        }
      }
      mesh.put("_coordinate_on_dim", new ArrayList<>(at));
    }

    static Instance layout(Tuple shape, Tuple stride) {
      return new Instance(
          "torch.distributed._mesh_layout", "_MeshLayout", dict("shape", shape, "stride", stride));
    }

    static Call meta(Object... arguments) {
      return new Call(
          "torch.distributed.tensor._dtensor_spec", "TensorMeta", Arrays.asList(arguments));
    }

    /** A tensor of 32-bit integers, of which nobody reads an element. */
    private TensorValue number(Shape shape) {
      storages.add(StorageContent.of(DType.I32, new byte[4 * (int) shape.elements()]));
      return new TensorValue(
          String.valueOf(storages.size() - 1),
          "IntStorage",
          shape.elements(),
          0,
          shape,
          LongStream.of(shape.rowMajorStrides()).boxed().toList());
    }

    /** The elements at these indexes; the storage has more before and behind them. */
    private TensorValue tensor(List<List<Long>> indexes, Shape shape) {
      List<Long> numbers = List.of(0L);
      long[] strides = shape.rowMajorStrides();
      for (int d = 0; d < shape.rank(); d++) {
        List<Long> more = new ArrayList<>();
        for (long number : numbers) {
          for (long index : indexes.get(d)) {
            more.add(number + index * strides[d]);
          }
        }
        numbers = more;
      }
      Shape sizes = Shape.of(indexes.stream().map(list -> (long) list.size()).toList());
      ByteBuffer content =
          ByteBuffer.allocate(Float.BYTES * (numbers.size() + 3)).order(ByteOrder.LITTLE_ENDIAN);
      content.putFloat(-1);
      numbers.forEach(number -> content.putFloat(number.floatValue()));
      content.putFloat(-2).putFloat(-3);
      storages.add(StorageContent.of(DType.F32, content.array()));
      return new TensorValue(
          String.valueOf(storages.size() - 1),
          "FloatStorage",
          numbers.size() + 3,
          1,
          sizes,
          LongStream.of(sizes.rowMajorStrides()).boxed().toList());
    }

    Object tensor() {
      Map<Object, Object> state =
          dict(
              "_local_tensor",
              local,
              "_spec",
              new Instance("torch.distributed.tensor._dtensor_spec", "DTensorSpec", spec));
      return new Call(
          "torch._tensor",
          "_rebuild_from_type_v2",
          List.of(
              new Global("torch._utils", "_rebuild_wrapper_subclass"),
              new Global("torch.distributed.tensor", "DTensor"),
              new Tuple(arguments),
              new Tuple(Arrays.asList(null, state))));
    }

    void write(Path folder) throws IOException {
      writeAs(folder, rank);
    }

    void writeAs(Path folder, int named) throws IOException {
      writeAs(folder, named, world);
    }

    void writeAs(Path folder, int named, int ranks) throws IOException {
      entries.replaceAll((name, value) -> value == null ? tensor() : value);
      TorchZipWriter.write(
          folder.resolve("model_world_size_%d_rank_%d.pt".formatted(ranks, named)),
          entries,
          storages);
    }
  }

  static Tuple longs(long... values) {
    return new Tuple(LongStream.of(values).boxed().toList());
  }

  private static List<Integer> indexIn(List<Integer> sizes, int rank) {
    List<Integer> index = new ArrayList<>();
    int rest = rank;
    for (int d = sizes.size() - 1; d >= 0; d--) {
      index.add(0, rest % sizes.get(d));
      rest /= sizes.get(d);
    }
    return index;
  }

  /** {@code torch.chunk} of a list; strided, that of each part of one before. */
  static List<Long> share(List<Long> indexes, Part part, int ranks, int rank) {
    if (part.factor() == 0) {
      return chunk(indexes, ranks, rank);
    }
    List<Long> share = new ArrayList<>();
    for (int first = 0; first < part.factor(); first++) {
      share.addAll(chunk(chunk(indexes, part.factor(), first), ranks, rank));
    }
    return share;
  }

  private static List<Long> chunk(List<Long> indexes, int chunks, int chunk) {
    int each = (indexes.size() + chunks - 1) / chunks;
    return indexes.subList(
        Math.min(indexes.size(), each * chunk), Math.min(indexes.size(), each * (chunk + 1)));
  }
}
