package dev.reweave.bench;

import dev.reweave.manifest.Manifest;
import dev.reweave.testing.Launcher;
import dev.reweave.testing.SyntheticCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Timeout;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A conversion as a user runs it, a process of its own with embedded Spark, of a ZeRO-3 checkpoint
 * on the local disk. The first run, which is not counted, brings it into the page cache.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 1)
@Measurement(iterations = 3)
@Fork(1)
@Timeout(time = 30, timeUnit = TimeUnit.MINUTES)
public class ConversionBenchmark {
  private static final int STAGE = 3;
  private static final int RANKS = 4;

  /** What the masters are cast to. */
  @Param({"float32", "bfloat16"})
  public String dtype;

  /** Of all F32 masters together. */
  @Param("2000000000")
  public long masterBytes;

  /** The heap. */
  @Param("512m")
  public String memory;

  private final Folder folder = new Folder();
  private Path input;
  private Path output;

  /** What a conversion took beside time; JMH tells the sums of all runs that count. */
  @State(Scope.Thread)
  @AuxCounters(AuxCounters.Type.EVENTS)
  public static class Taken {
    /** The most memory that the process ever held, where the system tells it. */
    public double peakMegabytes;

    /** Bytes read for each one that the result needs. */
    public double readPerNeeded;

    public double readsPerGigabyte;
  }

  /** Writes the checkpoint. */
  @Setup(Level.Trial)
  public void write() throws IOException {
    input = folder.path().resolve("in");
    output = folder.path().resolve("out");
    SyntheticCheckpoint.write(input, STAGE, RANKS, SyntheticCheckpoint.llama(masterBytes), 1);
  }

  /** Converts it. */
  @Benchmark
  public void convert(Taken taken) throws IOException, InterruptedException {
    Launcher.Running running =
        Launcher.begin(
            Map.of("REWEAVE_MEMORY", memory),
            List.of(
                "submit/reweave",
                "convert",
                "-i",
                input.toString(),
                "-o",
                output.toString(),
                "--dtype",
                dtype));
    taken.peakMegabytes += PeakMemory.megabytes(running.process());
    Launcher.Result result = running.await();
    if (result.exitCode() != 0) {
      throw new IllegalStateException(result.toString());
    }
    Path file = output.resolve(Manifest.FILE_NAME);
    Manifest.Figures figures = Manifest.parse(Files.readAllBytes(file), file.toString()).figures();
    taken.readPerNeeded += (double) figures.bytesRead() / figures.bytesNeeded();
    taken.readsPerGigabyte += figures.readRequests() / (figures.bytesNeeded() / 1e9);
  }

  /** Makes room for the next result. */
  @TearDown(Level.Invocation)
  public void clear() throws IOException {
    Folder.delete(output);
  }

  /** Deletes the checkpoint. */
  @TearDown(Level.Trial)
  public void delete() throws IOException {
    folder.delete();
  }
}
