package dev.reweave.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.checkpoint.reading.SavedSteps;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several models in one place, and tags that are paths. */
class SideBySideTest {
  @TempDir Path temp;

  private static Checkpoint read(Path folder, ReadOptions options) {
    return new CheckpointReader(TestSpark.stores(), new ThreadScanner(TestSpark.stores()))
        .read(Locations.of(folder), options);
  }

  private static Checkpoint read(Path folder) {
    return read(folder, ReadOptions.defaults());
  }

  private static Checkpoint read(Path folder, String tag) {
    return read(folder, ReadOptions.defaults().withTag(tag));
  }

  private static List<String> steps(Path folder) {
    return new SavedSteps(TestSpark.stores()).all(Locations.of(folder));
  }

  /** As Accelerate saves two engines: each has a tag, and {@code latest} names the last. */
  @Test
  void twoEnginesOfOneTrainer() throws IOException {
    Path root = Files.createDirectory(temp.resolve("state"));
    Fixtures.copy(Fixtures.folder("z2_bf16_w2/ckpt/global_step3"), root.resolve("pytorch_model"));
    Fixtures.copy(
        Fixtures.folder("z3_bf16_w2_llama/ckpt/global_step3"), root.resolve("pytorch_model_1"));
    Files.writeString(root.resolve("latest"), "pytorch_model_1");

    ReweaveException e = assertThrows(ReweaveException.class, () -> read(root));

    Checkpoint first = read(root, "pytorch_model");
    Checkpoint second = read(root, "pytorch_model_1");
    assertEquals(ReweaveException.Kind.USAGE, e.kind());
    assertTrue(
        e.problem()
            .startsWith(
                "there are several models here: pytorch_model ("
                    + first.tensors().size()
                    + " tensors, "),
        e.problem());
    assertTrue(
        e.problem().contains("pytorch_model_1 (" + second.tensors().size() + " tensors, "),
        e.problem());
    assertTrue(
        e.problem().contains("first " + first.names().get(0) + " " + shape(first)), e.problem());
    assertEquals("choose one with --tag pytorch_model", e.remedy());
    assertEquals("pytorch_model", first.source().tag());
    assertFalse(first.names().equals(second.names()));
    assertEquals(
        second.names(), read(root.resolve("pytorch_model_1"), ReadOptions.defaults()).names());
    NotTaken other =
        first.notTaken().stream()
            .filter(n -> n.name().equals("pytorch_model_1"))
            .findFirst()
            .orElseThrow();
    assertTrue(other.tensors() >= second.tensors().size(), other.text());
    assertEquals(List.of("pytorch_model", "pytorch_model_1"), steps(root));
  }

  private static String shape(Checkpoint checkpoint) {
    return checkpoint.tensors().get(0).spec().shape().toString();
  }

  @Test
  void twoModelsUnderFsdp() throws IOException {
    Path root = Files.createDirectory(temp.resolve("state"));
    Path plain = Fixtures.folder("dcp_plain/ckpt");
    Fixtures.copy(plain, root.resolve("pytorch_model_fsdp_0"));
    assertTrue(read(root).tensors().size() > 0);
    Fixtures.copy(plain, root.resolve("pytorch_model_fsdp_1"));

    ReweaveException e = assertThrows(ReweaveException.class, () -> read(root));

    assertTrue(
        e.getMessage().contains("several models here: pytorch_model_fsdp_0 ("), e.getMessage());
    assertEquals("pytorch_model_fsdp_1", read(root, "pytorch_model_fsdp_1").source().tag());
  }

  @Test
  void stepsAreNoModels() throws IOException {
    assertTrue(read(Fixtures.folder("z2_bf16_w2_tags/ckpt")).tensors().size() > 0);
  }

