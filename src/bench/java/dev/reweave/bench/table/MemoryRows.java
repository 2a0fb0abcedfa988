package dev.reweave.bench.table;

import dev.reweave.bench.ProcessRun.Taken;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The peak memory of a conversion of 100 GB of files, that hold zeros and take no room on the disk,
 * against one of 2 GB, and against another build. One run each: it takes minutes, and memory is the
 * same in each.
 */
final class MemoryRows implements Family {
  private static final long LARGE = 33_000_000_000L;

  @Override
  public String name() {
    return "memory";
  }

  @Override
  public List<Row> measure(Setting setting) throws Exception {
    WorkFiles files = setting.files();
    Path small = files.checkpoint(WorkFiles.SMALL);
    Path large = files.sparseCheckpointWithMoments(LARGE);
    Map<String, Samples.Side<Further>> sides = new LinkedHashMap<>();
    setting
        .base()
        .ifPresent(base -> sides.put(Setting.BASE, () -> both(base, small, large, files)));
    sides.put(Setting.NOW, () -> both(setting.product(), small, large, files));
    Samples<Further> samples = Samples.inTurn(1, 0, sides);
    files.delete(large);
    Figure ofSmall = samples.figure(Setting.NOW, "2 GB", "MB", f -> f.small().peakMegabytes());
    Figure ofLarge = samples.figure(Setting.NOW, "100 GB", "MB", f -> f.large().peakMegabytes());
    return List.of(
        new Row(
            name(),
            "peak resident memory with 100 GB of files, of that with 2 GB",
            Target.atMost(1.05),
            new Figure(
                "ratio", "", Samples.pairs(ofLarge.values(), ofSmall.values(), (a, b) -> a / b)),
            List.of(
                ofSmall,
                ofLarge,
                samples.figure(Setting.BASE, "2 GB", "MB", f -> f.small().peakMegabytes()),
                samples.figure(Setting.BASE, "100 GB", "MB", f -> f.large().peakMegabytes()),
                samples.figure(Setting.NOW, "100 GB", "s", f -> f.large().seconds()),
                samples.figure(Setting.BASE, "100 GB", "s", f -> f.large().seconds()))),
        new Row(
            name(),
            "peak resident memory with 100 GB of files, of the base build's",
            Target.atMost(1),
            samples.ratio(Setting.NOW, Setting.BASE, f -> f.large().peakMegabytes()),
            List.of()));
  }

  /** To bfloat16, which takes half of the room on the disk. */
  private static Further both(Product product, Path small, Path large, WorkFiles files)
      throws Exception {
    Further.Work<Path> work =
        checkpoint -> {
          Taken taken = Setting.convert(product, checkpoint, files.fresh("result"), "bfloat16");
          files.delete(files.folder().resolve("result"));
          return taken;
        };
    return Further.between(small, large, 0, work);
  }
}
