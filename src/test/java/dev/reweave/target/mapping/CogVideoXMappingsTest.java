package dev.reweave.target.mapping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The shipped mappings on the names and shapes of the real models. */
class CogVideoXMappingsTest {
  private static final String CHECK =
      "; check that the checkpoint is whole and that this is the mapping for it";

  private static final Map<String, Mapping> SHIPPED = new TreeMap<>();

  static Stream<CogVideoXTransformer> transformers() {
    return Stream.of(
        CogVideoXTransformer.twoB(),
        CogVideoXTransformer.fiveB(),
        CogVideoXTransformer.fiveBImage(),
        CogVideoXTransformer.newFiveB(),
        CogVideoXTransformer.newFiveBImage());
  }

  private static Mapping mapping(String name) {
    return SHIPPED.computeIfAbsent(name, n -> Mappings.find("cogvideox-sat-" + n).orElseThrow());
  }

  private static Mapped apply(String name, Map<String, Shape> shapes) {
    return mapping(name).apply(Tensors.tensors(shapes), Map.of());
  }

  private static List<String> recognised(Map<String, Shape> shapes) {
    return Mappings.recognise(shapes.keySet(), () -> ModelFacts.NONE).stream()
        .map(Mapping::name)
        .toList();
  }

  @ParameterizedTest
  @MethodSource("transformers")
  void mapsTransformers(CogVideoXTransformer model) {
    Mapped mapped = apply("transformer", model.sat());
    assertEquals(new TreeMap<>(model.diffusers()), Tensors.shapes(mapped.tensors()));
    assertEquals(Optional.of("transformer"), mapping("transformer").component());
    assertEquals(List.of("cogvideox-sat-transformer"), recognised(model.sat()));
  }

  @Test
  void cutsAttentionAndModulationWhereTheyBelong() {
    Map<String, NamedTensor> tensors = new TreeMap<>();
    apply("transformer", CogVideoXTransformer.twoB().sat())
        .tensors()
        .forEach(tensor -> tensors.put(tensor.name(), tensor));
    String source = "data/model.diffusion_model.";
    long matrix = 1920L * 1920;
    assertEquals(
        List.of(
            source
                + "transformer.layers.7.attention.query_key_value.weight@"
                + matrix
                + "+"
                + matrix),
        Tensors.runs(tensors.get("transformer_blocks.7.attn1.to_k.weight")));
    String modulation = source + "mixins.adaln_layer.adaLN_modulations.7.1.bias@";
    assertEquals(
        List.of(modulation + "0+5760", modulation + "11520+5760"),
        Tensors.runs(tensors.get("transformer_blocks.7.norm1.linear.bias")));
    assertEquals(
        List.of(modulation + "5760+5760", modulation + "17280+5760"),
        Tensors.runs(tensors.get("transformer_blocks.7.norm2.linear.bias")));
  }

  @Test
  void takesTheTransformerOutOfAWholeCheckpoint() {
    Map<String, Shape> whole = new LinkedHashMap<>(CogVideoXTransformer.fiveB().sat());
    CogVideoXVae.sat().forEach((name, shape) -> whole.put("first_stage_model." + name, shape));
    whole.put("conditioner.embedders.0.transformer.shared.weight", Shape.of(8, 4));
    assertEquals(List.of("cogvideox-sat-transformer"), recognised(whole));
    Mapped mapped = apply("transformer", whole);
    assertEquals(
        new TreeMap<>(CogVideoXTransformer.fiveB().diffusers()), Tensors.shapes(mapped.tensors()));
    assertEquals(
        "left out 2 tensors (rotary tables, computed again when the model is loaded):"
            + " model.diffusion_model.mixins.pos_embed.freqs_sin,"
            + " model.diffusion_model.mixins.pos_embed.freqs_cos",
        mapped.notes().get(0));
    assertEquals(
        "left out 1 tensor (embeddings that the model does not use):"
            + " model.diffusion_model.transformer.position_embeddings.weight",
        mapped.notes().get(1));
    String others =
        "left out " + (CogVideoXVae.sat().size() + 1) + " tensors (not of the transformer): ";
    assertTrue(mapped.notes().get(2).startsWith(others), mapped.notes().get(2));
    assertEquals(3, mapped.notes().size());
    assertEquals(
        new TreeMap<>(CogVideoXVae.diffusers()), Tensors.shapes(apply("vae", whole).tensors()));
  }

