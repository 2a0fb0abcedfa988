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
import dev.reweave.testing.Locations;
import dev.reweave.testing.PickleWriter;
import dev.reweave.testing.StorageContent;
import dev.reweave.testing.TensorValue;
import dev.reweave.testing.TorchZipWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code --weights ema} finds the moving average, however the trainer has called and kept it. */
class EmaWeightsTest {
  private static final Stores STORES = new Stores(new Configuration());
  private static final int ELEMENTS = 64;

  @TempDir Path temp;

  private static TensorValue view(int offset, int... dims) {
    long[] lengths = new long[dims.length];
    for (int i = 0; i < dims.length; i++) {
      lengths[i] = dims[i];
    }
    Shape shape = Shape.of(lengths);
    List<Long> strides = new ArrayList<>();
    for (long stride : shape.rowMajorStrides()) {
      strides.add(stride);
    }
    return new TensorValue("0", "FloatStorage", ELEMENTS, offset, shape, strides);
  }

  private static TensorValue counter() {
    return new TensorValue("1", "LongStorage", 1, 0, Shape.of(), List.of());
  }

  /** Weights that begin at this element, so that one set is told from another. */
  private static Map<Object, Object> weights(int offset) {
    return named("", offset);
  }

  private static Map<Object, Object> named(String prefix, int offset) {
    return dict(prefix + "fc.weight", view(offset, 2, 2), prefix + "fc.bias", view(offset + 4, 2));
  }

  private static Map<Object, Object> joined(Object... dicts) {
    Map<Object, Object> all = dict();
    for (Object one : dicts) {
      all.putAll((Map<?, ?>) one);
    }
    return all;
  }

  private Path file(Object root) throws IOException {
    return write(temp.resolve("last.pt"), root);
  }

  private static Path write(Path file, Object root) throws IOException {
    Files.createDirectories(file.getParent());
    TorchZipWriter.write(
        file,
        root,
        List.of(
            StorageContent.of(DType.F32, new byte[ELEMENTS * Float.BYTES]),
            StorageContent.of(DType.I64, new byte[Long.BYTES])));
    return file;
  }

  private static Checkpoint read(Path address, String weights) {
    ReadOptions options = ReadOptions.defaults();
    return new CheckpointReader(STORES, new ThreadScanner(STORES))
        .read(
            Locations.of(address), weights.isEmpty() ? options : options.withWeightsNamed(weights));
  }

  private static ReweaveException refused(Path file) {
    return assertThrows(ReweaveException.class, () -> read(file, "ema"));
  }

  private static Map<String, Long> starts(Checkpoint checkpoint) {
    Map<String, Long> starts = new TreeMap<>();
    for (NamedTensor tensor : checkpoint.tensors()) {
      tensor.layout().runs(0, 1, (storage, offset, n) -> starts.put(tensor.name(), offset));
    }
    return starts;
  }

  private static void assertAverage(int offset, Checkpoint checkpoint) {
    assertEquals(
        Map.of("fc.weight", (long) offset, "fc.bias", offset + 4L),
        starts(checkpoint),
        checkpoint.notes()::toString);
  }