  @Test
  void aTagWithASlash() throws IOException {
    Path root = Files.createDirectory(temp.resolve("ckpt"));
    Path step = Fixtures.folder("z2_bf16_w2/ckpt/global_step3");
    Fixtures.copy(step, root.resolve("epoch1/step5"));
    Fixtures.copy(step, root.resolve("epoch1/step10"));
    Fixtures.copy(step, root.resolve("epoch2/step5"));
    Files.writeString(root.resolve("latest"), "epoch1/step5\n");

    Checkpoint newest = read(root);

    assertEquals("epoch1/step5", newest.source().tag());
    assertEquals(read(step).names(), newest.names());
    assertEquals("epoch2/step5", read(root, "epoch2/step5").source().tag());
    assertEquals(List.of("epoch1/step5", "epoch1/step10", "epoch2/step5"), steps(root));
    assertEquals(
        "epoch1/step5",
        new SavedSteps(TestSpark.stores()).chosen(Locations.of(root), Optional.empty()));
  }

  @Test
  void aTagThatLeadsOut() throws IOException {
    Path root = Fixtures.copy(Fixtures.folder("z2_bf16_w2/ckpt"), temp.resolve("ckpt"));
    for (String tag : List.of("../ckpt/global_step3", "a/../global_step3", "/tmp", "a//b", "./x")) {
      ReweaveException e = assertThrows(ReweaveException.class, () -> read(root, tag));

      assertEquals("'" + tag + "' cannot be a tag", e.problem());
    }
  }

  @Test
  void manyFilesOfWeightsAreNotAllRead() throws IOException {
    Path root = Files.createDirectory(temp.resolve("many"));
    for (int i = 10; i < 25; i++) {
      Files.copy(Fixtures.resource("torch/state_dict.pt"), root.resolve("epoch-" + i + ".pt"));
    }

    ReweaveException e = assertThrows(ReweaveException.class, () -> read(root));

    assertTrue(e.problem().endsWith(" and 5 more"), e.problem());
    assertTrue(read(root.resolve("epoch-12.pt")).tensors().size() > 0);
  }

  /** A question between files that cannot be read would lead nowhere. */
  @Test
  void noneOfThemCanBeRead() throws IOException {
    Path root = Files.createDirectory(temp.resolve("broken"));
    Files.writeString(root.resolve("a.pt"), "nothing that torch wrote");
    Files.writeString(root.resolve("b.pt"), "nor this");

    ReweaveException e = assertThrows(ReweaveException.class, () -> read(root));

    assertTrue(e.place().endsWith("/a.pt"), e.getMessage());
    assertTrue(e.problem().contains("torch.save"), e.getMessage());
  }

  @Test
  void stepsThatAreModels() throws IOException {
    Path root = Files.createDirectory(temp.resolve("runs"));
    for (String step : List.of("step-9", "step-10", "logs")) {
      Files.createDirectory(root.resolve(step));
    }
    Path model = Fixtures.resource("torch/state_dict.pt");
    Files.copy(model, root.resolve("step-9/pytorch_model.bin"));
    Files.copy(model, root.resolve("step-10/pytorch_model.bin"));

    ReweaveException e = assertThrows(ReweaveException.class, () -> read(root));

    assertTrue(e.problem().startsWith("no checkpoint here"), e.problem());
    assertTrue(e.remedy().endsWith(root.resolve("step-10").toString()), e.remedy());
    assertTrue(read(root.resolve("step-10")).tensors().size() > 0);
  }

  /** A trainer has removed the step and left what it loads. */
  @Test
  void whatElseIsHereIsNamed() throws IOException {
    Path root = Files.createDirectory(temp.resolve("left"));
    Files.writeString(root.resolve("latest"), "global_step7");
    Files.copy(Fixtures.resource("torch/state_dict.pt"), root.resolve("pytorch_model.bin"));

    ReweaveException e = assertThrows(ReweaveException.class, () -> read(root));

    assertEquals("'latest' names tag 'global_step7', which is not there", e.problem());
    assertTrue(
        e.remedy().endsWith("also here, to be named instead: file:" + root + "/pytorch_model.bin"),
        e.remedy());
    assertTrue(read(root.resolve("pytorch_model.bin")).tensors().size() > 0);
  }
}
