package dev.reweave.checkpoint.fsdp;

import static dev.reweave.checkpoint.fsdp.MadeRanks.longs;
import static dev.reweave.checkpoint.fsdp.RankReadings.assertRefused;
import static dev.reweave.testing.PickleWriter.dict;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.checkpoint.fsdp.MadeRanks.Form;
import dev.reweave.checkpoint.fsdp.MadeRanks.Part;
import dev.reweave.checkpoint.fsdp.MadeRanks.Rank;
import dev.reweave.checkpoint.fsdp.MadeShards.Box;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Converting;
import dev.reweave.testing.PickleWriter.Call;
import dev.reweave.testing.PickleWriter.Global;
import dev.reweave.testing.PickleWriter.Instance;
import dev.reweave.testing.PickleWriter.Tuple;
import dev.reweave.testing.TensorValue;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Pickles that pretend to be sharded tensors: each is refused with one clear message. */
class HostileRanksTest {
  private static final List<Integer> MESH = List.of(2, 2);
  private static final Shape SHAPE = Shape.of(6, 4);
  private static final String PLACEMENTS = "torch.distributed.tensor.placement_types";

  @TempDir Path temp;

  /** What is wrong in the file of rank 1, and what is said of it. */
  record Fault(String name, Form form, Consumer<Rank> change, String said) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static Fault fault(String name, Form form, Consumer<Rank> change, String said) {
    return new Fault(name, form, change, said);
  }

  private static Fault fault(String name, Consumer<Rank> change, String said) {
    return fault(name, Form.AXES, change, said);
  }

  private static Consumer<Rank> placements(Object... placements) {
    return rank -> rank.spec.put("placements", new Tuple(List.of(placements)));
  }

  private static Instance placement(String name, Object... attributes) {
    return new Instance(PLACEMENTS, name, dict(attributes));
  }

  private static Consumer<Rank> meta(Object... arguments) {
    return rank -> {
      rank.spec.put("tensor_meta", Rank.meta(arguments));
      if (arguments.length > 0) {
        rank.arguments.set(2, arguments[0]);
      }
    };
  }

  private static Consumer<Rank> tensor(Object... arguments) {
    return rank ->
        rank.entries.put(
            "w", new Call("torch._tensor", "_rebuild_from_type_v2", List.of(arguments)));
  }

  private static TensorValue local(long offset, Shape shape, Long... strides) {
    return new TensorValue("0", "FloatStorage", 9, offset, shape, List.of(strides));
  }

