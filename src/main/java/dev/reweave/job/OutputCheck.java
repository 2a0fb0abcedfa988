package dev.reweave.job;

import dev.reweave.ReweaveException;
import dev.reweave.job.ConversionRequest.ExistingOutput;
import dev.reweave.storage.OutputFolder;
import dev.reweave.storage.Stores;
import java.util.List;

/** Refuses outputs that would harm something that is there. */
final class OutputCheck {
  private OutputCheck() {}

  static OutputFolder check(Stores stores, ConversionRequest request) {
    String input = stores.resolve(request.input());
    OutputFolder output = stores.outputFolder(request.output());
    if (isWithin(output.address(), input)) {
      throw new ReweaveException(
          "the output lies inside the input, which is never written to",
          output.address(),
          "name an output outside of " + input);
    }
    if (isWithin(input, output.address())) {
      throw new ReweaveException(
          "the input lies inside the output", input, "name an output that is new or empty");
    }
    List<String> names = output.names();
    if (!names.isEmpty() && request.existing() == ExistingOutput.REFUSE) {
      throw new ReweaveException(
          "the output is not empty: it holds "
              + names.get(0)
              + (names.size() > 1 ? " and " + (names.size() - 1) + " more" : ""),
          output.address(),
          "name a folder that is new or empty, or replace the model in it with --overwrite");
    }
    return output;
  }

  private static boolean isWithin(String inner, String outer) {
    return (inner + "/").startsWith(outer.endsWith("/") ? outer : outer + "/");
  }
}
