package dev.reweave.bench.table;

import dev.reweave.bench.ProcessRun.Taken;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A checkpoint of Megatron-Core of 2.08 GB to the names of the Hub, whose mapping cuts and unstacks
 * tensors, against one of ZeRO-3 of the same size to its own names.
 */
final class TrainerRows implements Family {
  private static final String MEGATRON = "Megatron-Core to the Hub's names";
  private static final String ZERO = "ZeRO-3 to its own names";

  @Override
  public String name() {
    return "trainer";
  }

  @Override
  public List<Row> measure(Setting setting) throws Exception {
    WorkFiles files = setting.files();
    Path zero = files.checkpoint(WorkFiles.SMALL);
    Path megatron = files.megatron(WorkFiles.SMALL);
    Product now = setting.product();
    Map<String, Samples.Side<Taken>> sides = new LinkedHashMap<>();
    sides.put(ZERO, () -> Setting.convert(now, zero, files.fresh("result"), "float32"));
    sides.put(MEGATRON, () -> Setting.convert(now, megatron, files.fresh("result"), "float32"));
    Samples<Taken> samples = Samples.inTurn(setting.pairs(), 1, sides);
    files.delete(files.folder().resolve("result"));
    files.delete(megatron);
    return List.of(
        new Row(
            name(),
            "2.08 GB of Megatron-Core to the Hub's names, wall time, of that of ZeRO-3 to its own",
            Target.atMost(1.15),
            samples.ratio(MEGATRON, ZERO, Taken::seconds),
            List.of(
                samples.figure(ZERO, "wall", "s", Taken::seconds),
                samples.figure(MEGATRON, "wall", "s", Taken::seconds))));
  }
}
