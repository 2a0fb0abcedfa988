package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Bad input ends in one message that says what is wrong, where, and what to do; nothing is
 * published and the input stays as it was.
 */
class FailureTest {
  @TempDir Path temp;

  private String failure(Path input) throws IOException {
    Path output = temp.resolve("out");
    Map<String, String> before = Fixtures.digests(input);
    ReweaveException failure =
        assertThrows(ReweaveException.class, () -> Converting.between(input, output).run());
    assertEquals(Map.of(), Fixtures.digests(output));
    assertTrue(Files.notExists(output), "output folder left behind");
    assertEquals(before, Fixtures.digests(input));
    return failure.getMessage();
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
        "z2_flipped_byte | checksum | data/3, which holds layers.0.bias, layers.0.weight | copy the file",
        "z2_latest_missing_tag | 'latest' names tag 'global_step999' | global_step999 | --tag",
        "z2_missing_rank | rank 1 is missing, of 2 data-parallel ranks | zero_pp_rank_1_ | was not saved whole",
        "z3_flipped_byte | checksum | data/3, which holds layers.0.bias, layers.0.weight | copy the file",
        "z3_lfs_pointer | git-lfs | model_states.pt | git lfs pull",
      })
  void damagedCheckpoints(String fixture, String problem, String place, String remedy)
      throws IOException {
    assertSays(failure(Fixtures.folder("corrupt/" + fixture + "/ckpt")), problem, place, remedy);
  }

  @Test
  void whatIsNotNeededHarmsNobody() throws IOException {
    Path[] outputs = {temp.resolve("good"), temp.resolve("bad")};
    Path[] inputs = {
      Fixtures.folder("z3_bf16_w2/ckpt"), Fixtures.folder("corrupt/z3_malicious_optim/ckpt")
    };
    for (int i = 0; i < 2; i++) {
      Converting.between(inputs[i], outputs[i]).run();
    }
    assertEquals(
        Fixtures.digests(outputs[0]).get("model.safetensors"),
        Fixtures.digests(outputs[1]).get("model.safetensors"));
    assertTrue(Files.notExists(Path.of("/tmp/lab_pwned")), "code in a pickle was run");
  }

  @Test
  void noCheckpointAtAll() throws IOException {
    Path input = Files.createDirectory(temp.resolve("in"));

    assertSays(failure(input), "no checkpoint here", input.toString(), "save_checkpoint");
    assertSays(failure(temp.resolve("nowhere")), "no such file or folder", "nowhere");
  }

  @Test
  void outputsThatWouldDoHarm() throws IOException {
    Path input = copyOf("z2_bf16_w2");
    Map<String, String> before = Fixtures.digests(temp);
    for (List<String> wrong :
        List.of(
            List.of(input.resolve("out").toString(), "the output lies inside the input"),
            List.of(input.toString(), "the output lies inside the input"),
            List.of(input + "/../in/x", "the output lies inside the input"),
            List.of(temp.toString(), "the input lies inside the output"))) {
      ReweaveException failure =
          assertThrows(
              ReweaveException.class,
              () -> Converting.between(input, wrong.get(0)).overwriting().run());
      assertSays(failure.getMessage(), wrong.get(1));
    }
    assertEquals(before, Fixtures.digests(temp));
  }

  @Test
  void outputsThatHoldSomething() throws IOException {
    Path output = Files.createDirectory(temp.resolve("full"));
    Files.writeString(output.resolve("thesis.tex"), "years of work");
    ReweaveException failure =
        assertThrows(
            ReweaveException.class,
            () -> Converting.between(Fixtures.folder("z2_bf16_w2/ckpt"), output).run());

    assertSays(failure.getMessage(), "not empty", "thesis.tex", "--overwrite");
    assertEquals("years of work", Files.readString(output.resolve("thesis.tex")));
  }

  @Test
  void outputsThatAreLinksToNothing() throws IOException {
    Path output = Files.createSymbolicLink(temp.resolve("link"), temp.resolve("nothing"));
    ReweaveException failure =
        assertThrows(
            ReweaveException.class,
            () -> Converting.between(Fixtures.folder("z2_bf16_w2/ckpt"), output).run());

    assertEquals(
        "the output is no folder, but a link that leads nowhere: file:"
            + output
            + "; remove it, or name another output",
        failure.getMessage());
    assertTrue(Files.isSymbolicLink(output));
  }
}
