package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.plan.PlanOptions;
import dev.reweave.storage.Stores;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.HookedFileSystem;
import dev.reweave.testing.OpenHooks;
import dev.reweave.testing.StoredFiles;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Somebody writes to the input while it is converted: the run ends and publishes nothing. */
class InputChangeTest {
  private static final String LATER = "2033-03-03T03:03:03Z";
  private static final String EARLIER = "2022-02-02T02:02:02Z";
  private static final String RANK_1 = "bf16_zero_pp_rank_1_mp_rank_00_optim_states.pt";

  @TempDir Path temp;
  private Configuration conf;
  private Path file;

  @BeforeEach
  void copyInput() throws IOException {
    OpenHooks.clear();
    conf = new Configuration(TestSpark.context().hadoopConfiguration());
    HookedFileSystem.configure(conf);
    Path input = Fixtures.copy(Fixtures.folder("z2_bf16_w2/ckpt"), temp.resolve("in"));
    file = input.resolve("global_step3").resolve(RANK_1);
    Files.setLastModifiedTime(file, time(EARLIER));
  }

  private static FileTime time(String instant) {
    return FileTime.from(java.time.Instant.parse(instant));
  }

  private Converting converting() {
    return Converting.between("hooked:" + temp.resolve("in"), "hooked:" + temp.resolve("out"))
        .planning(PlanOptions.DEFAULTS.withSizes(400, 64_000))
        .in(new Stores(conf));
  }

  /**
   * What is told if something happens when the file is opened for the time of this number: first
   * for its metadata, then for weights.
   */
  private String failure(int opening, OpenHooks.Action action) {
    OpenHooks.whenOpened(RANK_1, opening, action);
    ReweaveException failure = assertThrows(ReweaveException.class, () -> converting().run());
    assertEquals(0, OpenHooks.waiting());
    assertTrue(Files.notExists(temp.resolve("out")), "something was published");
    return failure.getMessage();
  }

  private void assertTold(String what, String message) {
    assertEquals(
        "the input was changed while it was converted: "
            + what
            + ": hooked:"
            + file
            + "; wait until nobody writes to it, then run the same command again",
        message);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void anotherTime(int opening) {
    assertTold(
        "a file was modified at " + LATER + " and was of " + EARLIER,
        failure(opening, f -> Files.setLastModifiedTime(file, time(LATER))));
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3})
  void otherBytes(int opening) {
    String message =
        failure(
            opening,
            f -> {
              StoredFiles.flipBit(
                  FileSystem.getLocal(conf).getRaw(), new org.apache.hadoop.fs.Path(file.toUri()));
              Files.setLastModifiedTime(file, time(LATER));
            });

    assertTold("a file was modified at " + LATER + " and was of " + EARLIER, message);
  }

  @Test
  void moreBytes() throws IOException {
    long length = Files.size(file);

    assertTold(
        "a file has " + (length + 4) + " bytes and had " + length,
        failure(2, f -> Files.write(file, new byte[4], StandardOpenOption.APPEND)));
  }

  @Test
  void fewerBytes() throws IOException {
    byte[] content = Files.readAllBytes(file);

    assertTold(
        "a file has 100 bytes and had " + content.length,
        failure(2, f -> Files.write(file, Arrays.copyOf(content, 100))));
  }

  @Test
  void aFileThatIsDeleted() {
    assertTold("a file is gone", failure(2, f -> Files.delete(file)));
  }

  @Test
  void allThatChangedIsCounted() {
    Path model = file.resolveSibling("mp_rank_00_model_states.pt");

    String message =
        failure(
            2,
            f -> {
              Files.delete(file);
              Files.delete(model);
            });

    assertTrue(message.contains("a file is gone"), message);
    assertTrue(message.contains(".pt, and 1 more"), message);
  }

  @Test
  void aFileOfTheBase() throws IOException {
    Path base = Fixtures.copy(Fixtures.folder("base_pipeline"), temp.resolve("base"));
    Path licence = base.resolve("model_index.json");
    Converting converting =
        Converting.between(Fixtures.folder("cog_z2_bf16_w2/ckpt"), "hooked:" + temp.resolve("out"))
            .base("hooked:" + base)
            .in(new Stores(conf));
    OpenHooks.whenOpened("/scheduler_config.json", 2, f -> Files.writeString(licence, "{}"));

    ReweaveException failure = assertThrows(ReweaveException.class, converting::run);

    assertEquals(0, OpenHooks.waiting());
    assertTrue(
        failure
            .getMessage()
            .startsWith("the input was changed while it was converted: a file has 2"),
        failure.getMessage());
    assertTrue(failure.place().endsWith("/base/model_index.json"), failure.place());
    assertTrue(Files.notExists(temp.resolve("out")), "something was published");
  }

  @Test
  void theNextRunGetsThrough() throws IOException {
    failure(2, f -> Files.setLastModifiedTime(file, time(LATER)));

    converting().run();

    assertEquals(
        Set.of(
            "model-00001-of-00003.safetensors",
            "model-00002-of-00003.safetensors",
            "model-00003-of-00003.safetensors",
            "model.safetensors.index.json",
            "reweave.json"),
        Fixtures.digests(temp.resolve("out")).keySet());
  }
}
