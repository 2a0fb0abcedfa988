package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.look.report.Summary;
import dev.reweave.manifest.ConversionEnd;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.PlanOptions;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Files of others in the place of a result, which loaders would take instead. */
class StrayWeightsTest extends PipelineCase {
  private static final PlanOptions SHARDED = PlanOptions.DEFAULTS.withSizes(400, 64_000);
  private static final PlanOptions NAMED =
      PlanOptions.DEFAULTS.with(PlanOptions.WEIGHTS_NAME, Optional.of("net"));

  private Converting conversion() {
    return Converting.between(Fixtures.folder("z2_bf16_w2/ckpt"), output()).planning(SHARDED);
  }

  private void write(String... names) throws IOException {
    for (String name : names) {
      Files.createDirectories(output().resolve(name).getParent());
      Files.writeString(output().resolve(name), name);
    }
  }

  private List<String> content() throws IOException {
    return new ArrayList<>(new TreeMap<>(Fixtures.digests(output())).keySet());
  }

  @Test
  void strayWeightsGoWithTheModelThatIsReplacedAndAreNamed() throws IOException {
    String[] strays = {
      "adapter_config.json",
      "adapter_model.bin",
      "adapter_model.safetensors",
      "diffusion_pytorch_model.bin",
      "model-00001-of-00099.safetensors",
      "model.safetensors",
      "model.safetensors.index.fp16.json",
      "pytorch_model.bin",
      "pytorch_model.bin.index.json"
    };
    write(strays);
    write("README.md", "optimizer.safetensors", "sub/model.safetensors", "tokenizer.json");

    Manifest manifest = conversion().overwriting().run().manifest();

    List<String> expected = new ArrayList<>(manifest.fileNames());
    expected.addAll(
        List.of("README.md", "optimizer.safetensors", "sub/model.safetensors", "tokenizer.json"));
    expected.sort(null);
    assertEquals(expected, content());
    String removed =
        "--overwrite removes what loaders would take in place of the result, or put on top of it: "
            + String.join(", ", strays);
    String stays =
        "weights of other names stay beside the result, and loaders that take every file take them:"
            + " optimizer.safetensors";
    assertEquals(List.of(removed, stays), manifest.notes());
    List<String> summary = Summary.result(manifest, "out");
    assertTrue(summary.contains("note   " + removed), summary::toString);
    String json =
        new ConversionEnd(
                ConversionEnd.Status.CONVERTED,
                "in",
                "out",
                "",
                Optional.of(manifest),
                List.of(),
                1,
                Optional.empty())
            .toJson();
    assertTrue(json.contains("\"notes\":[\"" + removed), json);
  }

  /** A result that nobody can load is none: who loads the folder would get the other weights. */
  @Test
  void aFinishedResultIsNotUpToDateBesideAStray() throws IOException {
    Conversion.Outcome made = conversion().run();
    assertEquals(Conversion.Outcome.Kind.CONVERTED, made.kind());
    write("notes.txt");
    assertEquals(Conversion.Outcome.Kind.UP_TO_DATE, conversion().run().kind());
    write("model.safetensors");

    ReweaveException e = assertThrows(ReweaveException.class, () -> conversion().run());
    assertTrue(e.getMessage().contains("the output is not empty: it holds "), e::getMessage);
    assertTrue(e.remedy().endsWith("replace the model in it with --overwrite"), e::getMessage);
    assertTrue(Files.exists(output().resolve("model.safetensors")));

    assertEquals(Conversion.Outcome.Kind.CONVERTED, conversion().overwriting().run().kind());
    assertTrue(Files.notExists(output().resolve("model.safetensors")));
    assertTrue(Files.exists(output().resolve("notes.txt")));
    assertEquals(Conversion.Outcome.Kind.UP_TO_DATE, conversion().run().kind());
  }

  @Test
  void whatAnEarlierConversionMadeIsNamed() throws IOException {
    conversion().run();

    Manifest manifest = conversion().planning(NAMED).overwriting().run().manifest();

    assertTrue(
        manifest.notes().stream()
            .anyMatch(
                n ->
                    n.startsWith("--overwrite removes what loaders would take")
                        && n.contains("model-00001-of-0")
                        && n.contains("model.safetensors.index.json")),
        manifest.notes()::toString);
    assertEquals(List.of("net.safetensors", "reweave.json"), content());
  }

  @Test
  void strayWeightsBesideTheComponentOfAPipeline() throws IOException {
    write(
        "transformer/diffusion_pytorch_model.safetensors.index.json",
        "transformer/model.safetensors",
        "transformer/notes.txt",
        "model.safetensors");

    Manifest manifest =
        Converting.between(input("cog_z2_bf16_w2"), output())
            .base(base())
            .overwriting()
            .run()
            .manifest();

    assertTrue(
        manifest
            .notes()
            .contains(
                "--overwrite removes what loaders would take in place of the result, or put on top"
                    + " of it: transformer/diffusion_pytorch_model.safetensors.index.json,"
                    + " transformer/model.safetensors"),
        manifest.notes()::toString);
    List<String> expected = new ArrayList<>(manifest.fileNames());
    expected.addAll(List.of("model.safetensors", "transformer/notes.txt"));
    expected.sort(null);
    assertEquals(expected, content());
  }
}
