package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.look.compare.Verification;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.Sharding;
import dev.reweave.plan.TargetType;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.io.TempDir;

/** What the tests of pipelines have in common: a base, an input, an output. */
abstract class PipelineCase {
  static final String WEIGHTS = "transformer/diffusion_pytorch_model.safetensors";

  /** The folder of one test. */
  @TempDir Path temp;

  Path output() {
    return temp.resolve("out");
  }

  static Path base() {
    return Fixtures.folder("base_pipeline");
  }

  static Path input(String fixture) {
    return Fixtures.folder(fixture).resolve("ckpt");
  }

  static Map<String, String> without(Map<String, String> files, String... names) {
    Map<String, String> rest = new TreeMap<>(files);
    for (String name : names) {
      rest.remove(name);
    }
    return rest;
  }

  void assertVerified() {
    Verification.Result verified =
        new Verification(TestSpark.cluster(), TestSpark.stores()).run(Locations.of(output()));
    assertEquals(List.of(), verified.problems());
    assertTrue(verified.checksums());
  }

  PlanOptions like(Sharding sharding) {
    return PlanOptions.DEFAULTS
        .withType(new TargetType.LikeBase())
        .with(PlanOptions.SHARDS, sharding);
  }

  /** A pipeline whose transformer has the shapes of the SAT fixture. */
  Path satBase() throws IOException {
    Path fixture = Fixtures.folder("sat_z2_bf16_w2");
    Path base = Fixtures.copy(base(), temp.resolve("base"));
    Path transformer = base.resolve("transformer");
    Files.delete(transformer.resolve("config.json"));
    Files.copy(fixture.resolve("diffusers/config.json"), transformer.resolve("config.json"));
    Files.delete(base.resolve(WEIGHTS));
    Files.copy(
        fixture.resolve("expected_sat_plain_diffusers_bf16.safetensors"), base.resolve(WEIGHTS));
    return base;
  }
}
