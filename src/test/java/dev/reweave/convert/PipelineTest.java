package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Weights;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.Sharding;
import dev.reweave.plan.prepare.BaseChoice;
import dev.reweave.tensor.DType;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import dev.reweave.testing.RecordedDigests;
import dev.reweave.testing.StoredTensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Conversions to a folder that looks like a pre-trained model's. */
class PipelineTest extends PipelineCase {

  @ParameterizedTest
  @ValueSource(strings = {"cog_z2_bf16_w2", "cog_z3_bf16_w2"})
  void aFolderThatIsTheBaseButForTheWeights(String fixture) throws IOException {
    Manifest manifest = Converting.between(input(fixture), output()).base(base()).run().manifest();

    Map<String, String> made = Fixtures.digests(output());
    assertEquals(
        without(Fixtures.digests(base()), WEIGHTS), without(made, WEIGHTS, Manifest.FILE_NAME));
    assertEquals(
        StoredTensors.of(Fixtures.folder(fixture).resolve("expected.safetensors"), DType.BF16),
        StoredTensors.of(output().resolve(WEIGHTS)));
    assertEquals(made.keySet(), new TreeSet<>(manifest.fileNames()));
    assertEquals(7, made.size());
    assertVerified();
    assertTrue(
        manifest.notes().contains("model_index.json names tokenizer, which is not in the base"));
    RecordedDigests.ofTheFixtures().assertSame(fixture + " like base_pipeline", output());
  }

  @Test
  void namesOfTheBaseThatHadoopMisreads() throws IOException {
    Path base = Fixtures.copy(base(), temp.resolve("base"));
    Files.createDirectories(base.resolve("assets/step:3"));
    for (String name : List.of("s3a:notes", "assets/step:3/a:b", "50%25 #?+ .txt")) {
      Files.writeString(base.resolve(name), name);
      Files.createFile(base.resolve(name + ":empty"));
    }

    Converting.between(input("cog_z2_bf16_w2"), output()).base(base).run();

    assertEquals(
        without(Fixtures.digests(base), WEIGHTS),
        without(Fixtures.digests(output()), WEIGHTS, Manifest.FILE_NAME));
    assertVerified();
    Map<String, String> first = without(Fixtures.digests(output()), Manifest.FILE_NAME);
    Converting.between(input("cog_z2_bf16_w2"), output()).base(base).overwriting().run();
    assertEquals(first, without(Fixtures.digests(output()), Manifest.FILE_NAME));
    assertVerified();
  }

  /** As accelerate saves it: the tag is called pytorch_model, and much else stands around. */
  @Test
  void aFolderOfAccelerate() throws IOException {
    Path checkpoint = temp.resolve("checkpoint-500");
    Fixtures.copy(
        input("cog_z2_bf16_w2").resolve("global_step2"), make(checkpoint, "pytorch_model"));
    Files.writeString(checkpoint.resolve("latest"), "pytorch_model");
    Files.writeString(checkpoint.resolve("zero_to_fp32.py"), "import torch\n");
    Files.write(checkpoint.resolve("random_states_0.pkl"), new byte[] {1, 2, 3});
    Files.write(checkpoint.resolve("scheduler.bin"), new byte[] {4, 5, 6});

    Manifest manifest = Converting.between(checkpoint, output()).base(base()).run().manifest();

    assertEquals("pytorch_model", manifest.input().tag());
    assertEquals(
        StoredTensors.of(
            Fixtures.folder("cog_z2_bf16_w2").resolve("expected.safetensors"), DType.BF16),
        StoredTensors.of(output().resolve(WEIGHTS)));
  }

  private static Path make(Path folder, String name) throws IOException {
    Files.createDirectories(folder);
    return folder.resolve(name);
  }