  static Stream<Fault> faults() {
    Instance shard0 = placement("Shard", "dim", 0);
    Instance replicate = placement("Replicate");
    Global function = new Global("torch._utils", "_rebuild_wrapper_subclass");
    Global type = new Global("torch.distributed.tensor", "DTensor");
    return Stream.of(
        fault("no state", tensor(function, type), "without 'state'"),
        fault("state without spec", tensor(function, type, longs(), dict()), "without '_spec'"),
        fault("state of three", tensor(function, type, longs(), longs(1, 2, 3)), "without '_spec'"),
        fault("no arguments of TensorMeta", meta(), "lacks tensor_meta"),
        fault("negative shape", meta(longs(-6, 4)), "shape"),
        fault("a shape that overflows", meta(longs(1L << 40, 1L << 40)), "shape"),
        fault("a shape that nobody has", meta(longs(1L << 60, 4)), "where its rank has"),
        fault("a shape of more dimensions", meta(longs(6, 4, 1)), "where its rank has"),
        fault("text for a shape", meta("6, 4"), "a shape"),
        fault(
            "two shapes",
            rank -> rank.arguments.set(2, longs(6, 5)),
            "'w' is of shape [6, 5], and its DTensorSpec of shape [6, 4]"),
        fault("fewer placements", placements(shard0), "1 placements on a mesh of 2 dimensions"),
        fault(
            "more placements",
            rank -> rank.spec.put("placements", new Tuple(Collections.nCopies(100, shard0))),
            "100 placements on a mesh of 2 dimensions"),
        fault(
            "no such dimension",
            placements(shard0, placement("Shard", "dim", 2)),
            "cut along dimension 2, and has 2"),
        fault(
            "no such dimension from the end",
            placements(shard0, placement("Shard", "dim", -3)),
            "cut along dimension -3, and has 2"),
        fault(
            "a dimension that is text",
            placements(shard0, placement("Shard", "dim", "0")),
            "known"),
        fault("partial sums", placements(replicate, placement("Partial")), "Partial placement"),
        fault(
            "an unknown placement",
            placements(replicate, placement("RaggedShard")),
            "a placement that is not known: a value of " + PLACEMENTS + ".RaggedShard"),
        fault(
            "a factor of nothing",
            placements(placement("_StridedShard", "dim", 0, "split_factor", 0), replicate),
            "a placement that is not known"),
        fault(
            "parts that nobody makes",
            rank -> {
              meta(longs(1L << 40, 4)).accept(rank);
              placements(placement("_StridedShard", "dim", 0, "split_factor", 1 << 30), replicate)
                  .accept(rank);
            },
            "is cut in a way that no mesh cuts"),
        fault(
            "another way to cut",
            placements(placement("Shard", "dim", 1), placement("Shard", "dim", 0)),
            "'w' is F32"),
        fault(
            "another part",
            rank -> rank.local = local(0, Shape.of(2, 2), 2L, 1L),
            "of shape [2, 2]"),
        fault(
            "beyond its storage", rank -> rank.local = local(4, Shape.of(3, 2), 2L, 1L), "storage"),
        fault(
            "overlapping strides", rank -> rank.local = local(0, Shape.of(3, 2), -1L, 1L), "strid"),
        fault(
            "no mesh",
            rank -> rank.spec.put("mesh", new Instance("m", "DeviceMesh", dict("x", 1))),
            "a DeviceMesh of a form that is not known"),
        fault("a mesh without ranks", rank -> rank.mesh.remove("_flatten_rank_map"), "not known"),
        fault(
            "a mesh without layout", rank -> rank.mesh.remove("_layout"), "form that is not known"),
        fault(
            "a rank twice",
            rank -> rank.mesh.put("_flatten_rank_map", longs(0, 1, 1, 3)),
            "ranks that are none, or stand there twice"),
        fault(
            "negative ranks",
            rank -> rank.mesh.put("_flatten_rank_map", longs(0, 1, 2, -3)),
            "ranks that are none"),
        fault(
            "more ranks than files",
            rank -> rank.mesh.put("_flatten_rank_map", longs(0, 1, 2, 3, 4, 5)),
            "the files tell of 6 ranks, and their names of 4"),
        fault(
            "fewer ranks than the axes reach",
            rank -> rank.mesh.put("_flatten_rank_map", longs(0, 1, 2)),
            "axes that reach 4 of 3 ranks"),
        fault(
            "a rank of its own",
            rank -> rank.mesh.put("_rank", 3),
            "it is of rank 3, and its name"),
        fault(
            "another place",
            rank -> rank.mesh.put("_coordinate_on_dim", List.of(1, 1)),
            "the mesh has rank 1 at [0, 1], and says that it is at [1, 1]"),
        fault(
            "axes that overlap",
            Form.LAYOUT,
            rank -> rank.mesh.put("_layout", Rank.layout(longs(2, 2), longs(1, 1))),
            "axes that overlap"),
        fault(
            "axes that reach no rank from this one",
            Form.LAYOUT,
            rank -> {
              rank.mesh.put("_layout", Rank.layout(longs(2, 1), longs(3, 1)));
              rank.mesh.put("_flatten_rank_map", longs(0, 2, 3, 4, 5, 6, 1));
            },
            "axes that reach beyond 7 ranks"),
        fault(
            "axes without steps",
            Form.LAYOUT,
            rank -> rank.mesh.put("_layout", Rank.layout(longs(2, 2), longs(0, 1))),
            "axes that overlap: 2 steps of 0"),
        fault(
            "more lengths than strides",
            Form.LAYOUT,
            rank -> rank.mesh.put("_layout", Rank.layout(longs(2, 2), longs(1))),
            "2 lengths and 1 strides"),
        fault(
            "a nested layout that is not nested alike",
            Form.LAYOUT,
            rank ->
                rank.mesh.put(
                    "_layout", Rank.layout(new Tuple(List.of(longs(2, 1), 2)), longs(2, 1))),
            "2 lengths and 1 strides"),
        fault(
            "ranks that are not those of the tensor",
            Form.TENSOR,
            rank -> rank.mesh.put("_flatten_mesh_list", longs(0, 1, 2)),
            "3 ranks in a mesh of 4"),
        fault(
            "an order of nobody",
            rank ->
                rank.spec.put(
                    "shard_order",
                    new Tuple(List.of(new Call("m", "ShardOrderEntry", List.of(0, longs(5, 6)))))),
            "a shard_order of [5, 6] where"));
  }

  @ParameterizedTest
  @MethodSource("faults")
  void isRefused(Fault fault) throws IOException {
    for (int r = 0; r < 4; r++) {
      Rank rank = new Rank(MESH, List.of(new Part(0, 0), new Part(1, 0)), SHAPE, fault.form(), r);
      if (r == 1) {
        fault.change().accept(rank);
      }
      rank.write(temp);
    }

    assertRefused(temp, fault.said());
  }

