package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.common.Options;
import dev.reweave.convert.Conversion.Outcome.Kind;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.Sharding;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Pipelines that are made again. */
class RepeatedPipelineTest extends PipelineCase {
  @Test
  void theSameCommandHasNothingToDo() throws IOException {
    Converting conversion = Converting.between(input("cog_z2_bf16_w2"), output()).base(base());
    assertEquals(Kind.CONVERTED, conversion.run().kind());
    assertEquals(Kind.UP_TO_DATE, conversion.run().kind());

    Files.delete(output().resolve("vae/config.json"));

    assertEquals(Kind.CONVERTED, conversion.run().kind());
    assertEquals(
        without(Fixtures.digests(base()), WEIGHTS),
        without(Fixtures.digests(output()), WEIGHTS, Manifest.FILE_NAME));
  }

  @Test
  void againFromTheManifest() throws IOException {
    Path base = satBase();
    Converting.between(input("sat_z2_bf16_w2"), output())
        .planning(like(Sharding.LIKE_BASE))
        .base(base)
        .run();
    ConversionRequest same = again(Optional.empty());

    assertEquals(
        Kind.UP_TO_DATE, new Conversion(TestSpark.cluster(), TestSpark.stores()).run(same).kind());

    Path other = temp.resolve("other");
    ConversionRequest elsewhere = again(Optional.of(other.toString()));
    Manifest manifest =
        new Conversion(TestSpark.cluster(), TestSpark.stores()).run(elsewhere).manifest();

    assertEquals(
        without(Fixtures.digests(output()), Manifest.FILE_NAME),
        without(Fixtures.digests(other), Manifest.FILE_NAME));
    assertEquals("cogvideox-sat-transformer", manifest.mappingUsed().orElseThrow().name());
  }

  private ConversionRequest again(Optional<String> to) {
    AskedConversion asked =
        RepeatedConversion.read(
            TestSpark.stores(),
            Locations.of(output()),
            Options.NONE.with(AskedConversion.OUTPUT, to.map(OutputTemplate::new)));
    return new StepRequests(TestSpark.stores(), LocalDate.EPOCH).one(asked);
  }
}
