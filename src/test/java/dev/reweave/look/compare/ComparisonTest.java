package dev.reweave.look.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.storage.MetadataLimit;
import dev.reweave.storage.Safeguards;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Converted folders that are compared with the checkpoints that they came from. */
class ComparisonTest {
  @TempDir Path temp;

  private Comparison.Result compare(Path checkpoint) {
    return compare(checkpoint, Safeguards.DEFAULT);
  }

  private Comparison.Result compare(Path checkpoint, Safeguards safeguards) {
    return new Comparison(TestSpark.cluster(), TestSpark.stores())
        .run(
            Locations.of(temp.resolve("out")),
            Locations.of(checkpoint),
            Optional.empty(),
            safeguards);
  }

  @ParameterizedTest
  @CsvSource({
    "z2_bf16_w2, float32",
    "z2_bf16_w2, bfloat16",
    "z1_fp16_w2, float32",
    "z2_fp16_w3_groups, float16",
    "sat_z2_bf16_w2, float32",
    "z2_bf16_w2_tied, float32",
  })
  void aConvertedFolderHasTheModulesWeights(String fixture, String type) {
    Path checkpoint = Fixtures.folder(fixture).resolve("ckpt");
    Converting.between(checkpoint, temp.resolve("out")).type(type).run();

    Comparison.Result result = compare(checkpoint);

    assertEquals("cast to the type of the module, they are bit for bit its own", result.verdict());
    assertTrue(result.tensors() > 3, result::toString);
  }

  @Test
  void linksOutOfTheCheckpointAreFollowedWhenAsked() throws IOException {
    Path checkpoint =
        Fixtures.copy(Fixtures.folder("z2_bf16_w2").resolve("ckpt"), temp.resolve("in"));
    Converting.between(checkpoint, temp.resolve("out")).run();
    Files.move(checkpoint.resolve("global_step3"), temp.resolve("elsewhere"));
    Files.createSymbolicLink(checkpoint.resolve("global_step3"), temp.resolve("elsewhere"));

    String refusal = assertThrows(ReweaveException.class, () -> compare(checkpoint)).getMessage();
    Comparison.Result result =
        compare(checkpoint, new Safeguards(Safeguards.Links.ANYWHERE, MetadataLimit.DEFAULT));

    assertTrue(
        refusal.startsWith("a symbolic link leads out of the folder that is read, to "), refusal);
    assertEquals("cast to the type of the module, they are bit for bit its own", result.verdict());
  }

  @Test
  void noMoreStructureThanIsAllowedIsRead() {
    Path checkpoint = Fixtures.folder("z2_bf16_w2").resolve("ckpt");
    Converting.between(checkpoint, temp.resolve("out")).run();
    Safeguards bounded = new Safeguards(Safeguards.Links.INSIDE, new MetadataLimit(100));

    String refusal =
        assertThrows(ReweaveException.class, () -> compare(checkpoint, bounded)).getMessage();

    assertTrue(refusal.contains(" bytes, and --max-metadata-bytes allows 100: "), refusal);
  }

  @Test
  void thePartOfAPipeline() {
    Path checkpoint = Fixtures.folder("cog_z2_bf16_w2").resolve("ckpt");
    Converting.between(checkpoint, temp.resolve("out"))
        .base(Fixtures.folder("base_pipeline"))
        .run();

    assertEquals(64, compare(checkpoint).tensors());
  }

  @Test
  void aBitThatHasChangedSince() throws IOException {
    Path checkpoint = Fixtures.folder("z2_bf16_w2").resolve("ckpt");
    Converting.between(checkpoint, temp.resolve("out")).run();
    Path shard = temp.resolve("out/model.safetensors");
    byte[] content = Files.readAllBytes(shard);
    content[content.length - 1] ^= 0x40;
    Files.write(shard, content);

    ReweaveException failure = assertThrows(ReweaveException.class, () -> compare(checkpoint));

    assertTrue(
        failure.getMessage().startsWith("the weights are not proven: 1 of "), failure.getMessage());
    assertTrue(failure.getMessage().contains("(1 of "), failure.getMessage());
  }

  @Test
  void anotherCheckpoint() {
    Converting.between(Fixtures.folder("z2_bf16_w2").resolve("ckpt"), temp.resolve("out")).run();

    ReweaveException failure =
        assertThrows(
            ReweaveException.class,
            () -> compare(Fixtures.folder("cog_z2_bf16_w2").resolve("ckpt/global_step2")));

    assertTrue(
        failure.getMessage().startsWith("nothing can be compared: no tensor of the folder has"),
        failure.getMessage());
    assertTrue(
        failure.getMessage().contains("name the checkpoint that the folder was converted from"),
        failure.getMessage());
  }
}
