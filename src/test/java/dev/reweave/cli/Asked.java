package dev.reweave.cli;

import dev.reweave.convert.ConversionRequest;
import dev.reweave.convert.StepRequests;
import dev.reweave.testing.TestSpark;
import java.time.LocalDate;

/** What a command line asks for. */
final class Asked {
  private Asked() {}

  static ConversionRequest of(ConvertCommand command) {
    return new StepRequests(TestSpark.stores(), LocalDate.EPOCH)
        .one(command.asked(TestSpark.stores()));
  }
}
