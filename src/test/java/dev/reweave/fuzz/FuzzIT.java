package dev.reweave.fuzz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Inputs that a fuzzer makes, guided by the code that they reach: each reader reads them or refuses
 * them, within 256 MB and a second of a processor's time.
 *
 * <p>{@code -Dfuzz.seconds} and {@code -Dfuzz.runs} say when the run of each target ends.
 */
class FuzzIT {
  private static final long SECONDS = Long.getLong("fuzz.seconds", 60);
  private static final long RUNS = Long.getLong("fuzz.runs", 5_000);

  /** More than the seeds of any target; a busy machine reads few more. */
  private static final long LEAST_INPUTS = 300;

  /** Processes at a time. */
  private static final int WORKERS = 2;

  @SuppressWarnings("ImmutableEnumChecker") // the suppliers are
  private enum Target {
    ARCHIVE(ArchiveFuzz.class, FuzzRun.Ground.OWN_CLASSES, ArchiveFuzz::seeds),
    PICKLE(PickleFuzz.class, FuzzRun.Ground.OWN_CLASSES, PickleFuzz::seeds),
    HEADER(HeaderFuzz.class, FuzzRun.Ground.OWN_CLASSES, HeaderFuzz::seeds),
    INDEX(IndexFuzz.class, FuzzRun.Ground.OWN_CLASSES, IndexFuzz::seeds),
    TAG(TagFuzz.class, FuzzRun.Ground.STORES, TagFuzz::seeds),
    MAPPING(MappingFuzz.class, FuzzRun.Ground.OWN_CLASSES, MappingFuzz::seeds),
    CHECKPOINT(CheckpointFuzz.class, FuzzRun.Ground.STORES, CheckpointFuzz::seeds),
    FOLDER(FolderFuzz.class, FuzzRun.Ground.STORES, FolderFuzz::seeds);

    private final Class<?> type;
    private final FuzzRun.Ground ground;
    private final Supplier<List<byte[]>> seeds;

    Target(Class<?> type, FuzzRun.Ground ground, Supplier<List<byte[]>> seeds) {
      this.type = type;
      this.ground = ground;
      this.seeds = seeds;
    }

    FuzzRun.Outcome run() throws Exception {
      return new FuzzRun(type, ground).run(seeds.get(), SECONDS, RUNS);
    }
  }

  private static final ExecutorService POOL = Executors.newFixedThreadPool(WORKERS);
  private static final Map<Target, Future<FuzzRun.Outcome>> OUTCOMES = new EnumMap<>(Target.class);

  @BeforeAll
  static void start() {
    for (Target target : Target.values()) {
      OUTCOMES.put(target, POOL.submit(target::run));
    }
  }

  @AfterAll
  static void stop() {
    POOL.shutdownNow();
  }

  @ParameterizedTest
  @EnumSource(Target.class)
  void everyInputIsReadOrRefused(Target target) throws Exception {
    FuzzRun.Outcome outcome = OUTCOMES.get(target).get();
    assertEquals(0, outcome.exitCode(), outcome::log);
    assertTrue(outcome.executions() > LEAST_INPUTS, outcome::log);
    // Without this the fuzzer would be blind: the code that is reached must tell it the way.
    assertTrue(outcome.features() > outcome.seedFeatures(), outcome::log);
    System.out.printf(
        "fuzz %s: %d inputs, features %d -> %d%n",
        target, outcome.executions(), outcome.seedFeatures(), outcome.features());
  }
}