  private static List<String> told(Checkpoint checkpoint) {
    return checkpoint.notTaken().stream().map(NotTaken::text).toList();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ema",
        "ema_model",
        "model_ema",
        "EMA",
        "ema_state_dict",
        "state_dict_ema",
        "ema-weights",
        "shadow"
      })
  void byKey(String key) throws IOException {
    Path file = file(dict("model", weights(0), key, weights(10), "opt_ema", weights(40)));

    assertAverage(10, read(file, "ema"));
    assertAverage(0, read(file, ""));
  }

  @Test
  void nested() throws IOException {
    assertAverage(
        10,
        read(
            file(
                dict(
                    "model",
                    weights(0),
                    "callbacks_state",
                    dict("ema", dict("decay", 0.9, "shadow", weights(10))))),
            "ema"));
    assertAverage(
        10, read(file(dict("module", weights(0), "ema", dict("state_dict", weights(10)))), "ema"));
  }

  @Test
  void twoAverages() throws IOException {
    Path file =
        file(dict("gen", weights(0), "ema_slow", weights(10), "ema_fast", dict("x", weights(20))));

    ReweaveException e = refused(file);
    assertEquals(ReweaveException.Kind.USAGE, e.kind());
    assertEquals("there are several averages of weights here: 'ema_slow', 'ema_fast'", e.problem());
    assertAverage(20, read(file, "ema_fast"));
  }

  @Test
  void noAverage() throws IOException {
    ReweaveException e = refused(file(dict("model", weights(0), "optimizer_ema", weights(8))));

    assertEquals("there are no weights 'ema' in this file", e.problem());
  }

  /** {@code ema-pytorch}: counters and the trained model stand in the module's own dict. */
  @Test
  void namesWithTheOwnersBefore() throws IOException {
    Map<Object, Object> ema =
        joined(
            named("online_model.", 0),
            named("ema_model.", 10),
            dict("initted", counter(), "step", counter()));
    Path file = file(dict("model", weights(0), "ema", ema));

    Checkpoint average = read(file, "ema");
    assertAverage(10, average);
    assertTrue(
        average.notes().contains("names come without 'ema_model.', which the average has"),
        average.notes()::toString);
    assertTrue(
        told(average)
            .contains(
                "online_model.fc.weight, online_model.fc.bias, initted, step in last.pt, 4"
                    + " tensors, not read: beside the dict of the model"),
        told(average)::toString);
    // The file of the average alone, and a module that keeps it as one of its own.
    assertAverage(10, read(file(ema), "ema"));
    assertAverage(
        20,
        read(
            file(dict("state_dict", joined(named("net.", 0), named("net_ema.module.", 20)))),
            "ema"));
  }

  /** {@code AveragedModel} of torch, and mmengine's, count what they have averaged. */
  @ParameterizedTest
  @ValueSource(strings = {"n_averaged", "steps"})
  void countersAreNoWeights(String counter) throws IOException {
    Path file =
        file(
            dict(
                "model",
                weights(0),
                "model_ema",
                joined(dict(counter, counter()), named("module.", 10))));

    Checkpoint average = read(file, "ema");
    assertAverage(10, average);
    assertTrue(
        average.notes().contains("1 tensor beside the average left out: " + counter),
        average.notes()::toString);
    assertAverage(10, read(file, "model_ema"));
  }

  /** {@code LitEma}, whose names have lost their dots. */
  @Test
  void namesWithoutDots() throws IOException {
    Map<Object, Object> trained = joined(named("model.", 0), named("first_stage_model.", 30));
    Map<Object, Object> average =
        dict(
            "model_ema.decay",
            view(60),
            "model_ema.num_updates",
            counter(),
            "model_ema.fcweight",
            view(10, 2, 2),
            "model_ema.fcbias",
            view(14, 2));

    assertAverage(10, read(file(dict("state_dict", joined(trained, average))), "ema"));

    Map<Object, Object> clash = joined(trained, dict("model.f.cweight", view(40, 2, 2)), average);
    ReweaveException e = refused(file(dict("state_dict", clash)));
    assertEquals(
        "the names of this average have lost their dots, and 'fcweight' is not that of one tensor"
            + " of the model",
        e.problem());
  }

  /** What mmengine calls the average are the trained weights. */
  @Test
  void exchanged() throws IOException {
    Path file =
        file(
            dict(
                "meta",
                dict("mmengine_version", "0.10.7"),
                "state_dict",
                weights(10),
                "ema_state_dict",
                joined(named("module.", 0), dict("steps", counter()))));

    ReweaveException e = refused(file);
    assertTrue(e.problem().startsWith("mmengine exchanges the two sets"), e.problem());
    assertAverage(10, read(file, ""));
    assertAverage(0, read(file, "ema_state_dict"));
  }

  private static Map<Object, Object> model() {
    return dict(
        "fc.weight",
        view(0, 2, 2),
        "fc.bias",
        view(4, 2),
        "bn.weight",
        view(6, 2),
        "bn.running_mean",
        view(8, 2),
        "bn.num_batches_tracked",
        counter(),
        "head.weight",
        view(0, 2, 2));
  }

  private static final List<Object> SHADOW = List.of(view(20, 2, 2), view(24, 2), view(26, 2));

  /** As diffusers' {@code EMAModel.state_dict()} and {@code torch_ema} save it. */
  @Test
  void aListInTheOrderOfTheParameters() throws IOException {
    Path file =
        file(
            dict(
                "model",
                model(),
                "ema",
                dict("decay", 0.9, "shadow_params", SHADOW, "collected_params", null)));

    Checkpoint average = read(file, "ema");
    assertEquals(
        Map.of(
            "fc.weight", 20L,
            "fc.bias", 24L,
            "bn.weight", 26L,
            "bn.running_mean", 8L,
            "bn.num_batches_tracked", 0L),
        starts(average));
    assertEquals(Map.of("head.weight", "fc.weight"), average.aliases());
    assertTrue(
        average
            .notes()
            .contains(
                "the names of 'ema.shadow_params' are those of the parameters of 'model', in their"
                    + " order: 3 parameters"),
        average.notes()::toString);
    assertEquals(starts(average), starts(read(file, "ema.shadow_params")));
  }

  @Test
  void aListThatDoesNotGoWithTheParameters() throws IOException {
    Path other =
        file(
            dict(
                "model",
                model(),
                "ema",
                dict("shadow_params", List.of(view(20, 2, 2), view(24, 3), view(26, 2)))));
    assertEquals(
        "'ema.shadow_params' is a list without names, and does not go with the parameters of the"
            + " model beside it: number 1 is [3] where the model's parameter is fc.bias [2]",
        refused(other).problem());

    Path fewer = file(dict("model", model(), "ema", List.of(view(20, 2, 2), view(24, 2))));
    assertTrue(
        refused(fewer)
            .problem()
            .endsWith("number 2 is missing for the model's bn.weight: 2 for 3 parameters"),
        refused(fewer)::getMessage);

    Path alone = file(dict("decay", 0.9, "shadow_params", SHADOW));
    assertEquals(
        "'shadow_params' is a list: its tensors have no names, and there is no model beside it",
        refused(alone).problem());
  }

  /** Under ZeRO-3 the module has placeholders; DeepSpeed says which tensors are buffers. */
  @Test
  void inTheStateOfDeepSpeed() throws IOException {
    Map<Object, Object> module =
        dict("fc.weight", view(0, 0), "steps", view(50, 2), "fc.bias", view(0, 0));
    Map<Object, Object> states =
        dict(
            "module",
            module,
            "buffer_names",
            List.of("steps"),
            "param_shapes",
            List.of(
                dict(
                    "fc.weight",
                    PickleWriter.size(Shape.of(2, 2)),
                    "fc.bias",
                    PickleWriter.size(Shape.of(2)))),
            "ds_version",
            "0.19.8",
            "ema",
            dict("shadow_params", List.of(view(20, 2, 2), view(24, 2))));
    Path tag = temp.resolve("run/global_step3");
    write(tag.resolve("zero_pp_rank_0_mp_rank_00_model_states.pt"), states);
    write(tag.resolve("zero_pp_rank_0_mp_rank_00_optim_states.pt"), dict("zero_stage", 3));
    Files.writeString(temp.resolve("run/latest"), "global_step3");

    for (Path address : List.of(temp.resolve("run"), tag)) {
      assertEquals(
          Map.of("fc.weight", 20L, "fc.bias", 24L, "steps", 50L), starts(read(address, "ema")));
    }
  }

  /** Each key of the trainer's reaches the file of the module, and is told by the folder's. */
  @Test
  void aDictBesideTheModuleOfDeepSpeed() throws IOException {
    Path tag = temp.resolve("run/global_step3");
    write(
        tag.resolve("mp_rank_00_model_states.pt"),
        dict("module", weights(0), "ds_version", "0.19.8", "ema", weights(10)));

    assertAverage(10, read(temp.resolve("run"), "ema"));
    Checkpoint trained = read(temp.resolve("run"), "");
    assertAverage(0, trained);
    assertTrue(
        told(trained).stream().anyMatch(t -> t.contains("'ema'") && t.contains("2 tensors")),
        told(trained)::toString);
  }
}
