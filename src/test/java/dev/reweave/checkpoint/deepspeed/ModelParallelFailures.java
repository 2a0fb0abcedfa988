package dev.reweave.checkpoint.deepspeed;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.testing.Converting;
import dev.reweave.testing.ModelParallelFiles;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

/** A checkpoint of several ranks that cannot be put together, and what is said of it. */
abstract class ModelParallelFailures {
  @TempDir Path temp;

  Path input() {
    return temp.resolve("in");
  }

  Converting conversion() {
    return Converting.between(input(), temp.resolve("out")).mapping("none");
  }

  static String failure(Converting conversion) {
    return assertThrows(ReweaveException.class, conversion::prepare).getMessage();
  }

  String failure() {
    return failure(conversion());
  }

  static void assertSays(String message, String... parts) {
    for (String part : parts) {
      assertTrue(message.contains(part), () -> "'" + part + "' is not in: " + message);
    }
  }

  ModelParallelFiles files(int pipeline, int tensor) throws IOException {
    return new ModelParallelFiles(input(), 1, 1, pipeline, tensor);
  }
}
