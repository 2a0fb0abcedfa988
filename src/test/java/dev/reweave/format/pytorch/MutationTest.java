package dev.reweave.format.pytorch;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever stands in a file, reading it ends in values or in an explanation. */
class MutationTest {
  private static final int MUTANTS = 700;

  private final Random random = new Random(20260101);
  private int read;
  private int refused;

  private interface Reading {
    void run() throws IOException;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "torch/protocol1.pt",
        "torch/protocol2.pt",
        "torch/protocol5.pt",
        "torch/numpy_scalars.pt",
        "torch/parameters.pt",
        "torch/objects_protocol4.pt",
        "fixtures/z3_bf16_w2/ckpt/global_step3/zero_pp_rank_0_mp_rank_00_model_states.pt"
      })
  void everyMutantOfAPickleIsReadOrRefused(String sample) throws IOException {
    byte[] pickle = pickleOf(sample);
    for (int i = 0; i < MUTANTS; i++) {
      PickleBudget budget = new PickleBudget("mutant");
      PickleInput input = PickleInput.of(mutate(pickle, 0), "mutant");
      count(
          () -> {
            Unpickler unpickler = new Unpickler(input, new TorchGlobals(budget), budget);
            walk(TorchValue.root("mutant", unpickler.load()), 4);
          });
    }
    assertTrue(read > 10 && refused > 10, read + " read, " + refused + " refused");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "torch/no_byteorder.pt",
        "torch/no_crc.pt",
        "torch/zip64.pt",
        "torch/legacy_dtypes.pt",
        "torch/legacy.pt"
      })
  void everyMutantOfAFileIsReadOrRefused(String sample) throws IOException {
    byte[] bytes = Files.readAllBytes(FileAccess.resource(sample));
    for (int i = 0; i < 2 * MUTANTS; i++) {
      // Half of the time only the last bytes, where a zip has its directory.
      int from = i % 2 == 0 ? 0 : bytes.length - Math.min(bytes.length, 700);
      byte[] mutant = mutate(bytes, from);
      count(
          () -> {
            TorchFile file = TorchFile.read(new BytesAccess(mutant), 0);
            assertTrue(file.calls().size() + file.storages().size() >= 0);
            if (file.root().isDict()) {
              for (var entry : file.root().entries()) {
                if (entry.getValue().isTensor()) {
                  file.layout(entry.getValue().tensor());
                }
              }
            }
          });
    }
    assertTrue(read > 10 && refused > 10, read + " read, " + refused + " refused");
  }

  private void count(Reading reading) throws IOException {
    try {
      reading.run();
      read++;
    } catch (ReweaveException e) {
      refused++;
    }
  }

  private static byte[] pickleOf(String sample) throws IOException {
    try (FileAccess access = FileAccess.open(FileAccess.resource(sample))) {
      BufferedFile file = BufferedFile.open(access);
      ZipArchive archive = new ZipArchive(file, ZipDirectory.read(file).orElseThrow());
      return archive.read(archive.find("data.pkl").orElseThrow());
    }
  }

  /** Changes up to four places behind {@code from}. */
  private byte[] mutate(byte[] bytes, int from) {
    byte[] mutant = bytes.clone();
    for (int i = random.nextInt(4); i >= 0; i--) {
      int at = random.nextInt(from, mutant.length);
      switch (random.nextInt(4)) {
        case 0 -> mutant[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> mutant[at] = (byte) random.nextInt(256);
        case 2 -> mutant[at] = mutant[random.nextInt(mutant.length)];
        default -> {
          int length = Math.min(random.nextInt(16), mutant.length - at);
          System.arraycopy(mutant, random.nextInt(mutant.length - length), mutant, at, length);
        }
      }
    }
    return mutant;
  }

  /** Asks for everything down to a depth, as values may contain themselves. */
  private static void walk(TorchValue value, int depth) {
    if (value.isInteger()) {
      value.integer();
    } else if (value.isTensor()) {
      value.tensor().elements();
    } else {
      value.attribute("a");
    }
    if (depth == 0) {
      assertTrue(value.path().length() < 10_000);
    } else if (value.isDict()) {
      value.entries().forEach(e -> walk(e.getValue(), depth - 1));
    } else if (value.isSequence()) {
      value.items().forEach(item -> walk(item, depth - 1));
    }
  }
}
