package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.manifest.Manifest;
import dev.reweave.tensor.DType;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Floats;
import dev.reweave.testing.StoredTensors;
import dev.reweave.testing.VersionedFiles;
import dev.reweave.testing.VersionedFiles.Offload;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a manifest tells of the checkpoint that was read. */
class ToldInputTest {
  @TempDir Path temp;

  @Test
  void versionFilesTiedNamesAndWhatHasNoChecksum() throws IOException {
    Floats embed = Floats.random("embed.weight", 1, 7, 5);
    new VersionedFiles(temp.resolve("in"), "0.19.5", 3, 2)
        .group(embed)
        .tied("lm_head.weight", embed.name())
        .config("offload_optimizer", Map.of("device", "nvme"))
        .offload(Offload.FOLDER_PER_RANK)
        .write();

    Manifest manifest =
        Converting.between(temp.resolve("in"), temp.resolve("out"))
            .type("float32")
            .run()
            .manifest();

    assertEquals(
        Map.of(
            embed.name(),
            embed.described(),
            VersionedFiles.BUFFER,
            StoredTensors.describe(DType.I64, "[3]", VersionedFiles.bufferBytes())),
        StoredTensors.of(temp.resolve("out/model.safetensors")));
    assertEquals("0.19.5", manifest.input().version());
    assertEquals(Map.of("lm_head.weight", embed.name()), manifest.result().dropped());
    assertEquals(
        2, manifest.input().files().stream().filter(f -> f.name().endsWith(".tensor.swp")).count());
    assertEquals(
        List.of("the files of masters on NVMe carry no checksums"),
        manifest.figures().unchecked().stream().map(Manifest.Unchecked::why).toList());
  }
}
