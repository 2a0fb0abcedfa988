package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.AdapterChoice;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.ReweaveException;
import dev.reweave.format.pytorch.TorchFile;
import dev.reweave.format.pytorch.TorchValue;
import dev.reweave.look.compare.Verification;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.Format;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.Sharding;
import dev.reweave.plan.UniversalFiles;
import dev.reweave.storage.RandomAccess;
import dev.reweave.tensor.DType;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.LocalStores;
import dev.reweave.testing.Locations;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The universal form of real checkpoints: what DeepSpeed looks for is there, as it was saved. */
class UniversalResultTest {
  private static final PlanOptions UNIVERSAL =
      PlanOptions.DEFAULTS.with(PlanOptions.FORMAT, Format.UNIVERSAL);

  @TempDir Path temp;

  private static Path fixture(String name) {
    return Fixtures.folder(name).resolve("ckpt");
  }

  private Path converted(Path input) {
    Path output = temp.resolve("out");
    var unused = Converting.between(input, output).planning(UNIVERSAL).run();
    return output;
  }

  /** There and back: the weights of the universal form are those of what it was made of. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "z1_bf16_w2",
        "z1_bf16opt_w2",
        "z1_fp16_w2_frozen",
        "z2_bf16_w2_empty",
        "z2_bf16_w2_frozen",
        "z2_bf16_w2_lora",
        "z2_bf16_w2_tied",
        "z2_bf16_w3_rr",
        "z2_fp16_w3_groups",
        "z2_fp32_w1",
        "z2_fp32_w2_bn",
        "z2_fp32_w2_sgd",
        "z3_bf16_w2_bn",
        "z3_bf16_w2_empty",
        "z3_bf16_w2_frozen",
        "z3_bf16_w2_llama_tied",
        "z3_fp16_w3",
        "z3_fp32_w2_groups",
        "z3_hpz_bf16_w4",
        "legacy_z2_fp16_w3",
        "legacy_z3_bf16_w2_tied",
        "cog_z3_bf16_w2"
      })
  void hasTheWeightsThatItWasMadeOf(String name) {
    ReadOptions asSaved = ReadOptions.defaults().withNames(ReadOptions.Names.AS_SAVED);
    Path output = converted(fixture(name));

    assertEquals(
        Converting.between(fixture(name), temp.resolve("one"))
            .reading(asSaved)
            .mapping("none")
            .gather()
            .tensors(),
        Converting.between(output, temp.resolve("other"))
            .reading(asSaved)
            .mapping("none")
            .gather()
            .tensors());
  }

  @Test
  void hasAFolderForEachNameWithAFileForEachState() throws IOException {
    Path output = converted(fixture("z2_bf16_w2_tied"));

    assertEquals("global_step3_universal", Files.readString(output.resolve(UniversalFiles.LATEST)));
    Path zero = output.resolve("global_step3_universal/zero");
    for (String name : List.of("wte.weight", "lm_head.weight", "ln_f.bias")) {
      for (String state : List.of("fp32", "exp_avg", "exp_avg_sq")) {
        TorchValue value = root(zero.resolve(name + "/" + state + ".pt"));
        assertEquals(List.of("cat_dim", "param"), keys(value));
        assertEquals(0, value.at("cat_dim").integer());
        assertEquals(DType.F32, value.at("param").tensor().dtype());
      }
      assertEquals(0, root(zero.resolve(name + "/step.pt")).tensor().shape().rank());
    }
    assertEquals(
        digests(zero.resolve("wte.weight")), digests(zero.resolve("lm_head.weight")), "tied");
  }

  private static Map<String, String> digests(Path folder) throws IOException {
    return Fixtures.digests(folder);
  }

  /** Schedulers, counters and what the trainer keeps: not a byte of it is another. */
  @ParameterizedTest
  @ValueSource(strings = {"z1_bf16_w2", "z3_bf16_w2_frozen", "pipe_z1_bf16_pp2"})
  void bringsModelStatesAlongAsTheyAre(String name) throws IOException {
    String tag = Files.readString(fixture(name).resolve("latest"));
    Path step = fixture(name).resolve(tag);
    Path made = converted(fixture(name)).resolve(tag + "_universal");
    Map<String, String> expected = new TreeMap<>(digests(step));
    expected.keySet().removeIf(f -> !f.endsWith("_model_states.pt") || f.startsWith("layer_"));
    Map<String, String> found = new TreeMap<>(digests(made));
    found.keySet().removeIf(f -> f.contains("/"));

    assertTrue(!expected.isEmpty());
    assertEquals(expected, found);
  }

