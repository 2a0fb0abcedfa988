package dev.reweave.bench.table;

import dev.reweave.bench.ProcessRun;
import dev.reweave.bench.ProcessRun.Taken;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A conversion that tells on a terminal how far it has come, against one that tells nothing. */
final class ProgressRows implements Family {
  private static final String SHOWN = "shown";
  private static final String QUIET = "quiet";

  @Override
  public String name() {
    return "progress";
  }

  @Override
  public List<Row> measure(Setting setting) throws Exception {
    WorkFiles files = setting.files();
    Path checkpoint = files.checkpoint(WorkFiles.LARGE);
    Map<String, Samples.Side<Taken>> sides = new LinkedHashMap<>();
    sides.put(QUIET, () -> convert(setting, checkpoint, " --quiet"));
    sides.put(SHOWN, () -> convert(setting, checkpoint, ""));
    Samples<Taken> samples = Samples.inTurn(setting.pairs(), 1, sides);
    files.delete(files.folder().resolve("result"));
    files.delete(checkpoint);
    return List.of(
        new Row(
            name(),
            "a conversion that is watched on a terminal, wall time, of that of a quiet one",
            Target.atMost(1.01),
            samples.ratio(SHOWN, QUIET, Taken::seconds),
            List.of(
                samples.figure(SHOWN, "wall", "s", Taken::seconds),
                samples.figure(QUIET, "wall", "s", Taken::seconds),
                samples.figure(SHOWN, "core-seconds", "s", Taken::coreSeconds),
                samples.figure(QUIET, "core-seconds", "s", Taken::coreSeconds))));
  }

  /** Both have a terminal, which {@code script} makes. */
  private static Taken convert(Setting setting, Path checkpoint, String more) throws Exception {
    Path result = setting.files().fresh("result");
    Setting.settle();
    String command =
        setting.product().home().resolve("submit/reweave")
            + " convert -i "
            + checkpoint
            + " -o "
            + result
            + " --dtype bfloat16"
            + more;
    return ProcessRun.run(Product.HEAP, List.of("script", "-qefc", command, "/dev/null"));
  }
}
