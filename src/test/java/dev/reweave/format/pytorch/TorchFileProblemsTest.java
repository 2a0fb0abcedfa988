package dev.reweave.format.pytorch;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.testing.Locations;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TorchFileProblemsTest {
  private static final String OPTIM =
      "/ckpt/global_step3/bf16_zero_pp_rank_%d_mp_rank_00_optim_states.pt";

  @TempDir Path folder;

  private static void assertSays(Path path, String... parts) {
    String message =
        assertThrows(ReweaveException.class, () -> OpenTorchFile.open(path)).getMessage();
    assertTrue(message.contains(Locations.of(path).uri()), message);
    for (String part : parts) {
      assertTrue(message.contains(part), message);
    }
  }

  private static Path corrupt(String name) {
    return FileAccess.resource("fixtures/corrupt/" + name);
  }

  private Path write(byte[] content) throws IOException {
    return Files.write(folder.resolve("file.pt"), content);
  }

  @Test
  void tellsAnEmptyFile() {
    assertSays(corrupt("z2_empty_file" + String.format(OPTIM, 0)), "the file is empty");
  }

  @Test
  void tellsTruncatedFiles() {
    assertSays(corrupt("z2_truncated_optim" + String.format(OPTIM, 1)), "truncated");
    assertSays(corrupt("z3_truncated_tail" + String.format(OPTIM, 0)), "truncated");
  }

  @Test
  void tellsGitLfsPointers() {
    assertSays(
        corrupt("z3_lfs_pointer/ckpt/global_step3/zero_pp_rank_0_mp_rank_00_model_states.pt"),
        "git-lfs pointer",
        "git lfs pull");
  }

  @Test
  void checksTheSumOfThePickle() {
    assertSays(
        corrupt("z2_flipped_pickle/ckpt/global_step3/mp_rank_00_model_states.pt"),
        "CRC-32",
        "data.pkl");
  }

  @ParameterizedTest
  @CsvSource({"z2_short_storage", "z2_huge_storage"})
  void checksTheLengthOfAStorageThatIsAskedFor(String fixture) throws IOException {
    try (OpenTorchFile file = OpenTorchFile.open(corrupt(fixture + String.format(OPTIM, 0)))) {
      TorchValue state = file.root().at("optimizer_state_dict");
      file.layout(state.at("single_partition_of_fp32_groups").items().get(0));
      TorchValue moments = state.at("base_optimizer_state").at("state").at("0");
      file.layout(moments.at("exp_avg"));
      assertMessage(
          () -> layout(file, moments.at("step")), "sizes do not add up", "entry", "data/0");
    }
  }

  private static void layout(OpenTorchFile file, TorchValue tensor) {
    try {
      file.layout(tensor);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void runsNothing() throws IOException {
    Path model = corrupt("z2_malicious_pickle/ckpt/global_step3/mp_rank_00_model_states.pt");
    Path optim = corrupt("z3_malicious_optim" + String.format(OPTIM, 1));
    try (OpenTorchFile file = OpenTorchFile.open(model)) {
      assertTrue(file.root().at("module").isDict());
      TorchValue root = file.root();
      assertMessage(() -> root.at("lr_scheduler").integer(), "a value of posix.system");
    }
    try (OpenTorchFile file = OpenTorchFile.open(optim)) {
      TorchValue state = file.root().at("optimizer_state_dict");
      assertMessage(() -> state.at("loss_scaler").integer(), "a value of posix.system");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "safetensors.pt, a safetensors file",
    "plain_pickle.pt, a plain pickle",
    "old_tar.pt, a tar",
    "torchscript.pt, TorchScript program",
    "compressed.pt, compressed or encrypted",
    "duplicate_entry.pt, two entries 'archive/data/0'"
  })
  void tellsOtherFormats(String sample, String problem) {
    assertSays(FileAccess.resource("torch/" + sample), problem);
  }

  @Test
  void tellsAnythingElse() throws IOException {
    assertSays(write("{}".getBytes(StandardCharsets.UTF_8)), "starts with 7b 7d");
  }

  @Test
  void tellsAnotherZip() throws IOException {
    byte[] empty = new byte[22];
    ByteBuffer.wrap(empty).order(ByteOrder.LITTLE_ENDIAN).putInt(0x06054b50);
    assertSays(write(empty), "0 entries NAME/data.pkl");
  }

  @ParameterizedTest
  @CsvSource({
    "12, 7fffffff, lies outside the file", // directory size
    "16, 7fffffff, lies outside the file", // directory offset
    "16, 10, directory is damaged",
    "10, ffff, counts its entries twice"
  })
  void checksTheEndRecord(int at, String value, String problem) throws IOException {
    byte[] sample = Files.readAllBytes(FileAccess.resource("torch/no_byteorder.pt"));
    ByteBuffer end = ByteBuffer.wrap(sample).order(ByteOrder.LITTLE_ENDIAN);
    int position = sample.length - 22 + at;
    int number = Integer.parseUnsignedInt(value, 16);
    if (at == 10) {
      end.putShort(position, (short) number);
    } else {
      end.putInt(position, number);
    }
    assertSays(write(sample), problem);
  }

  @Test
  void comparesLocalHeadersWithTheDirectory() throws IOException {
    byte[] sample = Files.readAllBytes(FileAccess.resource("torch/no_byteorder.pt"));
    sample[30] ^= 1; // first character of the first entry's name
    assertSays(write(sample), "own header differ");
  }

  @Test
  void tellsWhatALegacyFileLacks() throws IOException {
    byte[] sample = Files.readAllBytes(FileAccess.resource("torch/legacy.pt"));
    Path cut = write(Arrays.copyOf(sample, sample.length - 60));
    try (OpenTorchFile file = OpenTorchFile.open(cut)) {
      TorchValue whole = file.root().at("weights").at("whole");
      String message = assertThrows(ReweaveException.class, () -> file.layout(whole)).getMessage();
      assertTrue(message.contains("longer than the file"), message);
    }
    assertSays(write(Arrays.copyOf(sample, 300)), "the pickle");
    assertSays(write(Arrays.copyOf(sample, 10)), "a plain pickle, or its start is damaged");
  }

  @Test
  void namesFileAndPathOfAWrongKind() throws IOException {
    try (OpenTorchFile file = OpenTorchFile.sample("protocol2.pt")) {
      TorchValue root = file.root();
      assertMessage(() -> root.at("weights").at("whole").integer(), "weights.whole", "a tensor");
      assertMessage(() -> root.at("list").items().get(2).text(), "list[2]", "found a list");
      assertMessage(() -> root.at("absent"), "lacks 'absent'", "protocol2.pt");
      assertMessage(() -> root.at("none"), "has None at 'none'");
      assertMessage(() -> root.at("list").at("x"), "a dict with 'x'", "a list", "at list");
      assertMessage(() -> root.at("text").tensor(), "expected a tensor", "found text");
      assertMessage(() -> root.at("set").shape(), "expected a shape", "a set");
      assertMessage(() -> root.at("yes").integer(), "an integer", "True or False");
      assertMessage(() -> root.at("small").truth(), "True or False", "a number");
      assertMessage(() -> root.at("long list").at("x"), "at ['long list']");
      assertTrue(root.at("text").find("x").isEmpty());
    }
    try (OpenTorchFile file = OpenTorchFile.sample("exotic.pt")) {
      TorchValue root = file.root();
      assertMessage(() -> root.at("sparse").tensor(), "_rebuild_sparse_tensor");
    }
  }

  private static void assertMessage(Runnable action, String... parts) {
    String message = assertThrows(ReweaveException.class, action::run).getMessage();
    for (String part : parts) {
      assertTrue(message.contains(part), message);
    }
  }
}
