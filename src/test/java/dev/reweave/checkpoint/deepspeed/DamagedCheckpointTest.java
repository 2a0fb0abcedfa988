package dev.reweave.checkpoint.deepspeed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Weights;
import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.SyntheticCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Bad input ends in one message that says what is wrong, where, and what to do. */
class DamagedCheckpointTest {
  private static final String RANK_1 = "bf16_zero_pp_rank_1_mp_rank_00_optim_states.pt";

  @TempDir Path temp;

  private String failure(Path input, ReadOptions reading) throws IOException {
    Map<String, String> before = Fixtures.digests(input);
    Converting converting = converting(input).reading(reading);
    ReweaveException failure = assertThrows(ReweaveException.class, converting::gather);
    assertEquals(before, Fixtures.digests(input));
    return failure.getMessage();
  }

  private Converting converting(Path input) {
    return Converting.between(input, temp.resolve("out"));
  }

  private String failure(Path input) throws IOException {
    return failure(input, ReadOptions.defaults());
  }

  private static void assertSays(String message, String... parts) {
    for (String part : parts) {
      assertTrue(message.contains(part), () -> "'" + part + "' is not in: " + message);
    }
  }

  private Path copyOf(String fixture) throws IOException {
    return Fixtures.copy(Fixtures.folder(fixture).resolve("ckpt"), temp.resolve("in"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "z2_empty_file | empty | bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt | copy",
        "z2_extra_rank | only 2 ranks | zero_pp_rank_7_ | two runs are mixed",
        "z2_flipped_byte | checksum | data/3, which holds layers.0.bias, layers.0.weight | copy the file",
        "z2_flipped_pickle | data.pkl | mp_rank_00_model_states.pt | copy",
        "z2_latest_missing_tag | 'latest' names tag 'global_step999' | global_step999 | --tag",
        "z2_missing_rank | rank 1 is missing, of 2 data-parallel ranks | zero_pp_rank_1_ | was not saved whole",
        "z2_truncated_optim | truncated | rank_1_mp_rank_00_optim_states.pt | copy",
        "z3_bigger_shape | ranks disagree | rank_1_mp_rank_00_model_states.pt | two runs are mixed",
        "z3_flipped_byte | checksum | data/3, which holds layers.0.bias, layers.0.weight | copy the file",
        "z3_lfs_pointer | git-lfs | model_states.pt | git lfs pull",
        "z3_missing_model | rank 1 is missing, of 2 data-parallel ranks | zero_pp_rank_1_mp_rank_00_model | whole",
        "z3_missing_rank | rank 1 is missing, of 2 data-parallel ranks | zero_pp_rank_1_mp_rank_00_optim | whole",
        "z3_short_group | sizes do not add up | zero_pp_rank_0_mp_rank_00_optim | two runs",
        "z3_truncated_tail | truncated | zero_pp_rank_0_mp_rank_00_optim_states.pt | copy",
      })
  void damagedCheckpoints(String fixture, String problem, String place, String remedy)
      throws IOException {
    assertSays(failure(Fixtures.folder("corrupt/" + fixture + "/ckpt")), problem, place, remedy);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "z2_malicious_pickle",
        "z3_malicious_optim",
        "z2_huge_storage",
        "z2_short_storage"
      })
  void whatIsNotNeededHarmsNobody(String fixture) {
    String good = fixture.substring(0, 2) + "_bf16_w2/ckpt";
    assertEquals(
        converting(Fixtures.folder(good)).gather().tensors(),
        converting(Fixtures.folder("corrupt/" + fixture + "/ckpt")).gather().tensors());
    assertTrue(Files.notExists(Path.of("/tmp/lab_pwned")), "code in a pickle was run");
  }

  @Test
  void aRankInTheMiddleIsMissing() throws IOException {
    Path input = copyOf("z3_hpz_bf16_w4");
    Files.delete(input.resolve("global_step3/bf16_zero_pp_rank_2_mp_rank_00_optim_states.pt"));

    assertSays(
        failure(input),
        "rank 2 is missing, of 4 data-parallel ranks, numbered 0 to 3: ",
        "/global_step3/bf16_zero_pp_rank_2_mp_rank_00_optim_states.pt",
        "the checkpoint was not saved whole, or files of two runs are mixed");
  }

  /** What a node of the training run had is often missing together. */
  @Test
  void allMissingRanksAreToldAndTheirFilesAreAllThatIsNeeded() throws IOException {
    Path step = copyOf("z3_hpz_bf16_w4").resolve("global_step3");
    Path whole = Fixtures.folder("z3_hpz_bf16_w4").resolve("ckpt/global_step3");
    for (String rank : List.of("2", "3")) {
      Files.delete(step.resolve("bf16_zero_pp_rank_" + rank + "_mp_rank_00_optim_states.pt"));
      Files.delete(step.resolve("zero_pp_rank_" + rank + "_mp_rank_00_model_states.pt"));
    }

    String said = failure(temp.resolve("in"));

    String missing =
        "bf16_zero_pp_rank_2_mp_rank_00_optim_states.pt,"
            + " bf16_zero_pp_rank_3_mp_rank_00_optim_states.pt,"
            + " zero_pp_rank_2_mp_rank_00_model_states.pt,"
            + " zero_pp_rank_3_mp_rank_00_model_states.pt";
    assertSays(
        said,
        "ranks 2, 3 are missing, of 4 data-parallel ranks, numbered 0 to 3: ",
        "/global_step3/" + missing + "; ",
        "copy the files of this step from the training run again");
    for (String name : missing.split(", ", -1)) {
      Files.copy(whole.resolve(name), step.resolve(name));
    }
    assertEquals(
        converting(Fixtures.folder("z3_hpz_bf16_w4").resolve("ckpt")).gather().tensors(),
        converting(temp.resolve("in")).gather().tensors());
  }

