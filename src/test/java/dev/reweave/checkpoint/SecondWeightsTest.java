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
import dev.reweave.testing.StorageContent;
import dev.reweave.testing.TensorValue;
import dev.reweave.testing.TorchZipWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Torch files with more than one set of weights: one is read, and all others are told. */
class SecondWeightsTest {
  private static final Stores STORES = new Stores(new Configuration());
  private static final int ELEMENTS = 64;

  @TempDir Path temp;

  private static TensorValue view(int offset, int elements) {
    return new TensorValue("0", "FloatStorage", ELEMENTS, offset, Shape.of(elements), List.of(1L));
  }

  /** Weights that begin at this element, so that one set is told from another. */
  private static Map<Object, Object> weights(int offset) {
    return dict("a", view(offset, 4), "b", view(offset + 4, 2));
  }

  private static Map<Object, Object> optimizer() {
    return dict(
        "state",
        dict(0, dict("step", 3, "exp_avg", view(40, 4), "exp_avg_sq", view(44, 4))),
        "param_groups",
        List.of(dict("lr", 0.1, "params", List.of(0))));
  }

  private Path file(Object root) throws IOException {
    Path file = temp.resolve("last.pt");
    TorchZipWriter.write(
        file, root, List.of(StorageContent.of(DType.F32, new byte[ELEMENTS * Float.BYTES])));
    return file;
  }

  private static Checkpoint read(Path file, String weights) {
    ReadOptions options = ReadOptions.defaults();
    return new CheckpointReader(STORES, new ThreadScanner(STORES))
        .read(Locations.of(file), weights.isEmpty() ? options : options.withWeightsNamed(weights));
  }

  private static ReweaveException refused(Path file, String weights) {
    return assertThrows(ReweaveException.class, () -> read(file, weights));
  }

  private static List<String> told(Checkpoint checkpoint) {
    return checkpoint.notTaken().stream().map(NotTaken::text).toList();
  }

  /** First element of tensor {@code a}: which of the sets was read. */
  private static long start(Checkpoint checkpoint) {
    assertEquals(List.of("a", "b"), checkpoint.tensors().stream().map(NamedTensor::name).toList());
    long[] start = {-1};
    checkpoint.tensors().get(0).layout().runs(0, 1, (storage, offset, n) -> start[0] = offset);
    return start[0];
  }

  /** What stands in one of several shards beside its weights is no less there. */
  @Test
  void shardsTellWhatLiesBesideTheirWeights() throws IOException {
    Files.move(
        file(dict("model", weights(0), "optimizer", optimizer(), "ema", weights(8))),
        temp.resolve("pytorch_model-00001-of-00002.bin"));
    Files.move(
        file(dict("model", dict("c", view(20, 2)))),
        temp.resolve("pytorch_model-00002-of-00002.bin"));

    Checkpoint checkpoint = read(temp, "");

    assertEquals(List.of("a", "b", "c"), checkpoint.names());
    assertEquals(
        Set.of(
            "'optimizer' in pytorch_model-00001-of-00002.bin (exp_avg, exp_avg_sq), 2 tensors,"
                + " training state: no part of the model",
            "'ema' in pytorch_model-00001-of-00002.bin, 2 tensors, not read: beside the dict of"
                + " the model"),
        Set.copyOf(told(checkpoint)));
  }

  /** The remedy names the whole way to a dict, so that it can be followed. */
  @Test
  void aDictWithinTheModelIsNamedByItsPath() throws IOException {
    Path file = file(dict("model", dict("head", view(30, 2), "teacher", weights(8))));

    String remedy = refused(file, "").remedy();

    assertTrue(remedy.endsWith("convert these with --weights model.teacher"), remedy);
    assertEquals(8, start(read(file, "model.teacher")));
    Path list = file(dict("model", dict("head", view(30, 2), "rest", List.of(view(8, 2)))));
    assertTrue(refused(list, "").remedy().endsWith("in the state dict"));
  }

  @ParameterizedTest
  @CsvSource({
    "model, ema",
    "state_dict, ema_state_dict",
    "model, model_ema",
    "net, net_ema",
    "module, teacher",
    "weights, averaged"
  })
  void theModelIsReadAndTheOtherTaken(String model, String other) throws IOException {
    Path file = file(dict("step", 7, other, weights(10), model, weights(0)));

    Checkpoint checkpoint = read(file, "");
    assertEquals(0, start(checkpoint));
    assertEquals(
        List.of(
            "'"
                + other
                + "' in last.pt, 2 tensors, not read: --weights "
                + other
                + " takes it in place of the model"),
        told(checkpoint));

    Checkpoint taken = read(file, other);
    assertEquals(10, start(taken));
    assertEquals(
        List.of(
            "'"
                + model
                + "' in last.pt, 2 tensors, not read: --weights "
                + model
                + " takes it in place of the model"),
        told(taken));
    assertEquals(0, start(read(file, model)));
  }

