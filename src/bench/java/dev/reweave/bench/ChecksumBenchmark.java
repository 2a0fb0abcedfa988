package dev.reweave.bench;

import dev.reweave.storage.Checksum;
import java.util.Random;
import java.util.concurrent.TimeUnit;
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

/** Checksums of what passes, and of a whole from its parts: microseconds for one of them. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class ChecksumBenchmark {
  private static final int BYTES = 1 << 20;

  @Param({"CRC_32", "CRC_32C"})
  public Checksum checksum;

  private byte[] data;
  private long behind;

  @Setup
  public void fill() {
    Random random = new Random(1);
    data = new byte[BYTES];
    random.nextBytes(data);
    behind = 5_000_000_000L + random.nextInt(BYTES);
  }

  /** Of a MiB. */
  @Benchmark
  public int of() {
    return checksum.of(data, 0, data.length);
  }

  /** What a part adds to the checksum of a file of 5 GB. */
  @Benchmark
  public int share() {
    return checksum.share(0x12345678, behind);
  }
}
