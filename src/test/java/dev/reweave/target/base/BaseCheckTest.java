package dev.reweave.target.base;

import static dev.reweave.target.base.SampleBase.tensor;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.Fixtures;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BaseCheckTest {
  private static final String NAME_ANOTHER =
      "name the base or the --component that this checkpoint was trained from, or a mapping that"
          + " gives its tensors the base's names";

  @TempDir Path temp;

  @Test
  void acceptsTheBaseItselfInAnotherType() {
    Component component =
        new SampleBase(Fixtures.folder("base_pipeline")).component("patch_embed.proj.weight");
    List<TensorSpec> result =
        component.tensors().values().stream()
            .map(t -> new TensorSpec(t.name(), DType.F64, t.shape()))
            .toList();
    new BaseCheck(component).require(result, Map.of(), "ckpt");
  }

  @Test
  void listsAllDifferencesAtOnce() throws IOException {
    Component base = base(tensor("a", 2), tensor("b", 2), tensor("c", 2, 3));
    assertRefused(
        base,
        List.of(tensor("b", 2), tensor("c", 3, 2), tensor("d", 2), tensor("e", 2)),
        "1 of its 3 tensors are missing (a), 2 of 4 are not in it (d, e),"
            + " 1 have other shapes (c [3, 2] for [2, 3])",
        NAME_ANOTHER);
  }

  @Test
  void listsAtMostTen() throws IOException {
    List<TensorSpec> tensors = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      tensors.add(tensor("t" + (char) ('a' + i), 2));
    }
    Component base = base(tensors.toArray(TensorSpec[]::new));
    assertRefused(
        base,
        List.of(),
        "12 of its 12 tensors are missing (ta, tb, tc, td, te, tf, tg, th, ti, tj and 2 more)",
        NAME_ANOTHER);
  }

  @Test
  void looksAtNothingThatASubsetLeavesOut() throws IOException {
    Component base = base(tensor("a", 2), tensor("b", 2));
    new BaseCheck(base).requireSubset(List.of(tensor("a", 2)), Map.of(), "ckpt");
    ReweaveException e =
        assertThrows(
            ReweaveException.class,
            () ->
                new BaseCheck(base)
                    .requireSubset(List.of(tensor("a", 3), tensor("c", 2)), Map.of(), "ckpt"));
    assertEquals(
        "tensors do not fit the base "
            + base.address()
            + ": 1 of 2 are not in it (c), 1 have other shapes (a [3] for [2]): ckpt; "
            + NAME_ANOTHER,
        e.getMessage());
  }

  @Test
  void countsTiedNamesAsPresent() throws IOException {
    Component both = base(tensor("embed", 4, 2), tensor("lm_head", 4, 2));
    new BaseCheck(both).require(List.of(tensor("embed", 4, 2)), Map.of("lm_head", "embed"), "c");

    Component other = base(tensor("lm_head", 4, 2));
    new BaseCheck(other).require(List.of(tensor("embed", 4, 2)), Map.of("lm_head", "embed"), "c");
    assertRefused(
        other,
        List.of(tensor("embed", 4, 2)),
        "1 of its 1 tensors are missing (lm_head), 1 of 1 are not in it (embed)",
        NAME_ANOTHER);
  }

  @Test
  void countsNamesThatTheBaseDroppedAsPresent() throws IOException {
    SampleBase sample = new SampleBase(temp.resolve("tied")).text("config.json", "{}");
    sample.weights("model.safetensors", Map.of("lm_head", "embed"), List.of(tensor("embed", 2)));
    BaseCheck check = new BaseCheck(sample.component());
    check.require(List.of(tensor("embed", 2)), Map.of(), "c");
    check.require(List.of(tensor("embed", 2), tensor("lm_head", 2)), Map.of(), "c");
    check.require(List.of(tensor("lm_head", 2)), Map.of(), "c");
  }

  @Test
  void tellsReleasesOfCogVideoXApart() throws IOException {
    TensorSpec old = tensor("patch_embed.proj.weight", 16, 4, 2, 2);
    TensorSpec recent = tensor("patch_embed.proj.weight", 16, 32);
    assertRefused(
        base(recent),
        List.of(old),
        "1 have other shapes (patch_embed.proj.weight [16, 4, 2, 2] for [16, 32])",
        "this is a CogVideoX 1.0 model and the base is CogVideoX 1.5 (its patch_embed.proj is a"
            + " matrix): name a base of 1.0");
    assertHint(
        base(old),
        List.of(recent),
        "this is a CogVideoX 1.5 model and the base is CogVideoX 1.0 (its patch_embed.proj is a"
            + " convolution): name a base of 1.5");
  }

  @Test
  void tellsImageToVideoFromTextToVideo() throws IOException {
    TensorSpec text = tensor("patch_embed.proj.weight", 16, 16, 2, 2);
    TensorSpec image = tensor("patch_embed.proj.weight", 16, 32, 2, 2);
    assertHint(
        base(text),
        List.of(image),
        "this is an image-to-video model and the base a text-to-video model (32 input channels"
            + " where the base has 16): name a base of the same kind");
    assertHint(
        base(image),
        List.of(text),
        "the base is an image-to-video model and this a text-to-video model (16 input channels"
            + " where the base has 32): name a base of the same kind");
    assertHint(
        base(tensor("patch_embed.proj.weight", 16, 128)),
        List.of(tensor("patch_embed.proj.weight", 16, 256)),
        "this is an image-to-video model and the base a text-to-video model (256 inputs a patch"
            + " where the base has 128): name a base of the same kind");

    TensorSpec ofs = tensor("ofs_embedding.linear_1.weight", 2, 2);
    assertHint(
        base(text),
        List.of(text, ofs),
        "this is an image-to-video model and the base a text-to-video model (the base has no"
            + " ofs_embedding): name a base of the same kind");
    assertHint(
        base(text, ofs),
        List.of(text),
        "the base is an image-to-video model and this a text-to-video model (which has no"
            + " ofs_embedding): name a base of the same kind");
  }

  @Test
  void seesOtherInputs() throws IOException {
    assertHint(
        base(tensor("conv_in.weight", 320, 4, 3, 3)),
        List.of(tensor("conv_in.weight", 320, 9, 3, 3)),
        "the model takes other inputs than the base (9 input channels where the base has 4), as"
            + " those for text, image and inpainting do: name the base that it was trained from");
  }

  @Test
  void findsPrefixes() throws IOException {
    Component base = base(tensor("blocks.0.weight", 2), tensor("norm.weight", 2));
    for (String prefix :
        List.of("module.", "_orig_mod.", "model.", "transformer.", "my.own.", "module.model.")) {
      assertHint(
          base,
          renamed(base, name -> prefix + name),
          "names have the prefix "
              + prefix
              + " that the base's do not have: give --mapping a file with {\"name\": \"prefix\","
              + " \"description\": \"prefix\", \"rules\": [{\"prefix\": \""
              + prefix
              + "\", \"rename\": \"\"}]}");
    }
    Component deeper = base(tensor("model.blocks.0.weight", 2), tensor("model.norm.weight", 2));
    assertHint(
        deeper,
        renamed(deeper, name -> name.substring(6)),
        "names lack the prefix model. that the base's have: give --mapping a file with"
            + " {\"name\": \"prefix\", \"description\": \"prefix\", \"rules\": [{\"match\":"
            + " \"(.*)\", \"rename\": \"model.$1\"}]}");
  }

  @Test
  void findsAdapters() throws IOException {
    for (String name :
        List.of(
            "base_model.model.q.lora_A.default.weight",
            "q.lora_B.weight",
            "q.lora_down.weight",
            "lora_unet_q.lora_up.weight",
            "q.matrix_A.0",
            "embed.lora_embedding_A")) {
      assertHint(
          base(tensor("q.weight", 2)),
          List.of(tensor(name, 2)),
          "these are the weights of a LoRA adapter, which goes beside a base and does not take the"
              + " place of its weights: leave --base out, or name as --base the folder that holds"
              + " its adapter_config.json, to have the adapter alone");
    }
  }

  @Test
  void findsUnconvertedNames() throws IOException {
    assertHint(
        base(tensor("transformer_blocks.0.norm1.weight", 2)),
        List.of(tensor("model.diffusion_model.transformer.layers.0.input_layernorm.weight", 2)),
        "names with model.diffusion_model. are SAT's own: name a mapping to the base's names with"
            + " --mapping");
  }

  @Test
  void comparesVocabularies() throws IOException {
    Component base =
        base(tensor("lm_head.weight", 50, 4), tensor("model.embed_tokens.weight", 50, 4));
    assertHint(
        base,
        List.of(tensor("lm_head.weight", 64, 4), tensor("model.embed_tokens.weight", 64, 4)),
        "the vocabulary has 64 rows where the base has 50: if training padded it, give"
            + " --mapping a file with {\"name\": \"cut\", \"description\": \"cut\", \"rules\": [{\"match\":"
            + " \"lm_head\\\\.weight|model\\\\.embed_tokens\\\\.weight\", \"cut\": {\"dim\": 0, \"length\": 50,"
            + " \"into\": \"$0\"}}, {\"match\": \".*\", \"rename\": \"$0\"}]}; if tokens were added, name as --base the folder that the training"
            + " saved config.json and the tokenizer in, which needs no weights");
    assertHint(
        base,
        List.of(tensor("lm_head.weight", 40, 4), tensor("model.embed_tokens.weight", 40, 4)),
        "the vocabulary has 40 rows where the base has 50: name the base whose tokenizer it was"
            + " trained with");
    assertHint(
        base,
        List.of(tensor("lm_head.weight", 50, 8), tensor("model.embed_tokens.weight", 50, 8)),
        NAME_ANOTHER);
  }

  @Test
  void comparesNumbersOfLayers() throws IOException {
    TensorSpec[] three = layers(3).toArray(TensorSpec[]::new);
    assertHint(
        base(three),
        layers(5),
        "the checkpoint has 5 transformer_blocks where the base has 3: name the base of a model of"
            + " that size");
    assertHint(
        base(three),
        layers(2),
        "the checkpoint has 2 transformer_blocks where the base has 3: name the base of a model of"
            + " that size");
    new BaseCheck(base(three)).requireSubset(layers(2), Map.of(), "ckpt");
  }

  @Test
  void givesEveryHintThatApplies() throws IOException {
    List<TensorSpec> base = new ArrayList<>(layers(2));
    base.add(tensor("patch_embed.proj.weight", 4, 2, 2, 2));
    List<TensorSpec> result = new ArrayList<>(layers(3));
    result.add(tensor("patch_embed.proj.weight", 4, 32));
    assertHint(
        base(base.toArray(TensorSpec[]::new)),
        result,
        "this is a CogVideoX 1.5 model and the base is CogVideoX 1.0 (its patch_embed.proj is a"
            + " convolution): name a base of 1.5; the checkpoint has 3 transformer_blocks where the"
            + " base has 2: name the base of a model of that size");
  }

  private Component base(TensorSpec... tensors) throws IOException {
    return new SampleBase(temp.resolve("base"))
        .text("config.json", "{}")
        .weights("model.safetensors", Map.of("format", "pt"), List.of(tensors))
        .component();
  }

  private static List<TensorSpec> layers(int count) {
    List<TensorSpec> layers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      layers.add(tensor("transformer_blocks." + i + ".ff.net.2.weight", 2));
    }
    return layers;
  }

  private static List<TensorSpec> renamed(Component base, UnaryOperator<String> rename) {
    return base.tensors().values().stream()
        .map(t -> new TensorSpec(rename.apply(t.name()), t.dtype(), t.shape()))
        .toList();
  }

  private static void assertRefused(
      Component base, List<TensorSpec> result, String differences, String remedy) {
    ReweaveException e =
        assertThrows(
            ReweaveException.class,
            () -> new BaseCheck(base).require(result, Map.of(), "file:/ckpt"));
    assertEquals(
        "tensors do not fit the base "
            + base.address()
            + ": "
            + differences
            + ": file:/ckpt; "
            + remedy,
        e.getMessage());
  }

  private static void assertHint(Component base, List<TensorSpec> result, String hint) {
    ReweaveException e =
        assertThrows(
            ReweaveException.class,
            () -> new BaseCheck(base).require(result, Map.of(), "file:/ckpt"));
    assertTrue(e.getMessage().endsWith(": file:/ckpt; " + hint), e.getMessage());
  }
}
