package dev.reweave.fuzz;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.reweave.checkpoint.Place;
import dev.reweave.checkpoint.deepspeed.DeepSpeedFormat;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.testing.Locations;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;

/** The file {@code latest}, names of tags and names of the files of ranks. */
public final class TagFuzz {
  private static final Stores STORES = new Stores(new Configuration());
  private static final Path ROOT = root();

  private TagFuzz() {}

  private static Path root() {
    try {
      Path root = Files.createTempDirectory("tags");
      for (String name : List.of("global_step3", "my tag", "e\u0301%20")) {
        Files.createDirectories(root.resolve(name));
        Files.createFile(root.resolve(name).resolve("mp_rank_00_model_states.pt"));
      }
      Files.createFile(root.resolve("global_step3/zero_pp_rank_0_mp_rank_00_optim_states.pt"));
      Files.createDirectories(root.resolve("global_step3/offloaded_tensors/rank0"));
      Files.createDirectories(root.resolve("empty"));
      return root;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The first character says what the others are. */
  static List<byte[]> seeds() {
    return List.of(
            "lglobal_step3\n",
            "lempty",
            "l..",
            "l\u0000x",
            "tmy tag",
            "te\u0301%20",
            "ts3a://b/c?d",
            "nmp_rank_00_model_states.pt\nzero_pp_rank_1_mp_rank_02_model_states.pt",
            "nbf16_zero_pp_rank_3_mp_rank_00_optim_states.pt\nlayer_01-model_00-model_states.pt",
            "nlayer_0_expert_1_mp_rank_00_model_states.pt\nexpp_rank_0_mp_rank_00_optim_states.pt",
            "nlayer_99999999999-model_states.pt",
            "nlatest\nlatest_universal")
        .stream()
        .map(seed -> seed.getBytes(UTF_8))
        .toList();
  }

  /** Called by the fuzzer. */
  public static void fuzzerTestOneInput(byte[] input) {
    byte kind = input.length == 0 ? (byte) 'l' : input[0];
    byte[] rest = Arrays.copyOfRange(input, Math.min(1, input.length), input.length);
    String text = new String(rest, UTF_8);
    Promise.check(
        () -> {
          switch (kind) {
            case 't' -> find(STORES.list(Locations.of(ROOT)), Optional.of(text));
            case 'n' -> find(listing(text), Optional.empty());
            default -> {
              Files.write(ROOT.resolve("latest"), rest);
              find(STORES.list(Locations.of(ROOT)), Optional.empty());
            }
          }
        });
  }

  private static void find(Stores.Listing root, Optional<String> wanted) {
    Place place =
        new Place(STORES, new ThreadScanner(STORES), Locations.of(ROOT), Optional.empty(), root);
    new DeepSpeedFormat().in(place).forEach(steps -> steps.step(wanted));
  }

  /** A folder of files with these names, as a store would list it. */
  private static Stores.Listing listing(String names) {
    return new Stores.Listing(
        names.lines().map(name -> new InputFile(Locations.of(ROOT.toUri() + name), 9, 0)).toList(),
        List.of());
  }
}
