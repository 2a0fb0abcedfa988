package dev.reweave.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.common.ReweaveException;
import dev.reweave.plan.PlanOptions;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Folders of weights that are not whole, not clear, or asked for what they do not have. */
class BrokenModelTest {
  private static final Stores STORES = new Stores(new Configuration());
  private static final String INDEX = "model.safetensors.index.json";

  @TempDir static Path made;
  @TempDir Path temp;
  private Path folder;
  private String first;
  private String second;

  @BeforeAll
  static void make() {
    Converting.between(Fixtures.folder("z2_bf16_w2").resolve("ckpt"), made.resolve("model"))
        .planning(PlanOptions.DEFAULTS.withSizes(400, 64_000))
        .run();
  }

  @BeforeEach
  void copy() throws IOException {
    folder = Fixtures.copy(made.resolve("model"), temp.resolve("model"));
    long shards =
        Fixtures.digests(folder).keySet().stream().filter(f -> f.endsWith("tensors")).count();
    first = "model-00001-of-%05d.safetensors".formatted(shards);
    second = "model-00002-of-%05d.safetensors".formatted(shards);
  }

  private static Checkpoint read(Path input, ReadOptions options) {
    return new CheckpointReader(STORES, new ThreadScanner(STORES))
        .read(Locations.of(input), options);
  }

  private static Checkpoint read(Path input) {
    return read(input, ReadOptions.defaults());
  }

  private static void assertFails(Runnable work, String... parts) {
    String message = assertThrows(ReweaveException.class, work::run).getMessage();
    Arrays.stream(parts).forEach(part -> assertTrue(message.contains(part), message));
  }

  private void assertFails(String... parts) {
    assertFails(() -> read(folder), parts);
  }

  @Test
  void aMissingShard() throws IOException {
    Files.delete(folder.resolve(second));

    assertFails(INDEX + " names " + second + ", which is not there", "copy the shard");
  }

  @Test
  void noShardAtAll() throws IOException {
    byte[] index = Files.readAllBytes(folder.resolve(INDEX));
    Files.write(Files.createDirectory(temp.resolve("bare")).resolve(INDEX), index);

    assertFails(() -> read(temp.resolve("bare")), "none of its shards", INDEX);
  }

  @Test
  void aMissingIndex() throws IOException {
    Files.delete(folder.resolve(INDEX));
    assertEquals(12, read(folder).tensors().size());
    Files.delete(folder.resolve(first));

    assertFails("shards without an index 1 is missing: " + first, second, "with the index if");
  }

  @Test
  void aShortenedShard() throws IOException {
    byte[] shard = Files.readAllBytes(folder.resolve(second));
    Files.write(folder.resolve(second), Arrays.copyOf(shard, shard.length - 1));

    assertFails("bytes of tensors where its header has", second, "copy it again");
  }

  @Test
  void shardsThatChangedPlaces() throws IOException {
    Files.move(folder.resolve(first), folder.resolve("kept"));
    Files.move(folder.resolve(second), folder.resolve(first));
    Files.move(folder.resolve("kept"), folder.resolve(second));

    assertFails(INDEX + " says that", "more problems, which 'reweave doctor' tells", "one source");
  }

  @Test
  void aShardOfAnotherModel() throws IOException {
    Files.copy(
        folder.resolve(second), folder.resolve(second.replaceFirst("-of-\\d+", "-of-00099")));

    Checkpoint checkpoint = read(folder);

    assertEquals(12, checkpoint.tensors().size());
    assertEquals(1, checkpoint.notTaken().size());
    assertTrue(checkpoint.notTaken().get(0).reason().contains("are missing: model-00001-of-00099"));
  }

  @Test
  void aPointer() throws IOException {
    Files.writeString(
        folder.resolve(second), "version https://git-lfs.github.com/spec/v1\noid sha256:0\n");

    assertFails("git-lfs pointer", second, "git lfs pull");
  }

  @Test
  void aBrokenIndex() throws IOException {
    Files.writeString(folder.resolve(INDEX), "{\"metadata\": {}}");

    assertFails("index has no weight_map", INDEX, "copy the index again");
  }

  @Test
  void aWrongTotalDoesNoHarm() throws IOException {
    String index = Files.readString(folder.resolve(INDEX));
    Files.writeString(
        folder.resolve(INDEX), index.replaceFirst("\"total_size\": \\d+", "\"total_size\": 7"));

    Checkpoint checkpoint = read(folder);

    assertEquals(12, checkpoint.tensors().size());
    assertEquals(1, checkpoint.notes().size());
    assertTrue(checkpoint.notes().get(0).contains("says total_size 7"));
  }

  @Test
  void severalModels() throws IOException {
    Path one = Files.createDirectory(temp.resolve("several"));
    for (String stem : new String[] {"ema", "model", "model.fp16"}) {
      Files.copy(folder.resolve(second), one.resolve(stem + ".safetensors"));
    }

    assertFails(
        () -> read(one),
        "several models here: ema.safetensors (4 tensors, 98 parameters, 392 B, first"
            + " layers.0.bias [13]), model.safetensors (4 tensors",
        "name the one that is meant, such as file:"
            + one.resolve("ema.safetensors").toUri().getPath());
    assertTrue(read(one.resolve("ema.safetensors")).tensors().size() > 0);
  }

  @Test
  void severalVariants() throws IOException {
    Path one = Files.createDirectory(temp.resolve("several"));
    Files.copy(folder.resolve(second), one.resolve("model.bf16.safetensors"));
    assertTrue(read(one).tensors().size() > 0);
    Files.copy(folder.resolve(second), one.resolve("model.fp16.safetensors"));

    assertFails(
        () -> read(one),
        "several models here: model.bf16.safetensors (",
        "), model.fp16.safetensors (");
  }

  @Test
  void aPipeline() {
    assertFails(
        () -> read(Fixtures.folder("base_pipeline")),
        "this is a pipeline of several models",
        "name the folder of the one that is meant: ",
        "transformer");
  }

  @Test
  void brokenTorchFiles() throws IOException {
    Path source = Fixtures.folder("z3_bf16_w2_save16").resolve("ckpt/model16/pytorch_model.bin");
    Path bins = Files.createDirectory(temp.resolve("bins"));
    Files.copy(source, bins.resolve("pytorch_model-00001-of-00002.bin"));
    assertFails(() -> read(temp.resolve("bins/none")), "no such file or folder");
    String index = "{\"weight_map\": {\"a\": \"pytorch_model-00002-of-00002.bin\"}}";
    Files.writeString(bins.resolve("pytorch_model.bin.index.json"), index);
    assertFails(() -> read(bins), "an index, but none of its shards", "copy the shards");

    Files.writeString(bins.resolve("pytorch_model-00002-of-00002.bin"), "no torch file");
    assertFails(() -> read(bins), "pytorch_model-00002-of-00002.bin");
  }

  @Test
  void optionsThatMeanNothingHere() {
    assertFails(
        () ->
            read(
                folder,
                new ReadOptions(
                    Optional.empty(), Optional.of(Weights.MASTER), ReadOptions.Frozen.INCLUDE)),
        "no fp32 master weights",
        "--weights");
    assertFails(
        () ->
            read(
                folder,
                new ReadOptions(
                    Optional.of("step1"), Optional.empty(), ReadOptions.Frozen.INCLUDE)),
        "there are no tags here",
        "--tag");
    assertFails(
        () ->
            read(
                folder,
                new ReadOptions(Optional.empty(), Optional.empty(), ReadOptions.Frozen.EXCLUDE)),
        "frozen",
        "--exclude-frozen");
  }
}