  @Test
  void shardsOfTheBase() throws IOException {
    Path base = Fixtures.folder("base_pipeline_sharded_transformer");

    Converting.between(input("cog_z3_bf16_w2"), output())
        .base(base)
        .planning(like(Sharding.LIKE_BASE))
        .run();

    Map<String, String> made = Fixtures.digests(output());
    assertEquals(Fixtures.digests(base).keySet(), without(made, Manifest.FILE_NAME).keySet());
    String index = "diffusion_pytorch_model.safetensors.index.json";
    assertEquals(
        Files.readString(base.resolve(index)).strip(),
        Files.readString(output().resolve(index)).strip());
    Map<String, String> tensors = new TreeMap<>();
    for (int shard = 1; shard <= 2; shard++) {
      String name = "diffusion_pytorch_model-0000" + shard + "-of-00002.safetensors";
      Map<String, String> held = StoredTensors.of(output().resolve(name));
      assertEquals(StoredTensors.of(base.resolve(name)).keySet(), held.keySet());
      tensors.putAll(held);
    }
    assertEquals(
        StoredTensors.of(
            Fixtures.folder("cog_z3_bf16_w2").resolve("expected.safetensors"), DType.BF16),
        tensors);
    assertVerified();
    RecordedDigests.ofTheFixtures()
        .assertSame("cog_z3_bf16_w2 like base_pipeline_sharded_transformer", output());
  }

  @Test
  void shardsBySizeHaveTheBasesNames() throws IOException {
    Converting.between(input("cog_z2_bf16_w2"), output())
        .planning(PlanOptions.DEFAULTS.withSizes(10_000, 64_000))
        .base(base())
        .run();

    Map<String, String> made = Fixtures.digests(output());
    assertTrue(
        made.containsKey("transformer/diffusion_pytorch_model-00001-of-00003.safetensors"),
        made.keySet()::toString);
    assertTrue(
        made.containsKey("transformer/diffusion_pytorch_model.safetensors.index.json"),
        made.keySet()::toString);
    assertFalse(made.containsKey(WEIGHTS));
    assertVerified();
  }

  @ParameterizedTest
  @CsvSource({
    "ckpt, MASTER, float32, expected_diffusers_fp32",
    "ckpt, MODEL, keep, expected_diffusers_from_module_bf16",
    "sat_plain, MODEL, keep, expected_sat_plain_diffusers_bf16",
    "sat_plain/1000/mp_rank_00_model_states.pt, MODEL, bfloat16, expected_sat_plain_diffusers_bf16",
  })
  void satNamesAreRecognised(String input, Weights weights, String type, String expected)
      throws IOException {
    Path fixture = Fixtures.folder("sat_z2_bf16_w2");

    Manifest manifest =
        Converting.between(fixture.resolve(input), output())
            .weights(weights)
            .type(type)
            .run()
            .manifest();

    assertEquals(
        StoredTensors.of(fixture.resolve(expected + ".safetensors")),
        StoredTensors.of(output().resolve("model.safetensors")));
    assertEquals("cogvideox-sat-transformer", manifest.mappingUsed().orElseThrow().name());
    assertTrue(
        manifest.notes().stream().anyMatch(n -> n.startsWith("names recognised, mapped by")),
        manifest.notes()::toString);
    assertTrue(
        manifest.notes().stream().anyMatch(n -> n.contains("freqs_sin")),
        manifest.notes()::toString);
  }

  @Test
  void aSatCheckpointBecomesAPipeline() throws IOException {
    Path base = satBase();

    Converting.between(input("sat_z2_bf16_w2"), output()).base(base).run();

    assertEquals(
        StoredTensors.of(
            Fixtures.folder("sat_z2_bf16_w2").resolve("expected_diffusers_fp32.safetensors"),
            DType.BF16),
        StoredTensors.of(output().resolve(WEIGHTS)));
    assertEquals(
        without(Fixtures.digests(base), WEIGHTS),
        without(Fixtures.digests(output()), WEIGHTS, Manifest.FILE_NAME));
    assertVerified();
  }

  @ParameterizedTest
  @EnumSource
  void whatComesAlong(BaseChoice.Mode mode) throws IOException {
    BaseChoice choice =
        new BaseChoice(
            Locations.of(base()), mode, Optional.empty(), Optional.empty(), Optional.empty());

    Converting.between(input("cog_z2_bf16_w2"), output()).base(choice).run();

    List<String> made = List.copyOf(without(Fixtures.digests(output()), "reweave.json").keySet());
    List<String> expected =
        switch (mode) {
          case COPY -> List.copyOf(Fixtures.digests(base()).keySet());
          case REFERENCE -> List.of("transformer/config.json", WEIGHTS);
          case NONE -> List.of(WEIGHTS);
        };
    assertEquals(expected, made);
    assertVerified();
  }

