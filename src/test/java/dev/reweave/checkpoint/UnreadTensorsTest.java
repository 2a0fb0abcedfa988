package dev.reweave.checkpoint;

import static dev.reweave.testing.PickleWriter.dict;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Floats;
import dev.reweave.testing.Locations;
import dev.reweave.testing.PickleWriter.Call;
import dev.reweave.testing.PickleWriter.Global;
import dev.reweave.testing.PickleWriter.Instance;
import dev.reweave.testing.PickleWriter.OrderedDict;
import dev.reweave.testing.PickleWriter.Tuple;
import dev.reweave.testing.StorageContent;
import dev.reweave.testing.TensorValue;
import dev.reweave.testing.TorchZipWriter;
import dev.reweave.testing.VersionedFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tensors of kinds that are not read, where weights are expected: refused, and never left out. */
class UnreadTensorsTest {
  private static final Stores STORES = new Stores(new Configuration());

  @TempDir Path temp;

  private static TensorValue plain() {
    return new TensorValue("0", "FloatStorage", 2, 0, Shape.of(2), List.of(1L));
  }

  private static Call rebuilt(String function, Object... arguments) {
    return new Call("torch._utils", function, Arrays.asList(arguments));
  }

  /** Each as torch pickles it, but for arguments that make no difference here. */
  static List<Object> kinds() {
    Tuple shape = new Tuple(List.of(2));
    Tuple strides = new Tuple(List.of(1));
    Global type = new Global("torch", "float32");
    return List.of(
        rebuilt("_rebuild_qtensor", plain(), 0, shape, strides, new Tuple(List.of(1, 0.5, 0))),
        rebuilt("_rebuild_sparse_tensor", new Global("torch", "sparse_coo"), new Tuple(List.of())),
        rebuilt("_rebuild_nested_tensor", plain(), plain(), plain(), plain()),
        rebuilt("_rebuild_meta_tensor_no_storage", type, shape, strides, false),
        rebuilt("_rebuild_device_tensor_from_numpy", array(), type, "xla:0", false),
        rebuilt("_rebuild_wrapper_subclass", new Global("a.b", "Mine"), type, shape, strides),
        rebuilt("_rebuild_tensor_v2", "conj", 0, shape, strides, false, dict(), dict("conj", true)),
        rebuilt("_rebuild_parameter", rebuilt("_rebuild_qtensor"), true, dict()),
        new Call(
            "torch._tensor",
            "_rebuild_from_type_v2",
            List.of(
                new Global("torch._utils", "_rebuild_wrapper_subclass"),
                new Global("torch.distributed.tensor", "DTensor"),
                new Tuple(List.of(type)),
                dict("_local_tensor", plain()))),
        array(),
        new Call("mine", "Packed", List.of(plain())),
        new Instance("mine", "Packed", dict("data", plain())));
  }

  private static Call array() {
    return new Call(
        "numpy.core.multiarray", "_reconstruct", List.of(new Global("numpy", "ndarray")));
  }

  static List<Object> hidden() {
    return List.of(
        List.of(1, plain()),
        new Tuple(List.of(rebuilt("_rebuild_qtensor"), 1)),
        dict("inner", dict("w", plain())));
  }

  private static Checkpoint read(Path input, ReadOptions options) {
    return new CheckpointReader(STORES, new ThreadScanner(STORES))
        .read(Locations.of(input), options);
  }

  private static List<String> names(Checkpoint checkpoint) {
    return checkpoint.tensors().stream().map(NamedTensor::name).toList();
  }

  private static ReweaveException refused(Path input, ReadOptions options) {
    ReweaveException e = assertThrows(ReweaveException.class, () -> read(input, options));
    assertEquals(ReweaveException.Kind.UNSUPPORTED_INPUT, e.kind(), e.getMessage());
    return e;
  }

  private static void assertSays(String text, String... parts) {
    Arrays.stream(parts).forEach(part -> assertTrue(text.contains(part), text));
  }

  @Nested
  class PlainFiles {
    private Path file(Object root) throws IOException {
      Path file = temp.resolve("weights.pt");
      TorchZipWriter.write(file, root, List.of(StorageContent.of(DType.F32, new byte[8])));
      return file;
    }

    private ReweaveException refused(Object root) throws IOException {
      return UnreadTensorsTest.refused(file(root), ReadOptions.defaults());
    }