  /** Any one that is left out is missed, by its diffusers name. */
  @Test
  void missesWhateverATransformerLacks() {
    Map<String, Shape> sat = CogVideoXTransformer.newFiveBImage().sat();
    sat.keySet()
        .removeIf(name -> name.matches(".*\\.([2-9]|\\d\\d)\\..*") && !name.contains("embed"));
    apply("transformer", sat);
    for (String name : List.copyOf(sat.keySet())) {
      if (!name.matches(".*(freqs_|position_embeddings).*")) {
        Map<String, Shape> less = new LinkedHashMap<>(sat);
        less.remove(name);
        ReweaveException e =
            assertThrows(ReweaveException.class, () -> apply("transformer", less), name);
        assertTrue(e.getMessage().startsWith("the mapped model lacks "), e.getMessage());
      }
    }
    sat.remove("model.diffusion_model.transformer.layers.1.attention.query_key_value.bias");
    ReweaveException e = assertThrows(ReweaveException.class, () -> apply("transformer", sat));
    assertEquals(
        "the mapped model lacks 3 tensors: transformer_blocks.1.attn1.to_q.bias,"
            + " transformer_blocks.1.attn1.to_k.bias, transformer_blocks.1.attn1.to_v.bias:"
            + " conf/mappings/cogvideox-sat-transformer.json"
            + CHECK,
        e.getMessage());
  }

  @Test
  void placesNoTensorThatTheTransformerDoesNotHave() {
    Map<String, Shape> sat = CogVideoXTransformer.newFiveB().sat();
    sat.put("model.diffusion_model.mixins.swiglu.w2.0.weight", Shape.of(1));
    ReweaveException e = assertThrows(ReweaveException.class, () -> apply("transformer", sat));
    assertTrue(
        e.getMessage()
            .startsWith(
                "no rule places 1 tensor: model.diffusion_model.mixins.swiglu.w2.0.weight:"),
        e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "first_stage_model."})
  void mapsTheAutoencoder(String prefix) {
    Map<String, Shape> sat = new LinkedHashMap<>();
    CogVideoXVae.sat().forEach((name, shape) -> sat.put(prefix + name, shape));
    sat.put(prefix + "loss.discriminator.blocks.0.weight", Shape.of(1));
    assertEquals(List.of("cogvideox-sat-vae"), recognised(sat));
    Mapped mapped = apply("vae", sat);
    assertEquals(new TreeMap<>(CogVideoXVae.diffusers()), Tensors.shapes(mapped.tensors()));
    assertEquals(
        List.of(
            "left out 1 tensor (of the training loss): "
                + prefix
                + "loss.discriminator.blocks.0.weight"),
        mapped.notes());
    assertEquals(Optional.of("vae"), mapping("vae").component());
  }

  @Test
  void mapsOneAutoencoderAtATime() {
    Map<String, Shape> two = CogVideoXVae.sat();
    CogVideoXVae.sat().forEach((name, shape) -> two.put("first_stage_model." + name, shape));
    ReweaveException e = assertThrows(ReweaveException.class, () -> apply("vae", two));
    assertTrue(e.getMessage().startsWith("several tensors would become "), e.getMessage());
  }

  @Test
  void missesWhateverAnAutoencoderLacks() {
    Map<String, Shape> sat = CogVideoXVae.sat();
    for (String name : sat.keySet()) {
      Map<String, Shape> less = new LinkedHashMap<>(sat);
      less.remove(name);
      ReweaveException e = assertThrows(ReweaveException.class, () -> apply("vae", less), name);
      assertTrue(e.getMessage().startsWith("the mapped model lacks 1 tensor: "), e.getMessage());
    }
  }

