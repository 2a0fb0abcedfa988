package dev.reweave.bench;

import dev.reweave.tensor.DType;
import dev.reweave.tensor.FlatBuffer;
import dev.reweave.tensor.FlatBuffer.StorageRun;
import dev.reweave.tensor.FlatLayout;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.PartitionedLayout;
import dev.reweave.tensor.RankBuffers;
import dev.reweave.tensor.StorageRef;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
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
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/** Where the elements of a tensor lie on many ranks: microseconds for all of its runs. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class LayoutBenchmark {
  private static final int RANKS = 1024;
  private static final long OF_RANK = 50_000_000;
  private static final long ELEMENTS = 16_777_216;

  /** Stage of ZeRO: one group over all ranks, or a slice on each of them. */
  @Param({"2", "3"})
  public int stage;

  private Layout layout;

  @Setup
  public void make() {
    List<StorageRun> storages =
        IntStream.range(0, RANKS)
            .mapToObj(
                rank ->
                    new StorageRef(
                        rank,
                        "data/0",
                        4096,
                        DType.F32,
                        OF_RANK,
                        StorageRef.Endian.LITTLE,
                        StorageRef.NO_CRC))
            .map(storage -> new StorageRun(storage, 0, OF_RANK))
            .toList();
    layout =
        stage == 2
            ? new FlatLayout(new FlatBuffer(storages), OF_RANK * RANKS / 2 - ELEMENTS / 3, ELEMENTS)
            : new PartitionedLayout(
                new RankBuffers(
                    storages.stream().map(run -> new FlatBuffer(List.of(run))).toList()),
                OF_RANK / 2,
                ELEMENTS);
  }

  /** All of them. */
  @Benchmark
  public void runs(Blackhole sink) {
    layout.runs(0, ELEMENTS, (storage, offset, elements) -> sink.consume(offset));
  }

  /** Those that lie in one rank's file. */
  @Benchmark
  public void runsIn(Blackhole sink) {
    layout.runsIn(RANKS / 2, (storage, offset, elements) -> sink.consume(offset));
  }
}
