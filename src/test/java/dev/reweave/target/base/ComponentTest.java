package dev.reweave.target.base;

import static dev.reweave.target.base.SampleBase.tensor;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.Fixtures;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ComponentTest {
  private static final Optional<String> NONE = Optional.empty();
  private static final String AGAIN = "; download the base again, or the files that differ";

  @TempDir Path temp;

  @Test
  void readsASingleFile() {
    BaseFolder base = new SampleBase(Fixtures.folder("base_pipeline")).read();
    Component component = base.component(Optional.of("vae"), NONE, List.of(), NONE);
    assertEquals("vae", component.folder());
    assertEquals(base.address() + "/vae", component.address().uri());
    assertEquals(WeightNames.of("diffusion_pytorch_model", NONE), component.names());
    assertEquals(NONE, component.index());
    assertEquals(List.of("diffusion_pytorch_model.safetensors"), component.files());
    assertEquals(Optional.of(DType.F32), component.dtype());
    assertEquals(
        List.of(
            "model_index.json",
            "scheduler/scheduler_config.json",
            "transformer/config.json",
            "transformer/diffusion_pytorch_model.safetensors",
            "vae/config.json"),
        List.copyOf(base.filesBeside(component).keySet()));
    assertEquals(base.files().get("vae/config.json").length(), base.config(component).get().length);
  }

  @Test
  void readsShards() {
    Component component =
        new SampleBase(Fixtures.folder("base_pipeline_sharded_transformer")).component();
    assertEquals("", component.folder());
    assertEquals(Optional.of("diffusion_pytorch_model.safetensors.index.json"), component.index());
    assertEquals(
        List.of(
            "diffusion_pytorch_model-00001-of-00002.safetensors",
            "diffusion_pytorch_model-00002-of-00002.safetensors"),
        component.files());
    assertEquals(component.names().shard(2, 2), component.shards().get("norm_final.bias"));
    Component single =
        new SampleBase(Fixtures.folder("base_pipeline")).component("patch_embed.proj.weight");
    assertEquals(single.tensors(), component.tensors());
    assertEquals(Shape.of(16, 4, 2, 2), component.tensors().get("patch_embed.proj.weight").shape());
  }

  @Test
  void takesTheWeightsWithoutAVariant() throws IOException {
    SampleBase sample =
        model().weights("model.fp16.safetensors", "a").text("pytorch_model.bin", "");
    sample.text("model.safetensors.index.fp16.json", "").text("sub/other.bin", "");
    BaseFolder base = sample.weights("model.safetensors", "b").read();
    Component component = base.component(NONE, NONE, List.of(), NONE);
    assertEquals(List.of("b"), List.copyOf(component.tensors().keySet()));
    assertEquals("model.safetensors", component.names().single());
    assertEquals(
        List.of("config.json", "sub/other.bin"), List.copyOf(base.filesBeside(component).keySet()));
  }

  @Test
  void takesTheVariantThatIsAskedFor() throws IOException {
    SampleBase sample =
        model()
            .weights("model.safetensors", "b")
            .weights("model.fp16-00001-of-00001.safetensors", "a")
            .text(
                "model.safetensors.index.fp16.json",
                "{'weight_map': {'a': 'model.fp16-00001-of-00001.safetensors'}}");
    Component component = sample.read().component(NONE, NONE, List.of(), Optional.of("fp16"));
    assertEquals(List.of("a"), List.copyOf(component.tensors().keySet()));
    assertEquals(WeightNames.of("model", Optional.of("fp16")), component.names());
    assertEquals(Optional.of("model.safetensors.index.fp16.json"), component.index());
    assertRefused(
        sample,
        Optional.of("bf16"),
        "base has no variant 'bf16': fp16: " + sample.uri() + "; name one of them with --variant");
  }

  @Test
  void readsShardsOfOlderReleases() throws IOException {
    String shard = "diffusion_pytorch_model-00001-of-00001.fp16.safetensors";
    Component component =
        model()
            .weights(shard, "a")
            .text(
                "diffusion_pytorch_model.safetensors.fp16.index.json",
                "{'weight_map': {'a': '" + shard + "'}}")
            .component();
    assertEquals(Map.of("a", shard), component.shards());
    assertEquals(Optional.of("fp16"), component.names().variant());
  }

  @Test
  void takesTheOnlyVariant() throws IOException {
    SampleBase sample = model().weights("model.fp16.safetensors", "a");
    assertEquals(Optional.of("fp16"), sample.component().names().variant());
    sample.weights("model.bf16.safetensors", "a");
    assertRefused(
        sample,
        NONE,
        "base has several variants: bf16, fp16: "
            + sample.uri()
            + "; name one of them with --variant");
  }

  @Test
  void refusesAVariantWhereThereIsNone() throws IOException {
    SampleBase sample = model().weights("model.safetensors", "a");
    assertRefused(
        sample,
        Optional.of("fp16"),
        "base has no variant 'fp16': none: " + sample.uri() + "; leave --variant out");
  }

  @Test
  void takesTheWeightsThatLibrariesLookFor() throws IOException {
    SampleBase sample =
        model().weights("model.safetensors", "a").weights("consolidated.safetensors", "b");
    assertEquals("model", sample.component().names().stem());
    SampleBase odd =
        new SampleBase(temp.resolve("odd"))
            .text("config.json", "{}")
            .weights("wan2.1.safetensors", "b");
    assertEquals("wan2.1", odd.component().names().stem());
    odd.weights("another.safetensors", "b");
    assertRefused(
        odd,
        NONE,
        "folder has the weights of several models: another, wan2.1: "
            + odd.uri()
            + "; give a base that holds one of them as diffusion_pytorch_model or model");
  }

  @Test
  void takesTheFileThatTheLibraryTakes() throws IOException {
    SampleBase sample =
        model()
            .weights("model.safetensors", "a")
            .text("model.safetensors.index.json", "{'weight_map': {'b': 'gone.safetensors'}}");
    assertEquals(NONE, sample.component().index());
    SampleBase diffusers =
        new SampleBase(temp.resolve("diffusers"))
            .model("", "T", "a")
            .weights("diffusion_pytorch_model-00001-of-00001.safetensors", "b")
            .text(
                "diffusion_pytorch_model.safetensors.index.json",
                "{'weight_map':{'b':'diffusion_pytorch_model-00001-of-00001.safetensors'}}");
    assertEquals(List.of("b"), List.copyOf(diffusers.component().tensors().keySet()));
  }

  @Test
  void knowsTheNamesThatWereDropped() throws IOException {
    Component single =
        model()
            .weights(
                "model.safetensors",
                Map.of("format", "pt", "lm_head", "embed", "x", "y", "embed", "embed"),
                List.of(tensor("embed", 2)))
            .component();
    assertEquals(Map.of("lm_head", "embed"), single.droppedNames());
    Component sharded =
        new SampleBase(temp.resolve("sharded"))
            .text("config.json", "{}")
            .weights("s.safetensors", "embed")
            .text(
                "model.safetensors.index.json",
                "{'metadata': {'total_size': 4, 'lm_head': 'embed', 'format': 'pt'},"
                    + "'weight_map': {'embed': 's.safetensors'}}")
            .component();
    assertEquals(Map.of("lm_head", "embed"), sharded.droppedNames());
  }

  @Test
  void findsTheTypeOfMostOfItsBytes() throws IOException {
    Component component =
        model()
            .weights(
                "model.safetensors",
                Map.of(),
                List.of(
                    new TensorSpec("a", DType.I64, Shape.of(99)),
                    new TensorSpec("b", DType.F32, Shape.of(3)),
                    new TensorSpec("c", DType.F16, Shape.of(7))))
            .component();
    assertEquals(Optional.of(DType.F16), component.dtype());
  }

  @Test
  void refusesAnIndexThatDoesNotMatchItsShards() throws IOException {
    SampleBase sample = model().weights("s.safetensors", "a", "b").weights("t.safetensors", "c");
    String place = ": " + sample.uri() + "/model.safetensors.index.json" + AGAIN;
    assertIndexRefused(
        sample,
        "{'a': 's.safetensors', 'b': 'u.safetensors'}",
        "index names a shard that is not in the base, u.safetensors" + place);
    assertIndexRefused(
        sample,
        "{'a': 's.safetensors', 'b': 's.safetensors', 'c': 't.safetensors', 'd': 't.safetensors'}",
        "index has a tensor that is not in its shard t.safetensors, d" + place);
    assertIndexRefused(
        sample,
        "{'a': 's.safetensors'}",
        "s.safetensors has a tensor that is not in the index, b" + place);
    assertIndexRefused(
        sample,
        "{'a': 's.safetensors', 'b': 't.safetensors'}",
        "s.safetensors has a tensor that the index has in t.safetensors, b" + place);
  }

  @Test
  void refusesShardsWithoutAnIndex() throws IOException {
    SampleBase sample = model().weights("model-00001-of-00002.safetensors", "a");
    assertRefused(
        sample,
        NONE,
        "weights are in shards, but their index model.safetensors.index.json is missing: "
            + sample.uri()
            + "; download the index of the base as well");
  }

  @Test
  void refusesPointersInPlaceOfWeights() throws IOException {
    String pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n";
    SampleBase sample = model().bytes("model.safetensors", pointer.getBytes(UTF_8));
    assertRefused(
        sample,
        NONE,
        "file is a git-lfs pointer, without the weights: "
            + sample.uri()
            + "/model.safetensors; run `git lfs pull` in the base, or download the file");
  }

  private SampleBase model() throws IOException {
    return new SampleBase(temp.resolve("base")).text("config.json", "{}");
  }

  private static void assertIndexRefused(SampleBase sample, String map, String message)
      throws IOException {
    sample.text("model.safetensors.index.json", "{'weight_map': " + map + "}");
    assertRefused(sample, NONE, message);
  }

  private static void assertRefused(SampleBase sample, Optional<String> variant, String message) {
    BaseFolder base = sample.read();
    ReweaveException e =
        assertThrows(ReweaveException.class, () -> base.component(NONE, NONE, List.of(), variant));
    assertEquals(message, e.getMessage());
  }
}
