package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Conversions to a folder that looks like a pre-trained model's, where that cannot be. */
class PipelineRefusalTest extends PipelineCase {
  @Test
  void aCheckpointOfAnotherModelIsRefusedBeforeAnythingIsWritten() {
    Converting conversion = Converting.between(input("sat_z2_bf16_w2"), output()).base(base());

    ReweaveException failure = assertThrows(ReweaveException.class, conversion::run);

    assertTrue(
        failure.getMessage().startsWith("tensors do not fit the base"), failure.getMessage());
    assertTrue(failure.getMessage().contains("patch_embed.proj.weight"), failure.getMessage());
    assertFalse(Files.exists(output()));
  }

  @Test
  void theOutputMayNotLieInTheBase() throws IOException {
    Path base = Fixtures.copy(base(), temp.resolve("base"));
    byte[] before = Files.readAllBytes(base.resolve(WEIGHTS));

    ReweaveException failure =
        assertThrows(
            ReweaveException.class,
            () ->
                Converting.between(input("cog_z2_bf16_w2"), base.resolve("out")).base(base).run());

    assertTrue(
        failure.getMessage().startsWith("the output lies inside the base, which is never written"),
        failure.getMessage());
    assertArrayEquals(before, Files.readAllBytes(base.resolve(WEIGHTS)));
  }

  @Test
  void likenessNeedsABase() {
    ReweaveException failure =
        assertThrows(
            ReweaveException.class,
            () -> Converting.between(input("cog_z2_bf16_w2"), output()).type("like-base").run());

    assertTrue(failure.getMessage().startsWith("there is no base to be like"));
  }

  @Test
  void aMappingThatIsNotThere() {
    ReweaveException failure =
        assertThrows(
            ReweaveException.class,
            () -> Converting.between(input("cog_z2_bf16_w2"), output()).mapping("nope").run());

    assertTrue(
        failure.getMessage().startsWith("no mapping of this name comes along"),
        failure.getMessage());
    assertTrue(failure.getMessage().contains("cogvideox-sat-transformer"), failure.getMessage());
  }
}
