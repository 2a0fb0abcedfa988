package dev.reweave.checkpoint.fsdp;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.testing.Locations;
import dev.reweave.testing.TestSpark;
import java.nio.file.Path;
import java.util.Arrays;

/** What is read of files of ranks. */
final class RankReadings {
  private RankReadings() {}

  static Checkpoint read(Path input) {
    Stores stores = TestSpark.stores();
    return new CheckpointReader(stores, new ThreadScanner(stores))
        .read(Locations.of(input), ReadOptions.defaults());
  }

  /** Requires a refusal with these parts; gives its text. */
  static String assertRefused(Path input, String... parts) {
    String message = assertThrows(ReweaveException.class, () -> read(input)).getMessage();
    Arrays.stream(parts).forEach(part -> assertTrue(message.contains(part), message));
    return message;
  }
}
