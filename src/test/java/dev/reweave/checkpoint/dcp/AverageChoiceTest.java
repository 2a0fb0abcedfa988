package dev.reweave.checkpoint.dcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.NotTaken;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.testing.LocalStores;
import dev.reweave.testing.Locations;
import dev.reweave.testing.MadeDcp;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Moving averages beside the model in a distributed checkpoint. */
class AverageChoiceTest {
  @TempDir Path temp;
  private MadeDcp made;

  @BeforeEach
  void begin() {
    made = new MadeDcp(temp.resolve("archive.pt"));
  }

  private Checkpoint read(ReadOptions options) throws IOException {
    return new CheckpointReader(LocalStores.ALL, new ThreadScanner(LocalStores.ALL))
        .read(Locations.of(made.write(temp.resolve("step"))), options);
  }

  private Checkpoint model() throws IOException {
    return read(ReadOptions.defaults());
  }

  private Checkpoint average() throws IOException {
    return read(ReadOptions.defaults().withWeightsNamed("ema"));
  }

  private ReweaveException refusal() {
    return assertThrows(ReweaveException.class, this::average);
  }

  private static List<String> specs(Checkpoint checkpoint) {
    return checkpoint.tensors().stream()
        .map(NamedTensor::spec)
        .map(spec -> spec.name() + " " + spec.shape())
        .toList();
  }

  private static List<String> left(Checkpoint checkpoint) {
    return checkpoint.notTaken().stream().map(NotTaken::text).toList();
  }

  /** A model with an average beside it, whose shapes tell them from each other. */
  private void both(List<String> model, List<String> average) throws IOException {
    for (String name : List.of("a.weight", "b.bias")) {
      made.nested(with(model, name), 3L);
      made.nested(with(average, name), 4L);
    }
  }

  private static List<String> with(List<String> path, String name) {
    return Stream.concat(path.stream(), Stream.of(name)).toList();
  }

  @ParameterizedTest
  @ValueSource(strings = {"ema", "model_ema", "ema_state_dict", "shadow"})
  void eachUnderTheModelsOwnNames(String key) throws IOException {
    both(List.of("model"), List.of(key));
    made.nested(List.of("optimizer", "state", "a.weight.exp_avg"), 3L);

    assertEquals(List.of("a.weight [3]", "b.bias [3]"), specs(model()));
    assertTrue(
        left(model())
            .contains(
                "'" + key + "', 2 tensors, not read: --weights ema takes it in place of the model"),
        left(model())::toString);
    assertEquals(
        List.of("all weights lie below 'model.', which is left off their names"), model().notes());

    assertEquals(List.of("a.weight [4]", "b.bias [4]"), specs(average()));
    assertEquals(
        List.of(
            "'model', 2 tensors, not read: leave --weights out to convert the model",
            "'optimizer', 1 tensor, left out: no part of the model"),
        left(average()));
    assertTrue(
        average()
            .notes()
            .contains("the weights are the moving average in '" + key + ".', which is left off"),
        average().notes()::toString);
  }

  /** In the order of the file the average can be first, and have a dict of the model's name. */
  @Test
  void aDictWithinTheAverage() throws IOException {
    both(List.of("app", "model"), List.of("app", "ema", "module"));
    made.nested(List.of("app", "ema", "n_averaged"));

    assertEquals(List.of("a.weight [3]", "b.bias [3]"), specs(model()));
    assertEquals(List.of("a.weight [4]", "b.bias [4]"), specs(average()));
    assertTrue(
        left(average())
            .contains(
                "numbers of the average, such as 'app.ema.n_averaged', 1 tensor, left out: no part"
                    + " of it"),
        left(average())::toString);
  }

  @Test
  void anAverageThatStandsFirst() throws IOException {
    made.nested(List.of("ema", "model", "a.weight"), 4L);
    made.nested(List.of("model", "a.weight"), 3L);

    assertEquals(List.of("a.weight [3]"), specs(model()));
    assertEquals(List.of("a.weight [4]"), specs(average()));
  }

  /** A module of the model can be called so: it is no average of it. */
  @Test
  void aModuleOfTheModel() throws IOException {
    made.nested(List.of("model", "ema", "weight"), 4L);
    made.nested(List.of("model", "a", "weight"), 3L);

    assertEquals(List.of("ema.weight [4]", "a.weight [3]"), specs(model()));
    assertEquals(
        "no dict of this distributed checkpoint has ema in its key: there is no moving average",
        refusal().problem());
  }

  /** Nobody knows which is the model's. */
  @Test
  void besideNoModel() throws IOException {
    both(List.of("net"), List.of("ema"));

    assertEquals(
        List.of("net.a.weight [3]", "ema.a.weight [4]", "net.b.bias [3]", "ema.b.bias [4]"),
        specs(model()));
    assertEquals(List.of("a.weight [4]", "b.bias [4]"), specs(average()));
  }

  @Test
  void twoAverages() throws IOException {
    both(List.of("ema_fast"), List.of("ema_slow"));
    made.nested(List.of("model", "a.weight"), 3L);

    assertEquals(List.of("a.weight [3]"), specs(model()));
    assertEquals(
        "there are several averages of weights here: 'ema_fast', 'ema_slow'", refusal().problem());
  }

  @Test
  void aListWithoutNames() throws IOException {
    made.nested(List.of("model", "a.weight"), 3L);
    made.nested(List.of("ema", "shadow_params", "0"), 3L);
    made.nested(List.of("ema", "shadow_params", "1"), 3L);

    assertEquals(
        "the average in 'ema.shadow_params' is a list, without a name for each tensor",
        refusal().problem());
  }

  @Test
  void otherKeysAreNoChoice() throws IOException {
    both(List.of("model"), List.of("ema"));

    ReweaveException e =
        assertThrows(
            ReweaveException.class,
            () -> read(ReadOptions.defaults().withWeightsNamed("model_ema")));
    assertTrue(e.problem().contains("model_ema"), e::problem);
  }
}
