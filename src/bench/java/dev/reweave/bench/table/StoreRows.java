package dev.reweave.bench.table;

import dev.reweave.bench.table.FarStore.Carried;
import dev.reweave.testing.SyntheticCheckpoint;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * From S3 to S3 over a slow link, one task at a time: against another build, and against the way
 * around by a local disk.
 */
final class StoreRows implements Family {
  private static final long MASTERS = 240_000_000;
  private static final String BASE_BF16 = "base to bf16";
  private static final String BF16 = "now to bf16";
  private static final String FP32 = "now to fp32";

  @Override
  public String name() {
    return "s3";
  }

  @Override
  public List<Row> measure(Setting setting) throws Exception {
    Path checkpoint = setting.files().checkpointWithMoments(MASTERS);
    double needed =
        Float.BYTES
            * (double)
                SyntheticCheckpoint.llama(MASTERS).stream()
                    .mapToLong(param -> param.shape().elements())
                    .sum();
    Samples<Carried> samples;
    Map<String, Samples.Side<Carried>> sides = new LinkedHashMap<>();
    try (FarStore store = FarStore.holding(checkpoint, setting.files())) {
      setting.base().ifPresent(base -> sides.put(BASE_BF16, () -> store.convert(base, "bfloat16")));
      sides.put(BF16, () -> store.convert(setting.product(), "bfloat16"));
      setting.peer().ifPresent(peer -> sides.put(Setting.PEER, () -> store.around(peer)));
      sides.put(FP32, () -> store.convert(setting.product(), "float32"));
      samples = Samples.inTurn(setting.pairs(), 0, sides);
    }
    setting.files().delete(checkpoint);
    List<Figure> figures = new ArrayList<>();
    for (String side : sides.keySet()) {
      figures.add(samples.figure(side, "whole", "s", c -> c.taken().seconds()));
      figures.add(samples.figure(side, "work", "s", Carried::workSeconds));
      figures.add(samples.figure(side, "fetched", "MB", c -> c.fetched() / 1e6));
      figures.add(samples.figure(side, "sent", "MB", c -> c.sent() / 1e6));
      figures.add(samples.figure(side, "peak", "MB", c -> c.taken().peakMegabytes()));
    }
    // Of bfloat16, half as much is written as is read.
    figures.add(
        samples.figure(
            BF16, "read and written", "MB/s", c -> 1.5 * needed / 1e6 / c.workSeconds()));
    return List.of(
        new Row(
            name(),
            "S3 to S3 to bf16, 50 ms late and 4 MB/s a connection, one task: bytes per second, times"
                + " the base build's",
            Target.atLeast(3),
            samples.ratio(BASE_BF16, BF16, Carried::workSeconds),
            figures),
        new Row(
            name(),
            "peak resident memory of it, of the base build's",
            Target.atMost(1.5),
            samples.ratio(BF16, BASE_BF16, c -> c.taken().peakMegabytes()),
            List.of()),
        new Row(
            name(),
            "S3 to S3 to fp32, whole process, times as fast as download, zero_to_fp32 and upload",
            Target.atLeast(4),
            samples.ratio(Setting.PEER, FP32, c -> c.taken().seconds()),
            List.of()),
        new Row(
            name(),
            "bytes on the wire of it, of those of that way",
            Target.atMost(0.40),
            samples.ratio(FP32, Setting.PEER, Carried::bytes),
            List.of()),
        new Row(
            name(),
            "bytes on the wire from fp32 to fp32, of what is needed in and out",
            Target.atMost(1.02),
            new Figure("ratio", "", samples.values(FP32, c -> c.bytes() / (2 * needed))),
            List.of()));
  }
}