  @Test
  void theModelIsWhatTheUsualKeySays() throws IOException {
    Path file = file(dict("module", weights(0), "model", weights(10)));

    assertEquals(0, start(read(file, "")));
    assertEquals(10, start(read(file, "model")));
    assertEquals(0, start(read(file(dict("module", weights(0))), "model")));
  }

  @Test
  void keysThatLieDeeper() throws IOException {
    Path file =
        file(
            dict(
                "state",
                dict("ema", dict("shadow", weights(10), "decay", 0.9), "net", weights(0)),
                "models",
                List.of(dict("dotted.key", weights(20)))));

    assertEquals(10, start(read(file, "state.ema.shadow")));
    assertEquals(0, start(read(file, "state.net")));
    assertEquals(20, start(read(file, "models.0.dotted.key")));
    assertEquals(20, start(read(file, "models")));
  }

  @Test
  void severalThatCouldBeMeant() throws IOException {
    Path file =
        file(
            dict(
                "generator", weights(0),
                "discriminator", weights(10),
                "generator_ema", weights(20),
                "optimizer_g", optimizer(),
                "optimizer_d", optimizer()));

    ReweaveException e = refused(file, "");
    assertEquals(ReweaveException.Kind.USAGE, e.kind());
    assertEquals(
        "there are several sets of weights in this file: 'generator' (2 tensors, 6 parameters, 24"
            + " B), 'discriminator' (2 tensors, 6 parameters, 24 B), 'generator_ema' (2 tensors, 6"
            + " parameters, 24 B)",
        e.problem());
    assertEquals("choose one with --weights generator", e.remedy());
    Checkpoint chosen = read(file, "generator");
    assertEquals(0, start(chosen));
    assertEquals(
        List.of(
            "'discriminator' in last.pt, 2 tensors, not read: --weights discriminator takes it in"
                + " place of the model",
            "'generator_ema' in last.pt, 2 tensors, not read: --weights generator_ema takes it in"
                + " place of the model",
            "'optimizer_g' in last.pt (exp_avg, exp_avg_sq), 2 tensors, training state: no part of"
                + " the model",
            "'optimizer_d' in last.pt (exp_avg, exp_avg_sq), 2 tensors, training state: no part of"
                + " the model"),
        told(chosen));
  }

  @Test
  void aListOfStateDicts() throws IOException {
    Path file = file(List.of(weights(0), weights(10)));

    assertTrue(refused(file, "").problem().contains("'0' (2 tensors"));
    assertEquals(10, start(read(file, "1")));
  }

  @Test
  void aKeyThatIsNotThere() throws IOException {
    Path file = file(dict("model", weights(0), "ema", weights(10), "epoch", 3));

    ReweaveException e = refused(file, "eam");
    assertEquals(ReweaveException.Kind.USAGE, e.kind());
    assertEquals("there are no weights 'eam' in this file", e.problem());
    assertEquals(
        "name one of these with --weights, or leave it out: 'model' (2 tensors, 6 parameters, 24"
            + " B), 'ema' (2 tensors, 6 parameters, 24 B)",
        e.remedy());
    assertTrue(refused(file, "epoch").problem().contains("no state dict"));
  }

  @Test
  void tensorsWithoutNames() throws IOException {
    Path file =
        file(
            dict(
                "model",
                weights(0),
                "ema",
                dict("decay", 0.9, "shadow_params", List.of(view(10, 4), view(14, 2)))));

    assertEquals(
        List.of(
            "'ema.shadow_params' in last.pt, 2 tensors, not read: --weights ema.shadow_params takes"
                + " it under the names of the model's parameters"),
        told(read(file, "")));
    assertEquals(10, start(read(file, "ema.shadow_params")));
  }

  @Test
  void theOnlyDictOfTensors() throws IOException {
    Path file =
        file(
            dict(
                "net",
                weights(0),
                "global_step",
                view(60, 1),
                "rng_state",
                view(61, 2),
                "optimizer",
                optimizer()));

    Checkpoint checkpoint = read(file, "");
    assertEquals(0, start(checkpoint));
    assertEquals(List.of("the tensors are those of 'net' in the file"), checkpoint.notes());
    assertEquals(
        List.of(
            "global_step, rng_state in last.pt, 2 tensors, not read: beside the dict of the model",
            "'optimizer' in last.pt (exp_avg, exp_avg_sq), 2 tensors, training state: no part of"
                + " the model"),
        told(checkpoint));
  }

  @Test
  void averagesAmongBareTensors() throws IOException {
    Path file = file(dict("a", view(0, 4), "b", view(4, 2), "ema", weights(10)));

    Checkpoint checkpoint = read(file, "");
    assertEquals(0, start(checkpoint));
    assertEquals(1, checkpoint.notTaken().size());
    assertEquals(10, start(read(file, "ema")));
  }

  @Test
  void aModelOfPlaceholdersIsNone() throws IOException {
    Path file = file(dict("model", dict("e", view(0, 0), "f", view(0, 0))));

    ReweaveException e = refused(file, "");
    assertEquals("all 2 tensors of this file are empty: placeholders of ZeRO-3", e.problem());
  }
}
