package dev.reweave.manifest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Unfamiliar;
import dev.reweave.checkpoint.Weights;
import dev.reweave.common.Option;
import dev.reweave.common.Options;
import dev.reweave.plan.Format;
import dev.reweave.plan.PlanOptions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Options as they stand in manifests. */
class RecordedOptionsTest {
  private static final Option<String> LATER =
      Option.of("later", "TEXT", "x", text -> text).recordedAs("later");
  private static final List<Option<?>> OPTIONS =
      List.of(
          LATER,
          Unfamiliar.STRICT,
          ReadOptions.WEIGHTS,
          ReadOptions.EXCLUDE_FROZEN,
          ReadOptions.NAMES,
          PlanOptions.DTYPE,
          PlanOptions.FORMAT,
          PlanOptions.SHARDS,
          PlanOptions.MAX_SHARD_SIZE,
          PlanOptions.WEIGHTS_NAME,
          PlanOptions.ONLY,
          PlanOptions.CHUNK_SIZE);

  private static String written(Options options) throws JsonProcessingException {
    return new JsonMapper().writeValueAsString(RecordedOptions.of(options.complete(OPTIONS)));
  }

  private static Options read(String json) throws JsonProcessingException {
    return new JsonMapper().readValue(json, RecordedOptions.class).of(OPTIONS);
  }

  @Test
  void whatIsAsByDefaultIsRecordedToo() throws JsonProcessingException {
    assertEquals(
        "{\"dtype\":\"float32\",\"frozen\":\"include\",\"format\":\"safetensors\","
            + "\"shards\":\"by-size\",\"maxShardBytes\":5000000000,"
            + "\"names\":\"plain\",\"later\":\"x\"}",
        written(Options.NONE));
  }

  @Test
  void whatIsWrittenIsRead() throws JsonProcessingException {
    Options options =
        PlanOptions.DEFAULTS
            .withSizes(400, 64_000)
            .with(PlanOptions.FORMAT, Format.BIN)
            .options()
            .and(ReadOptions.defaults().withWeights(Weights.MODEL).options())
            .with(Unfamiliar.STRICT, Unfamiliar.REFUSE);

    assertEquals(options.complete(OPTIONS), read(written(options)).complete(OPTIONS));
  }

  @Test
  void olderVersionsRecordedLess() throws JsonProcessingException {
    Options options = read("{\"dtype\":\"keep\",\"only\":\"\",\"gone\":true,\"weights\":null}");

    assertEquals(Options.NONE.parse(PlanOptions.DTYPE, "keep"), options);
  }

  @ParameterizedTest
  @ValueSource(strings = {"{\"dtype\":[]}", "{\"dtype\":{\"a\":1}}"})
  void whatIsNoTextIsRefused(String json) {
    assertEquals(
        "a value of another type",
        assertThrows(JsonMappingException.class, () -> read(json)).getCause().getMessage());
  }
}
