package dev.reweave.bench;

import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.Launcher;
import dev.reweave.testing.SyntheticCheckpoint;
import dev.reweave.testing.SyntheticOptions;
import dev.reweave.testing.SyntheticOptions.Moments;
import java.io.IOException;
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
 * How long the plan of a large mixture of experts takes on many ZeRO-3 ranks, as {@code convert
 * --dry-run} makes it in a process of its own.
 *
 * <p>The checkpoint takes 270 MB of disk. Weights are zeros that no block holds, and the model
 * states of ranks on GPUs of one number, which are the same, are one file under several names: the
 * figures are those of files that are in the page cache.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 0)
@Measurement(iterations = 3)
@Fork(1)
@Timeout(time = 30, timeUnit = TimeUnit.MINUTES)
public class PlanBenchmark {
  private static final int STAGE = 3;

  /** So that the result is small enough for any disk: a plan asks whether it fits. */
  private static final long WIDTH = 448;

  /** Data-parallel ranks. */
  @Param({"64", "1024"})
  public int ranks;

  /** Of one machine, which names its tensors' places in the files of its ranks. */
  @Param("8")
  public int gpus;

  /** Of the model. */
  @Param("80")
  public int layers;

  /** Of each layer, with three tensors each. */
  @Param("256")
  public int experts;

  /** The heap. */
  @Param("2g")
  public String memory;

  private final Folder folder = new Folder();
  private Path input;

  /** What a plan took beside time; JMH tells the sums of all runs that count. */
  @State(Scope.Thread)
  @AuxCounters(AuxCounters.Type.EVENTS)
  public static class Taken {
    /** The most memory that the process ever held, where the system tells it. */
    public double peakMegabytes;
  }

  /** Writes the checkpoint. */
  @Setup(Level.Trial)
  public void write() throws IOException {
    input = folder.path().resolve("in");
    List<TensorSpec> params = SyntheticCheckpoint.experts(layers, experts, WIDTH);
    SyntheticOptions options =
        new SyntheticOptions(STAGE, ranks).with(Moments.ADAM).onDevices(gpus).sparse();
    SyntheticCheckpoint.write(input, options, params, 1);
  }

  /** Plans a conversion. */
  @Benchmark
  public void plan(Taken taken) throws IOException, InterruptedException {
    Launcher.Running running =
        Launcher.begin(
            Map.of("REWEAVE_MEMORY", memory),
            List.of(
                "submit/reweave",
                "convert",
                "--dry-run",
                "-i",
                input.toString(),
                "-o",
                folder.path().resolve("out").toString(),
                "--dtype",
                "bfloat16"));
    taken.peakMegabytes += PeakMemory.megabytes(running.process());
    Launcher.Result result = running.await();
    if (result.exitCode() != 0) {
      throw new IllegalStateException(result.toString());
    }
  }

  /** Deletes the checkpoint. */
  @TearDown(Level.Trial)
  public void delete() throws IOException {
    folder.delete();
  }
}