  private static Map<String, Shape> satLora(int layers, int hidden, int rank) {
    Map<String, Shape> sat = new LinkedHashMap<>();
    String prefix = "model.diffusion_model.";
    sat.put(prefix + "time_embed.0.weight", Shape.of(512, hidden));
    for (int i = 0; i < layers; i++) {
      String attention = prefix + "transformer.layers." + i + ".attention.";
      sat.put(attention + "query_key_value.original.weight", Shape.of(3L * hidden, hidden));
      for (int part = 0; part < 3; part++) {
        sat.put(attention + "query_key_value.matrix_A." + part, Shape.of(rank, hidden));
        sat.put(attention + "query_key_value.matrix_B." + part, Shape.of(hidden, rank));
      }
      sat.put(attention + "dense.original.weight", Shape.of(hidden, hidden));
      sat.put(attention + "dense.matrix_A.0", Shape.of(rank, hidden));
      sat.put(attention + "dense.matrix_B.0", Shape.of(hidden, rank));
      sat.put(
          prefix + "mixins.adaln_layer.adaLN_modulations." + i + ".1.bias", Shape.of(12L * hidden));
    }
    sat.put(prefix + "mixins.pos_embed.freqs_sin", Shape.of(4, 4));
    return sat;
  }

  @ParameterizedTest
  @CsvSource({"1, 64, 4", "30, 1920, 128", "42, 3072, 256"})
  void mapsLora(int layers, int hidden, int rank) {
    Map<String, Shape> expected = new TreeMap<>();
    for (int i = 0; i < layers; i++) {
      for (String module : List.of("to_q", "to_k", "to_v", "to_out.0")) {
        String name = "transformer.transformer_blocks." + i + ".attn1." + module;
        expected.put(name + ".lora_A.weight", Shape.of(rank, hidden));
        expected.put(name + ".lora_B.weight", Shape.of(hidden, rank));
      }
    }
    Map<String, Shape> sat = satLora(layers, hidden, rank);
    assertEquals(List.of("cogvideox-sat-lora"), recognised(sat));
    Mapped mapped = apply("lora", sat);
    assertEquals(expected, Tensors.shapes(mapped.tensors()));
    assertEquals(
        "data/model.diffusion_model.transformer.layers.0.attention.query_key_value.matrix_B.1@0+"
            + hidden * rank,
        mapped.tensors().stream()
            .filter(
                t -> t.name().equals("transformer.transformer_blocks.0.attn1.to_k.lora_B.weight"))
            .map(t -> Tensors.runs(t).get(0))
            .findFirst()
            .orElseThrow());
    assertEquals(1, mapped.notes().size());
    String others = "left out " + (3 * layers + 2) + " tensors (no LoRA matrices): ";
    assertTrue(mapped.notes().get(0).startsWith(others), mapped.notes().get(0));
    assertEquals(Optional.of("pytorch_lora_weights"), mapping("lora").weightsName());
  }

  @Test
  void missesTheOtherMatrix() {
    for (String half : List.of("A", "B")) {
      Map<String, Shape> sat = satLora(2, 8, 2);
      sat.remove(
          "model.diffusion_model.transformer.layers.1.attention.query_key_value.matrix_"
              + half
              + ".2");
      ReweaveException e = assertThrows(ReweaveException.class, () -> apply("lora", sat));
      assertEquals(
          "the mapped model lacks 1 tensor: transformer.transformer_blocks.1.attn1.to_v.lora_"
              + half
              + ".weight: conf/mappings/cogvideox-sat-lora.json"
              + CHECK,
          e.getMessage());
    }
  }

  @Test
  void tellsWhichMatricesHaveNoPlace() {
    Map<String, Shape> sat = satLora(1, 8, 2);
    sat.put("model.diffusion_model.transformer.layers.0.mlp.dense_h_to_4h.matrix_A.0", Shape.of(2));
    assertTrue(
        apply("lora", sat)
            .notes()
            .contains(
                "left out 1 tensor (LoRA matrices that are not of the attention layers):"
                    + " model.diffusion_model.transformer.layers.0.mlp.dense_h_to_4h.matrix_A.0"));
  }

  @Test
  void takesNoTransformerForLora() {
    ReweaveException e =
        assertThrows(
            ReweaveException.class, () -> apply("lora", CogVideoXTransformer.twoB().sat()));
    assertTrue(e.getMessage().startsWith("the mapping leaves no tensor"), e.getMessage());
  }

  @Test
  void recognisesNothingInDiffusersNames() {
    List<String> names = new ArrayList<>(CogVideoXVae.diffusers().keySet());
    names.addAll(CogVideoXTransformer.twoB().diffusers().keySet());
    assertEquals(List.of(), Mappings.recognise(names, () -> ModelFacts.NONE));
    assertEquals(List.of(), Mappings.recognise(List.of(), () -> ModelFacts.NONE));
  }
}