  /** Without the fault all of them are read: the tests above do see the fault. */
  @Test
  void withoutFault() throws IOException {
    for (Form form : Form.values()) {
      Path folder = temp.resolve(form.name());
      MadeRanks.write(folder, MESH, List.of(new Part(0, 0), new Part(1, 0)), SHAPE, form);
      assertEquals(1, RankReadings.read(folder).tensors().size());
    }
  }

  /** A nested axis, as torch 2.9 to 2.12 has a flattened mesh: ranks 0, 2, 1, 3 of it. */
  @Test
  void aNestedAxis() throws IOException {
    List<Integer> order = List.of(0, 2, 1, 3);
    for (int r = 0; r < 4; r++) {
      Rank rank =
          new Rank(List.of(4), List.of(new Part(0, 0)), SHAPE, Form.LAYOUT, order.indexOf(r));
      rank.mesh.put(
          "_layout", Rank.layout(new Tuple(List.of(longs(2, 2))), new Tuple(List.of(longs(1, 2)))));
      rank.mesh.put("_preserve_rank_order", true);
      rank.mesh.put("_coordinate_on_dim", List.of(order.indexOf(r)));
      rank.writeAs(temp, r);
    }

    assertEquals(
        FsdpRoundTripTest.counted(SHAPE),
        Converting.between(temp, temp.resolve("out")).gather().tensors());
  }

  @Test
  void ranksWithoutATensor() throws IOException {
    for (int r = 0; r < 4; r++) {
      Rank rank = new Rank(MESH, List.of(new Part(0, 0), new Part(1, 0)), SHAPE, Form.AXES, r);
      if (r == 2) {
        rank.entries.put("v", rank.entries.remove("w"));
      }
      rank.write(temp);
    }

    assertRefused(
        temp,
        "'w' is not in this file, and in that of another rank, model_world_size_4_rank_0.pt",
        "model_world_size_4_rank_2.pt");
  }

  /** Replicas that differ are told, as all copies of ranks are; the first rank's is taken. */
  @Test
  void replicasThatDiffer() throws IOException {
    Shape shape = Shape.of(3, 2);
    for (int r = 0; r < 2; r++) {
      Rank rank = new Rank(List.of(2), List.of(Part.REPLICATE), shape, Form.AXES, r);
      if (r == 1) {
        // One element further in its storage.
        TensorValue made = (TensorValue) rank.local;
        rank.local =
            new TensorValue(
                made.storageKey(),
                made.storageClass(),
                made.storageElements(),
                made.offset() + 1,
                made.shape(),
                made.strides());
      }
      rank.write(temp);
    }

    assertEquals(
        Map.of("w", 6L), Converting.between(temp, temp.resolve("out")).gather().differences());
  }

  /** What is wrong with shards of FSDP1, and what is said of it. */
  record ShardFault(String name, Consumer<MadeShards> change, String said) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<ShardFault> shardFaults() {
    Box second = new Box(1, 3, 0, 3, 4);
    return Stream.of(
        new ShardFault("a missing shard", made -> both(made, null), "do not make it up"),
        new ShardFault(
            "a shard beyond the tensor",
            made -> both(made, new Box(1, 4, 0, 3, 4)),
            "lies outside the tensor"),
        new ShardFault(
            "a shard far beyond the tensor",
            made -> both(made, new Box(1, Long.MAX_VALUE, 1L << 62, 3, 4)),
            "outside the tensor"),
        new ShardFault(
            "a negative offset", made -> both(made, new Box(1, -3, 0, 3, 4)), "outside the tensor"),
        new ShardFault(
            "shards that overlap", made -> both(made, new Box(1, 2, 0, 4, 4)), "overlaps"),
        new ShardFault(
            "a shard that is not listed",
            made -> made.listed.remove(second),
            "has a part of 'w' of shape [3, 4], where its rank has [3, 4] at [3, 0]"),
        new ShardFault(
            "another type",
            made -> made.type = new Global("torch", "float16"),
            "of type F32, which should be F16"));
  }

  private static void both(MadeShards made, Box second) {
    for (List<Box> boxes : List.of(made.listed, made.had)) {
      boxes.remove(1);
      if (second != null) {
        boxes.add(second);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("shardFaults")
  void isRefused(ShardFault fault) throws IOException {
    MadeShards made =
        new MadeShards(SHAPE, 2, List.of(new Box(0, 0, 0, 3, 4), new Box(1, 3, 0, 3, 4)));
    made.write(temp.resolve("sound"));
    assertEquals(1, RankReadings.read(temp.resolve("sound")).tensors().size());
    fault.change().accept(made);
    made.write(temp.resolve("broken"));

    assertRefused(temp.resolve("broken"), fault.said());
  }
}
