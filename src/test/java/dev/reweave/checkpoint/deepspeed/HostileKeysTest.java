package dev.reweave.checkpoint.deepspeed;

import static dev.reweave.testing.PickleWriter.dict;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.checkpoint.TorchProbe;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.testing.Locations;
import dev.reweave.testing.TorchZipWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Files whose keys hold what no DeepSpeed writes. */
class HostileKeysTest {
  private static final Stores STORES = new Stores(new Configuration());

  @TempDir Path temp;

  private Surveyed<String> survey(Object root, FileSurvey survey) throws IOException {
    Path file = temp.resolve("file.pt");
    TorchZipWriter.write(file, root, List.of());
    return new ThreadScanner(STORES)
        .scan(
            List.of(
                TorchProbe.request(
                    STORES.file(Locations.of(file)).orElseThrow(), 0, survey.with(f -> "read"))))
        .get(0);
  }

  @ParameterizedTest
  @EnumSource(FileSurvey.class)
  void valuesOfOtherTypes(FileSurvey survey) throws IOException {
    for (Object other : List.of(1, "text", List.of(1, List.of()), dict(1, 2), true)) {
      Map<Object, Object> root =
          dict(
              "module",
              other,
              "param_shapes",
              List.of(other, dict("a", other)),
              "frozen_param_shapes",
              other,
              "optimizer_state_dict",
              other,
              "universal_checkpoint_info",
              other,
              "checkpoint_parallel_dimensions",
              other,
              "ds_autoep_layers",
              List.of(other),
              "ds_config",
              dict("zero_optimization", other),
              "ds_version",
              other,
              "",
              other,
              7,
              other);

      assertEquals("read", survey(root, survey).facts());
      assertEquals("read", survey(other, survey).facts());
    }
  }
}