    @ParameterizedTest
    @MethodSource("dev.reweave.checkpoint.UnreadTensorsTest#kinds")
    void besidePlainTensors(Object kind) throws IOException {
      Map<Object, Object> weights = dict("a", plain(), "fc.weight", kind);

      for (Object root : List.of(weights, dict("state_dict", weights, "epoch", 3))) {
        ReweaveException e = refused(root);
        assertSays(e.problem(), "'fc.weight' is a value of ", ", not a plain tensor");
        assertSays(e.place(), "/weights.pt at ", "['fc.weight']");
        boolean slice = e.problem().contains("one rank's part");
        assertSays(e.remedy(), slice ? "full_state_dict" : "dequantize");
      }
    }

    @Test
    void areCalledByWhatTellsMost() throws IOException {
      List<Object> kinds = kinds();

      assertSays(refused(dict("a", kinds.get(0))).problem(), "of torch._utils._rebuild_qtensor,");
      assertSays(
          refused(dict("a", kinds.get(8))).problem(), "of torch.distributed.tensor.DTensor,");
    }

    /** What is beside the weights is not taken for them. */
    @Test
    void inADictOfTheirOwn() throws IOException {
      Object weights = dict("fc.weight", kinds().get(0));

      assertSays(refused(dict("model", weights, "step", plain())).place(), "model['fc.weight']");
    }

    @ParameterizedTest
    @MethodSource("dev.reweave.checkpoint.UnreadTensorsTest#hidden")
    void inContainers(Object container) throws IOException {
      Map<Object, Object> weights = dict("a", plain(), "fc._packed_params", container);

      for (Object root : List.of(weights, dict("module", weights))) {
        ReweaveException e = refused(root);
        assertSays(
            e.problem(), "'fc._packed_params' is a ", " with tensors in it, not a plain tensor");
        assertSays(e.remedy(), "under names of their own");
      }
    }

    @Test
    void objectsThatAreNoTensorsStandBesideTheWeightsOfAFile() throws IOException {
      Checkpoint read =
          read(
              file(
                  dict(
                      "a",
                      plain(),
                      "args",
                      new Instance("argparse", "Namespace", dict("lr", 0.1)),
                      "optimizer",
                      dict("state", List.of(plain())),
                      "shape",
                      new Tuple(List.of(1, 2)),
                      "type",
                      new Global("torch", "qint8"),
                      "epoch",
                      3,
                      "nothing",
                      null)),
              ReadOptions.defaults());

      assertEquals(List.of("a"), names(read));
      assertEquals(List.of("6 entries of the state dict are no tensors: left out"), read.notes());
    }

    @Test
    void extraStateIsNone() throws IOException {
      Checkpoint read =
          read(
              file(
                  dict(
                      "module",
                      dict(
                          "a",
                          plain(),
                          "_extra_state",
                          dict("scales", List.of(plain())),
                          "fc._extra_state",
                          new Instance("_io", "BytesIO", dict("b", 1)),
                          "fc2._extra_state",
                          null))),
              ReadOptions.defaults());

      assertEquals(List.of("a"), names(read));
    }

    @Test
    void twoOfOneName() throws IOException {
      ReweaveException e =
          assertThrows(
              ReweaveException.class,
              () -> read(file(dict(1, plain(), "1", plain())), ReadOptions.defaults()));

      assertSays(e.getMessage(), "two tensors are called '1'", "weights.pt");
    }
  }

  @Nested
  class Ranks {
    private final Floats trained = Floats.random("w", 1, 3, 2);
    private final Floats frozen = Floats.random("f", 2, 3);

    private VersionedFiles files(int stage, Object module) throws IOException {
      return new VersionedFiles(temp, "0.19.6", stage, 2)
          .group(trained)
          .frozen(frozen)
          .model(root -> root.put("module", change(root.get("module"), module)));
    }

    private static OrderedDict change(Object module, Object changed) {
      Map<Object, Object> items = dict();
      ((OrderedDict) module).items().forEach(items::put);
      items.putAll((Map<?, ?>) changed);
      return new OrderedDict(items);
    }