  @Test
  void keepsHyperparametersAndScalesOfStages1And2() throws IOException {
    Path step = fixture("z2_fp16_w3_groups").resolve("global_step3");
    TorchValue saved =
        root(step.resolve("zero_pp_rank_0_mp_rank_00_optim_states.pt")).at("optimizer_state_dict");
    TorchValue common =
        root(
            converted(fixture("z2_fp16_w3_groups"))
                .resolve("global_step3_universal/zero/optimizer_state.pt"));

    assertEquals(
        saved.at("loss_scaler").attribute("cur_scale").orElseThrow().real(),
        common.at("loss_scaler").attribute("cur_scale").orElseThrow().real());
    assertEquals("DynamicLossScaler", common.at("loss_scaler").className());
    assertEquals(saved.at("ds_version").text(), common.at("ds_version").text());
    assertEquals(saved.at("clip_grad").real(), common.at("clip_grad").real());
    List<TorchValue> groups = common.at("param_groups").items();
    assertEquals(saved.at("base_optimizer_state").at("param_groups").size(), groups.size());
    assertTrue(groups.size() > 1);
    assertTrue(common.find("base_optimizer_state").isEmpty());
    assertTrue(common.find("single_partition_of_fp32_groups").isEmpty());
  }

  /** DeepSpeed gives all groups what it finds of the first, and takes the steps from there. */
  @Test
  void tellsStage3OnlyWhatAllGroupsHaveInCommon() throws IOException {
    TorchValue common =
        root(
            converted(fixture("z3_fp32_w2_groups"))
                .resolve("global_step3_universal/zero/optimizer_state.pt"));
    TorchValue wrapped = common.at("optimizer_state_dict");
    List<TorchValue> all = common.at("param_groups").items();
    TorchValue first = wrapped.at("param_groups").items().get(0);

    assertEquals(0, wrapped.at("state").at("0").at("step").tensor().shape().rank());
    assertTrue(keys(first).contains("betas"));
    assertTrue(keys(all.get(0)).contains("weight_decay"));
    assertTrue(
        all.get(0).at("weight_decay").real() != all.get(1).at("weight_decay").real(),
        "the groups are alike");
    assertTrue(!keys(first).contains("weight_decay"));
    assertEquals(all.size(), wrapped.at("param_groups").size());
  }

  @Test
  void isKnownAgainAndMadeAgain() throws IOException {
    Path output = converted(fixture("z2_bf16_w2"));
    Path again = temp.resolve("again");
    var unused = Converting.again(output, again);

    Map<String, String> first = new TreeMap<>(digests(output));
    Map<String, String> second = new TreeMap<>(digests(again));
    first.remove(Manifest.FILE_NAME);
    second.remove(Manifest.FILE_NAME);
    assertEquals(first, second);
    assertEquals(
        Conversion.Outcome.Kind.UP_TO_DATE,
        Converting.between(fixture("z2_bf16_w2"), output).planning(UNIVERSAL).run().kind());
  }

  @Test
  void checksAllThatItReads() {
    Conversion.Outcome outcome =
        Converting.between(fixture("z2_bf16_w2_tied"), temp.resolve("out"))
            .planning(UNIVERSAL)
            .proving()
            .run();

    assertEquals(0, outcome.manifest().figures().storagesUnchecked());
    assertTrue(outcome.manifest().proof().tensors() > 0);
  }

  /** Muon keeps the momentum of whole parameters, which has no place among partitions. */
  @Test
  void saysWhichStatesStayBehind() {
    Converting conversion =
        Converting.between(
            Fixtures.resource("deepspeed-0.19.8/z2-muon").resolve("ckpt"), temp.resolve("out"));

    assertTrue(
        conversion.planning(UNIVERSAL).gather().notes().stream()
            .anyMatch(note -> note.endsWith("begin anew: momentum_buffer")));
  }

