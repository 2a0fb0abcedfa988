package dev.reweave.bench;

import dev.reweave.tensor.Cast;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.ValueFacts;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/** What a task does to each element once it is read: nanoseconds for one of them. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class CastBenchmark {
  /** As many as a task takes at a time: 32 KiB of two bytes each. */
  private static final int ELEMENTS = 16 << 10;

  /** Types before and after. */
  @Param({"F32:BF16", "F32:F16", "BF16:F32", "F16:BF16", "F64:F32", "F8_E4M3:BF16"})
  public String types;

  private Cast cast;
  private byte[] in;
  private byte[] out;

  /** Makes weights as a trained model has them: normally distributed, small. */
  @Setup
  public void fill() {
    String[] names = types.split(":", -1);
    DType from = DType.ofSafetensorsName(names[0]).orElseThrow();
    cast = Cast.between(from, DType.ofSafetensorsName(names[1]).orElseThrow());
    in = new byte[ELEMENTS * from.bytes()];
    out = new byte[ELEMENTS * cast.to().bytes()];
    Random random = new Random(1);
    if (!from.isCastable()) {
      random.nextBytes(in);
      return;
    }
    ByteBuffer floats = ByteBuffer.allocate(ELEMENTS * 4).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < ELEMENTS; i++) {
      floats.putFloat((float) random.nextGaussian() / 50);
    }
    Cast.between(DType.F32, from).apply(floats.array(), 0, in, 0, ELEMENTS);
  }

  /** The cast alone. */
  @Benchmark
  @OperationsPerInvocation(ELEMENTS)
  public byte[] cast() {
    cast.apply(in, 0, out, 0, ELEMENTS);
    return out;
  }

  /** The cast, what it tells of the values, and the checksum of what is written. */
  @Benchmark
  @OperationsPerInvocation(ELEMENTS)
  public void castAndTell(Blackhole sink) {
    cast.apply(in, 0, out, 0, ELEMENTS);
    sink.consume(ValueFacts.ofCast(cast, in, 0, out, 0, ELEMENTS, 0));
    CRC32C crc = new CRC32C();
    crc.update(out, 0, out.length);
    sink.consume(crc.getValue());
  }
}
