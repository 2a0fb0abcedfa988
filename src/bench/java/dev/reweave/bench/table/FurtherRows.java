package dev.reweave.bench.table;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What each further GB takes on a local disk: what a large checkpoint takes more than a small one,
 * so that no start is in it; against a copy of the result.
 */
final class FurtherRows implements Family {
  private static final String FP32 = "now to fp32";
  private static final String BF16 = "now to bf16";
  private static final String COPY = "cp -r";

  @Override
  public String name() {
    return "further";
  }

  @Override
  public List<Row> measure(Setting setting) throws Exception {
    WorkFiles files = setting.files();
    Path small = files.checkpoint(WorkFiles.SMALL);
    Path large = files.checkpoint(WorkFiles.LARGE);
    Path result = files.folder().resolve("result");
    double more = (WorkFiles.bytes(large) - WorkFiles.bytes(small)) / 1e9;
    Map<String, Further.Work<Path>> works = new LinkedHashMap<>();
    setting
        .base()
        .ifPresent(
            base -> {
              works.put(
                  "base to bf16", c -> Setting.convert(base, c, files.fresh("result"), "bfloat16"));
              works.put(
                  "base to fp32", c -> Setting.convert(base, c, files.fresh("result"), "float32"));
            });
    Product now = setting.product();
    works.put(BF16, c -> Setting.convert(now, c, files.fresh("result"), "bfloat16"));
    works.put(FP32, c -> Setting.convert(now, c, files.fresh("result"), "float32"));
    works.put(
        COPY,
        checkpoint -> {
          Setting.convert(now, checkpoint, files.fresh("result"), "float32");
          return setting.copy(result);
        });
    Map<String, Samples.Side<Further>> sides = new LinkedHashMap<>();
    works.forEach((side, work) -> sides.put(side, () -> Further.between(small, large, more, work)));
    Samples<Further> samples = Samples.inTurn(setting.pairs(), 1, sides);
    files.delete(result);
    List<Figure> figures = Further.figures(samples, sides.keySet());
    return List.of(
        new Row(
            name(),
            "each further GB to fp32, of the rate of `cp`",
            Target.atLeast(0.80),
            samples.ratio(COPY, FP32, Further::secondsPerGigabyte),
            figures),
        new Row(
            name(),
            "core-seconds of it",
            Target.atMost(1.2).in("s"),
            new Figure("core-seconds", "s", samples.values(FP32, Further::coreSecondsPerGigabyte)),
            List.of()),
        new Row(
            name(),
            "each further GB of input to bf16, of the rate of `cp`",
            Target.atLeast(1.0),
            samples.ratio(COPY, BF16, Further::secondsPerGigabyte),
            List.of()));
  }
}
