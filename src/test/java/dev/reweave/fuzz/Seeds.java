package dev.reweave.fuzz;

import dev.reweave.testing.Fixtures;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/** Files of the test resources that mutants are made from. */
final class Seeds {
  private Seeds() {}

  static byte[] bytes(String name) {
    // A stream, as the mappings are in a jar once it is packaged.
    try (InputStream in = Seeds.class.getResourceAsStream("/" + name)) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static TorchArchive archive(String name) {
    try {
      return new TorchArchive(Fixtures.resource(name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
