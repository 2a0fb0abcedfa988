package dev.reweave.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.target.base.WeightNames;
import dev.reweave.tensor.DType;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How a result may be wanted: types, sizes, names. */
class PlanOptionsTest {
  private static PlanOptions only(String regex) {
    return named(Optional.empty(), Optional.of(regex));
  }

  private static PlanOptions named(Optional<String> weightsName, Optional<String> only) {
    return PlanOptions.DEFAULTS
        .with(PlanOptions.WEIGHTS_NAME, weightsName)
        .with(PlanOptions.ONLY, only);
  }

  private static void refused(String message, Runnable options) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, options::run).getMessage());
  }

  @Test
  void sizesAreKeptWithinTheirLimits() {
    PlanOptions sized = PlanOptions.DEFAULTS.withSizes(1, 64_007);

    assertEquals(1, sized.maxShardBytes());
    assertEquals(Optional.of(64_000L), sized.chunkBytes(), "no element crosses the end of a chunk");
    assertEquals(PlanOptions.DEFAULTS.dtype(), sized.dtype());
    refused("shards of at most 0 bytes", () -> PlanOptions.DEFAULTS.withSizes(0, 64_000));
    refused(
        "chunks of 63999 bytes: at least 64000 are needed",
        () -> PlanOptions.DEFAULTS.withSizes(1, 63_999));
  }

  @Test
  void tensorsAreWantedByAPartOfTheirNames() {
    assertTrue(only("q_proj|k_proj").wants("layers.0.attn.k_proj.weight"));
    assertFalse(only("q_proj|k_proj").wants("layers.0.attn.v_proj.weight"));
    assertFalse(only("^k_proj").wants("layers.0.attn.k_proj.weight"));
    assertTrue(PlanOptions.DEFAULTS.wants("anything"));
    refused("--only a( is no regular expression: Unclosed group", () -> only("a("));
  }

  @Test
  void expressionsThatFillTheStackAreRefused() {
    refused(
        "--only "
            + "(".repeat(200)
            + "… is no regular expression: Stack overflow during pattern compilation",
        () -> only("(".repeat(50_000)));
  }

  @Test
  void expressionsThatTakeAgesOrTheStackToMatchAreRefused() {
    ReweaveException e =
        assertThrows(ReweaveException.class, () -> only("^(a|b)*$").wants("ab".repeat(32_000)));
    assertEquals(
        "to match '^(a|b)*$' with "
            + "ab".repeat(100)
            + "… takes too long: --only; write the expression with fewer parts that match the same"
            + " characters",
        e.getMessage());
    assertEquals(ReweaveException.Kind.USAGE, e.kind());
  }

  @ParameterizedTest
  @ValueSource(strings = {"model", "0", "_x", "a.b-c_D"})
  void takesNamesOfFiles(String name) {
    assertEquals(Optional.of(name), named(Optional.of(name), Optional.empty()).weightsName());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ".hidden", "-x", "a/b", "a b", "..", "ä"})
  void refusesWhatIsNoNameOfAFile(String name) {
    refused(
        "'" + name + "' cannot begin a file name",
        () -> named(Optional.of(name), Optional.empty()));
  }

  @Test
  void filesStandInTheirFolder() {
    WeightNames weights = WeightNames.of("model", Optional.of("fp16"));
    FileNames inFolder = new FileNames("unet/", weights, Format.SAFETENSORS);

    assertEquals("unet/x.json", inFolder.path("x.json"));
    assertEquals("model.fp16.safetensors", inFolder.shard(1, 1));
    assertEquals("model.fp16-00001-of-00003.safetensors", inFolder.shard(1, 3));
    assertEquals("x.json", new FileNames("", weights, Format.SAFETENSORS).path("x.json"));
    refused(
        "folder unet without a slash at its end",
        () -> new FileNames("unet", weights, Format.SAFETENSORS));
    refused(
        "'a b' cannot begin a file name",
        () -> new FileNames("", WeightNames.of("a b", Optional.empty()), Format.SAFETENSORS));
  }

  @Test
  void aModelIsCalledOtherwiseAsBin() {
    Optional<String> none = Optional.empty();

    assertEquals("model.safetensors", Format.SAFETENSORS.names("model", none).single());
    assertEquals("pytorch_model.bin", Format.BIN.names("model", none).single());
    assertEquals("unet.bin", Format.BIN.names("unet", none).single());
    assertEquals("model.bin", Format.BIN.namesOf("model", none).single());
    assertEquals("model.safetensors", Format.SAFETENSORS.namesOf("model", none).single());
  }

  @ParameterizedTest
  @CsvSource({
    "float32, BF16, F16, F32",
    "float16, F64, BF16, F16",
    "bfloat16, F32, F32, BF16",
    "bfloat16, I64, F32, I64",
    "bfloat16, BOOL, I64, BOOL",
    "keep, F16, F32, F16",
    "keep, U8, F32, U8",
    "like-base, F32, BF16, BF16",
    "like-base, F32, I64, F32",
    "like-base, I64, F32, I64",
  })
  void tensorsGetTheirType(String option, DType stored, DType base, DType expected) {
    TargetType type = TargetType.parse(option);

    assertEquals(expected, type.of(stored, Optional.of(base)));
    assertEquals(option, type.toString());
  }

  @Test
  void withoutABaseATensorKeepsItsType() {
    assertEquals(DType.F16, new TargetType.LikeBase().of(DType.F16, Optional.empty()));
    assertEquals(new TargetType.Fixed(DType.F32), TargetType.parse("float"));
    assertEquals(DType.BF16, TargetType.parse("bfloat16").of(DType.F16, Optional.empty()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"float64", "int64", "bool", "", "KEEP"})
  void refusesOtherTypes(String text) {
    refused(
        "--dtype " + text + " is not one of float32, bfloat16, float16, keep, like-base",
        () -> TargetType.parse(text));
  }

  @Test
  void weightsAreCastToFewTypes() {
    refused("no weights are cast to float64", () -> new TargetType.Fixed(DType.F64));
    refused("no weights are cast to int8", () -> new TargetType.Fixed(DType.I8));
  }
}