  @Test
  void isVerifiedByItsManifest() throws IOException {
    Path output = converted(fixture("z2_bf16_w2"));
    Path zero = output.resolve("global_step3_universal/zero");
    Verification.Result sound = verified(output);
    assertEquals(List.of(), sound.problems());
    assertEquals(36, sound.shards());
    assertEquals(36, sound.tensors());

    Files.copy(zero.resolve("layers.0.bias/exp_avg.pt"), zero.resolve("layers.0.bias/momentum.pt"));
    Path damaged = zero.resolve("layers.1.weight/exp_avg_sq.pt");
    byte[] content = Files.readAllBytes(damaged);
    content[content.length / 2] ^= 1;
    Files.write(damaged, content);
    Files.delete(zero.resolve("layers.2.bias/step.pt"));

    String folder = "global_step3_universal/zero/";
    List<String> problems = verified(output).problems();
    assertEquals(3, problems.size(), problems::toString);
    for (String part :
        List.of(
            folder + "layers.0.bias/momentum.pt is not of this conversion",
            folder + "layers.1.weight/exp_avg_sq.pt has CRC32C",
            folder + "layers.2.bias/step.pt is missing")) {
      assertTrue(problems.stream().anyMatch(p -> p.startsWith(part)), problems::toString);
    }
  }

  private static Verification.Result verified(Path output) {
    return new Verification(TestSpark.cluster(), TestSpark.stores()).run(Locations.of(output));
  }

  private ReweaveException refused(Converting conversion) {
    return assertThrows(ReweaveException.class, conversion::gather);
  }

  @Test
  void refusesWhatItCannotHave() {
    Path input = fixture("z2_bf16_w2");
    Path output = temp.resolve("out");
    for (PlanOptions planning :
        List.of(
            UNIVERSAL.withType(dev.reweave.plan.TargetType.parse("bfloat16")),
            UNIVERSAL.with(PlanOptions.SHARDS, Sharding.LIKE_BASE),
            UNIVERSAL.with(PlanOptions.MAX_SHARD_SIZE, 1_000_000L),
            UNIVERSAL.with(PlanOptions.WEIGHTS_NAME, Optional.of("weights")),
            UNIVERSAL.with(PlanOptions.ONLY, Optional.of("bias")))) {
      String message = refused(Converting.between(input, output).planning(planning)).getMessage();
      assertTrue(message.contains(" does not go with --format universal: "), message);
    }
    String part =
        refused(
                Converting.between(input, output)
                    .reading(
                        ReadOptions.defaults()
                            .with(AdapterChoice.PART, Optional.of(AdapterChoice.Part.BASE)))
                    .planning(UNIVERSAL))
            .getMessage();
    assertTrue(part.startsWith("--part does not go with --format universal"), part);
    String averaged =
        refused(
                Converting.between(input, output)
                    .reading(
                        ReadOptions.defaults()
                            .with(ReadOptions.AVERAGE_TAGS, Optional.of("last:2")))
                    .planning(UNIVERSAL))
            .getMessage();
    assertTrue(averaged.startsWith("--average-tags does not go with"), averaged);
  }

  @Test
  void refusesWhatNoRunGoesOnFrom() {
    assertSays(
        fixture("moe_z2_bf16_w2"), "a model with experts: DeepSpeed's universal form has no place");
    assertSays(fixture("z0_bf16_w2"), "no optimizer states of ZeRO-1, 2 or 3 to go on from");
    assertSays(
        Fixtures.folder("dcp_plain").resolve("ckpt"), "a universal checkpoint is made of one of");
    assertSays(fixture("z3_fp16_w3_proto4"), "the optimizer's 'param_groups' are not in the file");
  }

  private void assertSays(Path input, String problem) {
    String message =
        refused(Converting.between(input, temp.resolve("out")).planning(UNIVERSAL)).getMessage();
    assertTrue(message.startsWith(problem), message);
    assertTrue(Files.notExists(temp.resolve("out")));
  }

  private static TorchValue root(Path file) throws IOException {
    try (RandomAccess access =
        LocalStores.ALL.open(LocalStores.ALL.file(Locations.of(file)).orElseThrow())) {
      return TorchFile.read(access, 0).root();
    }
  }

  private static List<String> keys(TorchValue dict) {
    return dict.entries().stream().map(Map.Entry::getKey).toList();
  }
}
