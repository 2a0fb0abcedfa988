package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.prepare.BaseChoice;
import dev.reweave.plan.prepare.MappingChoice;
import dev.reweave.testing.Locations;
import dev.reweave.testing.TestSpark;
import java.time.LocalDate;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class AskedConversionTest {
  private static List<String> addresses(String output, Optional<BaseChoice> base) {
    AskedConversion asked =
        new AskedConversion(
            Locations.of("/in"),
            new OutputTemplate(output),
            new ConversionOptions(
                ReadOptions.defaults(),
                PlanOptions.DEFAULTS,
                MappingChoice.NONE,
                base,
                ConversionRequest.Proving.SAMPLE,
                Checks.DEFAULTS,
                ConversionRequest.ExistingOutput.REFUSE,
                ConversionRequest.Earlier.CONTINUE));
    return asked.addresses(TestSpark.stores(), LocalDate.of(2026, 1, 31)).stream()
        .map(place -> place.uri())
        .toList();
  }

  @Test
  void allThatTasksReadAndWriteCounts() {
    BaseChoice base =
        new BaseChoice(
            Locations.of("hdfs://h/base"),
            BaseChoice.Mode.COPY,
            Optional.empty(),
            Optional.empty(),
            Optional.empty());
    assertEquals(List.of("file:/in", "file:/out"), addresses("/out", Optional.empty()));
    assertEquals(
        List.of("file:/in", "s3a://b-2026-01-31/tag", "hdfs://h/base"),
        addresses("s3a://b-{date}/{tag}", Optional.of(base)));
  }
}
