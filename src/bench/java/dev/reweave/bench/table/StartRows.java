package dev.reweave.bench.table;

import dev.reweave.bench.ProcessRun.Taken;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What short commands take, against another build. */
final class StartRows implements Family {
  /** Until both have kept the classes of a run. */
  private static final int WARMING = 3;

  @Override
  public String name() {
    return "start";
  }

  @Override
  public List<Row> measure(Setting setting) throws Exception {
    Path checkpoint =
        setting.product().home().resolve("src/test/resources/fixtures/z3_bf16_w2/ckpt");
    Map<String, Command> commands = new LinkedHashMap<>();
    commands.put("`--help`", product -> product.run("--help"));
    commands.put("`inspect` of a few KB", product -> product.run("inspect", checkpoint.toString()));
    commands.put(
        "`convert` of a few KB",
        product ->
            product.run(
                "convert",
                "-i",
                checkpoint.toString(),
                "-o",
                setting.files().fresh("start").toString()));
    List<Row> rows = new ArrayList<>();
    for (Map.Entry<String, Command> command : commands.entrySet()) {
      Map<String, Samples.Side<Taken>> sides = new LinkedHashMap<>();
      setting.base().ifPresent(base -> sides.put(Setting.BASE, () -> command.getValue().run(base)));
      sides.put(Setting.NOW, () -> command.getValue().run(setting.product()));
      Samples<Taken> samples = Samples.inTurn(setting.pairs(), WARMING, sides);
      rows.add(
          new Row(
              name(),
              command.getKey() + ", wall time, of the base build's",
              Target.atMost(0.40),
              samples.ratio(Setting.NOW, Setting.BASE, Taken::seconds),
              List.of(
                  samples.figure(Setting.NOW, "wall", "s", Taken::seconds),
                  samples.figure(Setting.BASE, "wall", "s", Taken::seconds),
                  samples.figure(Setting.NOW, "core-seconds", "s", Taken::coreSeconds),
                  samples.figure(Setting.BASE, "core-seconds", "s", Taken::coreSeconds))));
    }
    setting.files().delete(setting.files().fresh("start"));
    return rows;
  }

  @FunctionalInterface
  private interface Command {
    Taken run(Product product) throws IOException, InterruptedException;
  }
}
