package dev.reweave.target.base;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.PythonVersion;
import dev.reweave.testing.Fixtures;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LibraryVersionTest {
  @TempDir Path temp;

  @Test
  void readsAllConfigs() throws IOException {
    BaseFolder base =
        new SampleBase(temp)
            .model("transformer", "T", "a")
            .text("model_index.json", "{'_diffusers_version': '0.31.0.dev0'}")
            .text("text_encoder/config.json", "{'transformers_version': '4.46.2'}")
            .text("text_encoder/generation_config.json", "{'transformers_version': 5}")
            .text("scheduler/scheduler_config.json", "{'_diffusers_version': 'not one'}")
            .text("docs/config.txt", "{'_diffusers_version': '9'}")
            .text("deep/er/config.json", "not JSON")
            .read();
    assertEquals(
        List.of(
            new LibraryVersion("model_index.json", "diffusers", "0.31.0.dev0"),
            new LibraryVersion("text_encoder/config.json", "transformers", "4.46.2")),
        LibraryVersion.of(base));
    assertEquals(
        Optional.of("0.40.0.dev0"),
        LibraryVersion.newest(
            LibraryVersion.of(new SampleBase(Fixtures.folder("base_pipeline")).read())));
    assertEquals(Optional.empty(), LibraryVersion.newest(List.of()));
  }

  @Test
  void ordersVersions() {
    List<String> ordered =
        List.of(
            "0.9.1",
            "0.31.0.dev0",
            "0.31.0.dev2",
            "0.31.0a1",
            "0.31.0rc1",
            "0.31.0",
            "0.31.0.post1",
            "0.31.1",
            "1.0",
            "4.46.2");
    for (int i = 0; i < ordered.size(); i++) {
      for (int j = 0; j < ordered.size(); j++) {
        assertEquals(
            Integer.compare(i, j),
            Integer.signum(PythonVersion.compare(ordered.get(i), ordered.get(j))),
            ordered.get(i) + " and " + ordered.get(j));
      }
    }
    assertEquals(0, PythonVersion.compare("1.0", "1.0.0"));
    assertEquals(0, PythonVersion.compare("1.0", "1.0+cu124"));
    assertTrue(PythonVersion.compare("1.0.dev0", "1.0") < 0);
    assertThrows(IllegalArgumentException.class, () -> PythonVersion.compare("one", "1"));
  }
}
