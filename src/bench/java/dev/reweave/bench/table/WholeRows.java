package dev.reweave.bench.table;

import dev.reweave.bench.ProcessRun.Taken;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A checkpoint of 2.08 GB of masters beside Adam moments, from the start of the process to its end:
 * against the framework's own script, and a copy of the result.
 */
final class WholeRows implements Family {
  private static final String FP32 = "now to fp32";
  private static final String BF16 = "now to bf16";
  private static final String BASE_FP32 = "base to fp32";
  private static final String COPY = "cp -r";

  @Override
  public String name() {
    return "whole";
  }

  @Override
  public List<Row> measure(Setting setting) throws Exception {
    WorkFiles files = setting.files();
    Path checkpoint = files.checkpointWithMoments(WorkFiles.SMALL);
    Path result = files.folder().resolve("result");
    Map<String, Samples.Side<Taken>> sides = new LinkedHashMap<>();
    setting
        .peer()
        .ifPresent(
            peer ->
                sides.put(
                    Setting.PEER,
                    () -> {
                      Setting.settle();
                      return peer.convert(checkpoint, files.fresh("result"));
                    }));
    setting
        .base()
        .ifPresent(
            base ->
                sides.put(
                    BASE_FP32,
                    () -> Setting.convert(base, checkpoint, files.fresh("result"), "float32")));
    sides.put(
        BF16,
        () -> Setting.convert(setting.product(), checkpoint, files.fresh("result"), "bfloat16"));
    sides.put(
        FP32,
        () -> Setting.convert(setting.product(), checkpoint, files.fresh("result"), "float32"));
    sides.put(COPY, () -> setting.copy(result));
    Samples<Taken> samples = Samples.inTurn(setting.pairs(), 1, sides);
    files.delete(result);
    files.delete(checkpoint);
    List<Figure> figures = new ArrayList<>();
    for (String side : sides.keySet()) {
      figures.add(samples.figure(side, "wall", "s", Taken::seconds));
      figures.add(samples.figure(side, "core-seconds", "s", Taken::coreSeconds));
      figures.add(samples.figure(side, "peak", "MB", Taken::peakMegabytes));
    }
    return List.of(
        new Row(
            name(),
            "2.08 GB to fp32, whole process, times as fast as zero_to_fp32",
            Target.atLeast(4),
            samples.ratio(Setting.PEER, FP32, Taken::seconds),
            figures),
        new Row(
            name(),
            "the same to bf16, times as fast as zero_to_fp32 to fp32",
            Target.atLeast(5),
            samples.ratio(Setting.PEER, BF16, Taken::seconds),
            List.of()),
        new Row(
            name(),
            "peak resident memory of it to fp32, of the base build's",
            Target.atMost(1),
            samples.ratio(FP32, BASE_FP32, Taken::peakMegabytes),
            List.of()));
  }
}