    @ParameterizedTest
    @MethodSource("dev.reweave.checkpoint.UnreadTensorsTest#kinds")
    void inTheModule(Object kind) throws IOException {
      files(2, dict("fc.weight", kind)).write();

      ReweaveException e = refused(temp, ReadOptions.defaults());
      assertSays(e.problem(), "'fc.weight' is a value of ", ", not a plain tensor");
      assertSays(e.place(), "mp_rank_00_model_states.pt at module['fc.weight']");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void buffers(int stage) throws IOException {
      files(stage, dict(VersionedFiles.BUFFER, kinds().get(0))).write();

      for (ReadOptions.Frozen frozen : ReadOptions.Frozen.values()) {
        ReadOptions options = new ReadOptions(Optional.empty(), Optional.empty(), frozen);
        assertSays(refused(temp, options).problem(), "'" + VersionedFiles.BUFFER + "' is a value");
      }
    }

    @Test
    void frozenOnesThatAreLeftOutMayBeOfAnyKind() throws IOException {
      files(1, dict("f", kinds().get(0))).write();
      ReadOptions without =
          new ReadOptions(Optional.empty(), Optional.empty(), ReadOptions.Frozen.EXCLUDE);

      assertSays(refused(temp, ReadOptions.defaults()).problem(), "'f' is a value");
      assertEquals(List.of(VersionedFiles.BUFFER, "w"), names(read(temp, without)));
    }

    /** As with fp8 layers, whose masters are fp32. */
    @Test
    void trainedOnesThatHaveMastersMayBeOfAnyKind() throws IOException {
      files(2, dict("w", kinds().get(8))).write();
      ReadOptions module =
          new ReadOptions(Optional.empty(), Optional.of(Weights.MODEL), ReadOptions.Frozen.INCLUDE);

      assertEquals(
          List.of(VersionedFiles.BUFFER, "f", "w"), names(read(temp, ReadOptions.defaults())));
      assertSays(refused(temp, module).problem(), "'w' is a value");
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void frozenFragments(int stage) throws IOException {
      files(stage, dict())
          .model(
              root ->
                  root.put(
                      "frozen_param_fragments",
                      change(root.get("frozen_param_fragments"), dict("f", kinds().get(8)))))
          .write();

      ReweaveException e = refused(temp, ReadOptions.defaults());
      assertSays(e.problem(), "'f' is a value of torch.distributed.tensor.DTensor");
      assertSays(e.place(), "model_states.pt at frozen_param_fragments.f");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void partitions(int stage) throws IOException {
      String key = stage == 3 ? "fp32_flat_groups" : "single_partition_of_fp32_groups";
      files(stage, dict()).optimizer(state -> state.put(key, List.of(kinds().get(0)))).write();

      ReweaveException e =
          assertThrows(ReweaveException.class, () -> read(temp, ReadOptions.defaults()));
      assertSays(e.getMessage(), "not a plain tensor", key + "[0]", "resolve_conj");
    }

    @Test
    void aModuleThatIsNoDict() throws IOException {
      new VersionedFiles(temp, "0.19.6", 2, 2)
          .group(trained)
          .model(root -> root.put("module", List.of(plain())))
          .write();

      ReweaveException e =
          assertThrows(ReweaveException.class, () -> read(temp, ReadOptions.defaults()));
      assertSays(e.getMessage(), "expected a dict but found a list", "at module");
    }

    @Test
    void extraStateIsNone() throws IOException {
      files(2, dict("fc._extra_state", new Instance("_io", "BytesIO", dict("b", 1)))).write();

      assertEquals(
          List.of(VersionedFiles.BUFFER, "f", "w"), names(read(temp, ReadOptions.defaults())));
    }
  }

  @Test
  void ofExpertsAndLayers() throws IOException {
    Path folder = Files.createDirectories(temp.resolve("global_step1"));
    List<StorageContent> storages = List.of(StorageContent.of(DType.F32, new byte[8]));
    Object states = dict("module", null, "mp_world_size", 1, "dp_world_size", 1);
    TorchZipWriter.write(folder.resolve("mp_rank_00_model_states.pt"), states, storages);
    TorchZipWriter.write(
        folder.resolve("layer_00-model_states.pt"),
        dict("a", plain(), "b", kinds().get(1)),
        storages);

    ReweaveException e = refused(folder, ReadOptions.defaults());
    assertSays(e.getMessage(), "'b' is a value of", "layer_00-model_states.pt at b");
  }
}
