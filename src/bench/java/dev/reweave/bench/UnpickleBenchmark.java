package dev.reweave.bench;

import dev.reweave.format.pytorch.TorchFile;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.SyntheticCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** The structure of a rank's model states: zip directory, pickle, and where each tensor lies. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(2)
public class UnpickleBenchmark {
  /** Named in the pickle, as module weights and again with their shapes. */
  @Param({"2000", "50000"})
  public int tensors;

  private final Folder folder = new Folder();
  private final Stores stores = new Stores(new Configuration());
  private InputFile file;

  /** Writes the files of one rank of ZeRO-3. */
  @Setup
  public void write() throws IOException {
    List<TensorSpec> params =
        IntStream.range(0, tensors)
            .mapToObj(
                i ->
                    new TensorSpec(
                        "model.layers." + i / 9 + ".mlp.experts." + i + ".weight",
                        DType.F32,
                        Shape.of(2, 2)))
            .toList();
    SyntheticCheckpoint.write(folder.path(), 3, 1, params, 1);
    try (Stream<Path> files = Files.walk(folder.path())) {
      Path states =
          files.filter(f -> f.toString().endsWith("model_states.pt")).findFirst().orElseThrow();
      file = stores.file(stores.locate(states.toString())).orElseThrow();
    }
  }

  /** Reads it; the file is in the page cache. */
  @Benchmark
  public TorchFile read() throws IOException {
    try (RandomAccess access = stores.open(file)) {
      return TorchFile.read(access, 0);
    }
  }

  @TearDown
  public void delete() throws IOException {
    folder.delete();
  }
}