  /** However many there are, a message fits on a screen. */
  @Test
  void manyMissingRanksAreCounted() throws IOException {
    List<TensorSpec> params = List.of(new TensorSpec("w", DType.F32, Shape.of(400)));
    SyntheticCheckpoint.write(temp.resolve("in"), 2, 40, params, 1);
    for (int rank = 5; rank < 40; rank++) {
      Files.delete(
          temp.resolve("in/" + SyntheticCheckpoint.TAG)
              .resolve("bf16_zero_pp_rank_" + rank + "_mp_rank_00_optim_states.pt"));
    }

    assertSays(
        failure(temp.resolve("in")),
        "ranks 5, 6, 7, 8, 9, 10, 11, 12 and 27 more are missing, of 40 data-parallel ranks,"
            + " numbered 0 to 39: ",
        "bf16_zero_pp_rank_12_mp_rank_00_optim_states.pt and 27 more files; ");
  }

  @Test
  void ranksOfDifferentSteps() throws IOException {
    Path input = copyOf("z3_bf16_w2");
    String name = "zero_pp_rank_1_mp_rank_00_model_states.pt";
    Files.copy(
        Fixtures.folder("z3_bf16_w2_llama/ckpt/global_step3").resolve(name),
        input.resolve("global_step3").resolve(name),
        StandardCopyOption.REPLACE_EXISTING);

    assertSays(failure(input), "ranks disagree", name, "two runs are mixed");
  }

  @Test
  void partitionsOfAnotherModel() throws IOException {
    Path input = copyOf("z2_bf16_w2");
    Files.copy(
        Fixtures.folder("cog_z2_bf16_w2/ckpt/global_step2").resolve(RANK_1),
        input.resolve("global_step3").resolve(RANK_1),
        StandardCopyOption.REPLACE_EXISTING);

    assertSays(failure(input), "sizes do not add up", "optim_states.pt");
  }

  @Test
  void everyTruncationIsNoticed() throws IOException {
    Path input = copyOf("z2_bf16_w2");
    Path file = input.resolve("global_step3").resolve(RANK_1);
    byte[] whole = Files.readAllBytes(file);
    for (int length = 0; length < whole.length; length += 997) {
      Files.write(file, java.util.Arrays.copyOf(whole, length));
      assertSays(failure(input), RANK_1);
    }
  }

  @Test
  void aRankThatTheModelStatesDoNotTellOf() throws IOException {
    Path input = copyOf("z2_bf16_w2");
    Path step = input.resolve("global_step3");
    Files.copy(
        step.resolve("mp_rank_00_model_states.pt"), step.resolve("mp_rank_01_model_states.pt"));

    assertSays(
        failure(input),
        "the optimizer states of tensor- or pipeline-parallel rank 1 are missing",
        "bf16_zero_pp_rank_0_mp_rank_01_optim_states.pt",
        "copy the files of this step from the training run");
    for (String rank : List.of("0", "1")) {
      String name = "bf16_zero_pp_rank_" + rank + "_mp_rank_0%d_optim_states.pt";
      Files.copy(step.resolve(name.formatted(0)), step.resolve(name.formatted(1)));
    }
    assertSays(
        failure(input),
        "tensor- or pipeline-parallel rank 1, numbered from 0, and the model states tell of one",
        "mp_rank_01_model_states.pt",
        "move those of the other run away");
  }

  @Test
  void anUnknownTagNamesTheOthers() throws IOException {
    ReadOptions options =
        new ReadOptions(Optional.of("step9"), Optional.empty(), ReadOptions.Frozen.INCLUDE);

    assertSays(
        failure(Fixtures.folder("z2_bf16_w2_tags/ckpt"), options),
        "there is no tag 'step9'",
        "[global_step1, global_step3, my-tag 2]");
  }

  @Test
  void aTagCannotLeadOutOfTheCheckpoint() throws IOException {
    Path input = copyOf("z2_bf16_w2");
    Files.writeString(input.resolve("latest"), "../../etc");

    assertSays(failure(input), "'../../etc' cannot be a tag");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "z3_bf16_w2 | MODEL | INCLUDE | a ZeRO-3 checkpoint keeps no whole module weights",
        "z0_bf16_w2 | MASTER | INCLUDE | no fp32 master weights",
        "z0_bf16_w2 | MODEL | EXCLUDE | does not say which parameters were frozen",
      })
  void weightsThatAreNotThere(
      String fixture, Weights weights, ReadOptions.Frozen frozen, String problem)
      throws IOException {
    ReadOptions options = new ReadOptions(Optional.empty(), Optional.of(weights), frozen);

    assertSays(failure(Fixtures.folder(fixture).resolve("ckpt"), options), problem, "--");
  }
}
