package dev.reweave.checkpoint.deepspeed;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reweave.checkpoint.Weights;
import dev.reweave.plan.PlanOptions;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Gathered;
import dev.reweave.testing.StoredTensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tensor- and pipeline-parallel checkpoints of real DeepSpeed give the trained weights. */
class ModelParallelFixtureTest {
  @TempDir Path temp;

  private Converting conversion(String fixture, Weights weights) {
    Path folder = Fixtures.folder(fixture);
    Path mapping = folder.resolve("mapping.json");
    return Converting.between(folder.resolve("ckpt"), temp.resolve("out"))
        .weights(weights)
        .mapping(Files.exists(mapping) ? mapping.toString() : "none")
        .planning(PlanOptions.DEFAULTS.withSizes(1 << 20, 64_000))
        .type("keep");
  }

  private static JsonNode expected(String fixture, Weights weights) throws IOException {
    JsonNode all =
        new ObjectMapper().readTree(Fixtures.folder(fixture).resolve("case.json").toFile());
    String kind = weights == Weights.MASTER ? "fp32_master" : "module";
    for (Map.Entry<String, JsonNode> e : all.get("expected").properties()) {
      if (e.getKey().endsWith(":merged:" + kind)) {
        return e.getValue();
      }
    }
    throw new IllegalStateException(fixture);
  }

  @ParameterizedTest
  @CsvSource({
    "tp2_z1_fp16_w2, MASTER",
    "tp2_z1_fp16_w2, MODEL",
    "tp2_z2_bf16_w4, MASTER",
    "tp2_z2_bf16_w4, MODEL",
    "pipe_z0_fp16_pp2, MODEL",
    "pipe_z1_bf16_pp2, MASTER",
    "pipe_z1_bf16_pp2, MODEL",
    "moe_z1_fp16_w2, MASTER",
    "moe_z1_fp16_w2, MODEL",
    "moe_z2_bf16_w2, MASTER",
    "moe_z2_bf16_w2, MODEL"
  })
  void givesTheMergedWeights(String fixture, Weights weights) throws IOException {
    JsonNode expected = expected(fixture, weights);
    List<String> names = new ArrayList<>();
    expected.get("names_in_order").forEach(name -> names.add(name.asText()));

    Gathered gathered = conversion(fixture, weights).gather();

    assertEquals(names, gathered.names());
    assertEquals(
        StoredTensors.of(Fixtures.folder(fixture).resolve(expected.get("file").asText())),
        gathered.tensors());
    assertEquals(differing(fixture, weights), gathered.differences().keySet());
  }

  /** What the fixture's maker saw to differ between ranks. */
  private static Set<String> differing(String fixture, Weights weights) throws IOException {
    JsonNode all =
        new ObjectMapper().readTree(Fixtures.folder(fixture).resolve("case.json").toFile());
    Set<String> names = new HashSet<>();
    for (JsonNode mismatch : all.path("replica_mismatch")) {
      if (mismatch.get(0).asText().equals(weights == Weights.MASTER ? "fp32_master" : "module")) {
        names.add(mismatch.get(1).asText());
      }
    }
    return names;
  }
}
