package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.look.compare.Verification;
import dev.reweave.manifest.Manifest;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import dev.reweave.testing.StoredTensors;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A checkpoint with names that transformers has in memory, and a base that has the Hub's. */
class HubNamesConversionTest {
  private static final Path FIXTURE = Fixtures.resource("deepspeed-0.19.8/hub-names-mixtral-z3");

  @TempDir Path temp;

  private Converting converting() {
    return Converting.between(FIXTURE.resolve("ckpt"), temp.resolve("out"))
        .base(FIXTURE.resolve("hf"))
        .type("bfloat16");
  }

  @Test
  void givesWhatSavePretrainedWrites() throws IOException {
    Manifest manifest = converting().run().manifest();

    assertEquals(
        StoredTensors.of(FIXTURE.resolve("expected.safetensors")),
        StoredTensors.inFolder(temp.resolve("out")));
    assertEquals("transformers-mixtral", manifest.mappingUsed().orElseThrow().name());
    Verification.Result verified =
        new Verification(TestSpark.cluster(), TestSpark.stores())
            .run(Locations.of(temp.resolve("out")));
    assertEquals(List.of(), verified.problems());
  }

  @Test
  void theyAreRefusedWhereNoMappingIsWanted() {
    Converting conversion = converting().mapping("none");

    ReweaveException e = assertThrows(ReweaveException.class, conversion::run);

    assertTrue(e.getMessage().startsWith("tensors do not fit the base"), e.getMessage());
    assertTrue(e.getMessage().contains("10 of its 19 tensors are missing"), e.getMessage());
    assertFalse(Files.exists(temp.resolve("out")));
  }
}
