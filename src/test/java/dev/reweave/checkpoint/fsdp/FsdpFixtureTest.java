package dev.reweave.checkpoint.fsdp;

import static dev.reweave.checkpoint.fsdp.RankReadings.assertRefused;
import static dev.reweave.checkpoint.fsdp.RankReadings.read;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.NotTaken;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Gathered;
import dev.reweave.testing.StoredTensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files of four ranks that torch 2.15 saved, and the tensors that they had together. */
class FsdpFixtureTest {
  @TempDir Path temp;

  private static Path fixture(String name) {
    return Fixtures.resource("fsdp/" + name);
  }

  private static Map<String, String> expected(String name) throws IOException {
    return StoredTensors.of(fixture(name).resolve("expected.safetensors"));
  }

  /** A copy of the ranks' files alone. */
  private Path ranks(String name) throws IOException {
    return Fixtures.copy(fixture(name).resolve("ckpt"), temp.resolve("ranks"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "uneven",
        "nested",
        "two_dimensions",
        "tensor_parallel",
        "hybrid",
        "experts",
        "flattened",
        "permuted",
        "preserved_order",
        "shard_order",
        "fsdp1",
        "fsdp1_hybrid"
      })
  void wholeTensorsAgain(String name) throws IOException {
    Gathered gathered =
        Converting.between(ranks(name), temp.resolve("out")).type("keep").mapping("none").gather();

    assertEquals(expected(name), gathered.tensors());
    assertEquals(Map.of(), gathered.differences());
    assertEquals(4, gathered.checkpoint().source().worldSize());
  }

  @Test
  void converted() throws IOException {
    Path out = temp.resolve("out");
    Converting.between(ranks("tensor_parallel"), out).type("keep").run();

    assertEquals(expected("tensor_parallel"), StoredTensors.of(out.resolve("model.safetensors")));
  }

  @Test
  void tiedNames() throws IOException {
    Gathered gathered =
        Converting.between(ranks("tied"), temp.resolve("out")).type("keep").gather();

    assertEquals(Map.of("h.weight", "e.weight"), gathered.aliases());
    assertEquals(expected("tied").get("e.weight"), gathered.tensors().get("e.weight"));
  }

  @Test
  void whatIsTold() throws IOException {
    Path folder = ranks("two_dimensions");
    for (String name : List.of("optim_world_size_4_rank_0.pt", "optim_world_size_4_rank_1.pt")) {
      Files.writeString(folder.resolve(name), "never read");
    }
    Files.writeString(folder.resolve("extra_state_world_size_4_rank_0.pt"), "never read");

    Checkpoint checkpoint = read(folder);

    assertEquals("PyTorch FSDP2 rank files", checkpoint.source().framework());
    assertTrue(
        checkpoint
            .notes()
            .contains(
                "6 tensors put together from the files of 4 ranks, on mesh dp 2 x tp 2 and on mesh"
                    + " fsdp 4 and on mesh tp 2"),
        checkpoint.notes().toString());
    assertEquals(
        List.of(
            "extra_state_world_size_4_rank_0.pt, training state: no part of the model",
            "optim_world_size_4_rank_0.pt and 1 more, training state: no part of the model"),
        checkpoint.notTaken().stream().map(NotTaken::text).sorted().toList());
  }

  @Test
  void whatLiesBesideTheModelInEachFile() throws IOException {
    Checkpoint checkpoint = read(ranks("nested"));

    assertEquals(
        List.of(
            "'optimizer' in ckpt_rank_0.pt (exp_avg), 4 tensors, training state: no part of the"
                + " model"),
        checkpoint.notTaken().stream().map(NotTaken::text).toList());
  }

  @Test
  void fsdp1IsTold() throws IOException {
    Checkpoint checkpoint = read(ranks("fsdp1"));

    assertEquals("PyTorch FSDP1 rank files", checkpoint.source().framework());
    assertTrue(
        checkpoint.notes().get(0).endsWith("tensors put together from the files of 4 ranks"),
        checkpoint.notes().toString());
  }

  @Test
  void flatParametersHaveNoNames() throws IOException {
    assertRefused(
        ranks("fsdp1_local"), "flat parameter of FSDP's LOCAL_STATE_DICT", "SHARDED_STATE_DICT");
  }

  @Test
  void aMissingRank() throws IOException {
    Path folder = ranks("hybrid");
    Path one = folder.resolve("model_world_size_4_rank_2.pt");
    byte[] content = Files.readAllBytes(one);
    Files.delete(one);

    assertRefused(folder, "of the files of 4 ranks some are missing", one.getFileName().toString());

    Files.write(one, content);
    read(folder);
  }

  /** The names do not count the ranks, and the files do. */
  @Test
  void theLastRankIsMissing() throws IOException {
    Path folder = ranks("fsdp1");
    Files.delete(folder.resolve("pytorch_model_fsdp_rank3.bin"));

    assertRefused(
        folder, "of the files of 4 ranks some are missing", "pytorch_model_fsdp_rank3.bin");
  }

  @Test
  void twoWorldSizes() throws IOException {
    Path folder = ranks("hybrid");
    Path other = folder.resolve("model_world_size_2_rank_0.pt");
    Files.copy(folder.resolve("model_world_size_4_rank_0.pt"), other);

    assertRefused(folder, "of several runs", "[2, 4] ranks", "move those of all but one number");

    Files.delete(other);
    read(folder);
  }

  @Test
  void aRankUnderTheNameOfAnother() throws IOException {
    Path folder = ranks("hybrid");
    Files.copy(
        folder.resolve("model_world_size_4_rank_1.pt"),
        folder.resolve("model_world_size_4_rank_3.pt"),
        StandardCopyOption.REPLACE_EXISTING);

    assertRefused(folder, "it is of rank 1, and its name that it is of rank 3");
  }

  @Test
  void fewerRanksByName() throws IOException {
    Path folder = ranks("hybrid");
    for (int rank = 0; rank < 4; rank++) {
      Path file = folder.resolve("model_world_size_4_rank_" + rank + ".pt");
      if (rank < 2) {
        Files.move(file, folder.resolve("model_world_size_2_rank_" + rank + ".pt"));
      } else {
        Files.delete(file);
      }
    }

    assertRefused(folder, "the files tell of 4 ranks, and their names of 2");
  }

  @Test
  void aFileOfAnotherModel() throws IOException {
    Path folder = ranks("hybrid");
    Files.copy(
        fixture("experts").resolve("ckpt/model_world_size_4_rank_1.pt"),
        folder.resolve("model_world_size_4_rank_1.pt"),
        StandardCopyOption.REPLACE_EXISTING);

    assertRefused(folder, "is not in this file, and in that of another rank");
  }

  @Test
  void oneFileNamedByItself() throws IOException {
    Path folder = ranks("hybrid");

    String message =
        assertRefused(
            folder.resolve("model_world_size_4_rank_0.pt"), "one of the files of 4 ranks");
    assertTrue(message.contains("name the folder with all of them: file:" + folder), message);
  }

  /** A run of verl's: two steps with two models each, and the model's config beside the weights. */
  private Path run() throws IOException {
    Path run = temp.resolve("run");
    for (String step : List.of("global_step_9", "global_step_10")) {
      for (String role : List.of("actor", "critic")) {
        Path folder = run.resolve(step).resolve(role);
        Files.createDirectories(folder.getParent());
        String name = role.equals("actor") ? "hybrid" : "experts";
        Fixtures.copy(fixture(name).resolve("ckpt"), folder);
        Files.createDirectories(folder.resolve("huggingface"));
        Files.writeString(folder.resolve("huggingface/config.json"), "{\"model_type\": \"tiny\"}");
        Files.writeString(folder.resolve("huggingface/tokenizer.json"), "{\"version\": \"1.0\"}");
      }
    }
    return run;
  }

  @Test
  void theNewestStepOfARun() throws IOException {
    Path run = run();

    Checkpoint newest = read(run);
    assertEquals("global_step_10", newest.source().tag());
    assertEquals(List.of("global_step_9", "global_step_10"), newest.source().tags());
    assertTrue(newest.files().get(0).uri().contains("/global_step_10/actor/"));
    assertEquals(
        List.of("critic, 2 tensors, not read: name it to convert it"),
        newest.notTaken().stream().map(NotTaken::text).toList());

    Files.writeString(run.resolve("latest_checkpointed_iteration.txt"), "9");
    assertEquals("global_step_9", read(run).source().tag());

    Files.writeString(run.resolve("latest_checkpointed_iteration.txt"), "11");
    assertRefused(run, "the newest step should be 11", "--tag");
  }

  @Test
  void theActorOfAStep() throws IOException {
    Path step = run().resolve("global_step_9");

    Checkpoint actor = read(step);

    assertTrue(actor.files().get(0).uri().contains("/global_step_9/actor/"));
    assertEquals(
        List.of("critic, 2 tensors, not read: name it to convert it"),
        actor.notTaken().stream().map(NotTaken::text).toList());
  }

  @Test
  void configsBesideTheWeightsComeAlong() throws IOException {
    Path run = run();
    Path out = temp.resolve("out");

    Converting.between(run, out).type("keep").run();

    assertEquals(
        Files.readString(run.resolve("global_step_10/actor/huggingface/tokenizer.json")),
        Files.readString(out.resolve("tokenizer.json")));
    assertTrue(Files.readString(out.resolve("config.json")).contains("tiny"));
    assertEquals(expected("hybrid"), StoredTensors.of(out.resolve("model.safetensors")));
  }

  /** Nobody has asked for them: what is wrong with them is told, and the weights are converted. */
  @Test
  void configsThatAreOfNoUse() throws IOException {
    Path run = run();
    Files.writeString(run.resolve("global_step_10/actor/huggingface/config.json"), "no JSON");
    Path out = temp.resolve("out");

    Gathered gathered = Converting.between(run, out).type("keep").gather();

    assertEquals(expected("hybrid"), gathered.tensors());
    assertTrue(
        gathered.notes().stream()
            .anyMatch(
                n -> n.startsWith("what lies in huggingface/ beside the weights does not come")),
        gathered.notes().toString());
  }
}
