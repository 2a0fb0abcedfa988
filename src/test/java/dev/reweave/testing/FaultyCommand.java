package dev.reweave.testing;

import dev.reweave.cli.Main;
import java.util.Arrays;

/**
 * A program of its own: the command line, where each task of a conversion fails a few times. Spark
 * and the store are as system properties say.
 */
public final class FaultyCommand {
  private FaultyCommand() {}

  /** Runs: {@code FAILING_ATTEMPTS COMMAND ...}. */
  public static void main(String[] args) {
    FaultyFileSystem.failAttempts("convert: ", Integer.parseInt(args[0]));
    Main.main(Arrays.copyOfRange(args, 1, args.length));
  }
}
