package dev.reweave.soak;

import dev.reweave.manifest.Manifest;
import dev.reweave.plan.PlanOptions;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/** Models that the product made in this process, for tests of who looks at them. */
final class Samples {
  static final String INDEX = "model.safetensors.index.json";
  static final String SINGLE = "model.safetensors";
  static final String SHARD = "model-00002-of-00004.safetensors";
  static final String SPARE_SHARD = "model-000002-of-000004.safetensors";

  private Samples() {}

  static Model sharded(Path temp) throws IOException {
    return made(temp.resolve("sharded"), "z2_bf16_w2", PlanOptions.DEFAULTS.withSizes(187, 64_000));
  }

  static Model single(Path temp) throws IOException {
    return made(temp.resolve("single"), "z3_fp16_w3", PlanOptions.DEFAULTS);
  }

  private static Model made(Path output, String fixture, PlanOptions options) throws IOException {
    Manifest made =
        Converting.between(Fixtures.folder(fixture + "/ckpt"), output)
            .planning(options)
            .run()
            .manifest();
    Model model =
        new Model(
            fixture,
            FolderStore.local(output.getParent()).site(output.getFileName().toString()).files());
    if (!model.files().keySet().containsAll(made.fileNames())) {
      throw new IllegalStateException(model.files().keySet() + ", not " + made.fileNames());
    }
    return model;
  }

  /** The files of a model, to be harmed. */
  static Map<String, byte[]> copy(Model model) {
    Map<String, byte[]> copy = new TreeMap<>();
    model.files().forEach((path, content) -> copy.put(path, content.clone()));
    return copy;
  }

  /** The same with the names that shards get beside an old model, in the index too. */
  static Map<String, byte[]> renamed(Model model) {
    Map<String, byte[]> renamed = new TreeMap<>();
    model
        .files()
        .forEach(
            (path, content) ->
                renamed.put(
                    spare(path),
                    path.endsWith(".json")
                        ? spare(new String(content, StandardCharsets.UTF_8))
                            .getBytes(StandardCharsets.UTF_8)
                        : content));
    return renamed;
  }

  private static String spare(String text) {
    return text.replaceAll("-(\\d{5})-of-(\\d{5})\\b", "-0$1-of-0$2");
  }

  /** Flips a bit near the end. */
  static void flip(Map<String, byte[]> files, String path) {
    byte[] content = files.get(path);
    content[content.length - 3] ^= 0x10;
  }
}