  @Test
  void aBaseWithoutModelIndexGetsOne() throws IOException {
    Path base = Fixtures.copy(base(), temp.resolve("base"));
    Files.delete(base.resolve("model_index.json"));

    Converting.between(input("cog_z2_bf16_w2"), output()).base(base).run();

    String index = Files.readString(output().resolve("model_index.json"));
    assertTrue(index.contains("\"_class_name\": \"CogVideoXPipeline\""), index);
    assertTrue(index.contains("\"CogVideoXDDIMScheduler\""), index);
    assertVerified();
  }

  @Test
  void configsFollowTheWeights() throws IOException {
    Path base = Fixtures.copy(base(), temp.resolve("base"));
    Path config = base.resolve("transformer/config.json");
    String text = Files.readString(config);
    Files.writeString(config, text.replaceFirst("\\{", "{\n  \"torch_dtype\": \"bfloat16\","));

    Converting.between(input("cog_z2_bf16_w2"), output()).base(base).type("float16").run();

    assertEquals(
        text.replaceFirst("\\{", "{\n  \"torch_dtype\": \"float16\","),
        Files.readString(output().resolve("transformer/config.json")));
    assertEquals(
        StoredTensors.of(
            Fixtures.folder("cog_z2_bf16_w2").resolve("expected.safetensors"), DType.F16),
        StoredTensors.of(output().resolve(WEIGHTS)));
  }

  @Test
  void emptyFilesAndDeepFoldersComeAlong() throws IOException {
    Path base = Fixtures.copy(base(), temp.resolve("base"));
    Files.createDirectories(base.resolve("assets/deep er"));
    Files.write(base.resolve("assets/deep er/100% ü.bin"), new byte[200_000]);
    Files.write(base.resolve("assets/empty"), new byte[0]);
    Files.createDirectories(base.resolve(".git"));
    Files.writeString(base.resolve(".git/HEAD"), "ref");
    Files.writeString(base.resolve("transformer/diffusion_pytorch_model.fp16.bin"), "old");

    Converting.between(input("cog_z2_bf16_w2"), output())
        .planning(PlanOptions.DEFAULTS.withSizes(5_000_000, 64_000))
        .base(base)
        .run();

    Map<String, String> made = Fixtures.digests(output());
    Map<String, String> expected =
        without(
            Fixtures.digests(base),
            WEIGHTS,
            ".git/HEAD",
            "transformer/diffusion_pytorch_model.fp16.bin");
    assertEquals(expected, without(made, WEIGHTS, Manifest.FILE_NAME));
    assertVerified();
  }

  @Test
  void overwritingLeavesNoOldWeights() throws IOException {
    Converting.between(input("cog_z2_bf16_w2"), output())
        .planning(PlanOptions.DEFAULTS.withSizes(10_000, 64_000))
        .base(base())
        .run();
    Files.writeString(output().resolve("transformer/diffusion_pytorch_model.bin"), "stale");
    Files.writeString(output().resolve("notes.txt"), "mine");

    Converting.between(input("cog_z3_bf16_w2"), output()).base(base()).overwriting().run();

    Map<String, String> made = Fixtures.digests(output());
    assertEquals(
        Fixtures.digests(base()).keySet(), without(made, Manifest.FILE_NAME, "notes.txt").keySet());
    assertEquals("mine", Files.readString(output().resolve("notes.txt")));
    assertVerified();
  }

  @Test
  void aPartOfTheTensors() throws IOException {
    PlanOptions all = like(Sharding.BY_SIZE);
    PlanOptions part = all.with(PlanOptions.ONLY, Optional.of("blocks\\.1\\.attn1\\.to_[qk]"));

    Manifest manifest =
        Converting.between(input("cog_z2_bf16_w2"), output())
            .base(base())
            .planning(part)
            .run()
            .manifest();

    assertEquals(
        List.of(
            "transformer_blocks.1.attn1.to_k.bias",
            "transformer_blocks.1.attn1.to_k.weight",
            "transformer_blocks.1.attn1.to_q.bias",
            "transformer_blocks.1.attn1.to_q.weight"),
        List.copyOf(StoredTensors.of(output().resolve(WEIGHTS)).keySet()));
    assertTrue(
        manifest.notes().contains("--only: 4 of 64 tensors are converted"),
        manifest.notes()::toString);
  }
}
