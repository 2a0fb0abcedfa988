package dev.reweave.cli;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.CheckpointReader;
import dev.reweave.checkpoint.ThreadScanner;
import dev.reweave.job.MappingChoice;
import dev.reweave.job.Renaming;
import dev.reweave.job.SparkSessions;
import dev.reweave.report.Inspection;
import dev.reweave.safetensors.SafetensorsHeader;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.Stores;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code reweave inspect}: needs no Spark, since it reads metadata alone. */
@Command(
    name = "inspect",
    description = "Tells what a checkpoint or a safetensors folder holds, without its weights.",
    mixinStandardHelpOptions = true)
final class InspectCommand implements Callable<Integer> {
  private static final String SAFETENSORS = ".safetensors";

  @Parameters(paramLabel = "URI", description = "A checkpoint, or a folder of safetensors files.")
  private String address;

  @Option(names = "--json", description = "Print one JSON document.")
  private boolean json;

  @Option(
      names = "--mapping",
      paramLabel = "auto|none|NAME|URI",
      description = "Show what these rules make of the checkpoint's names.")
  private Optional<String> mapping = Optional.empty();

  @Mixin private ReadArguments reading;
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Override
  public Integer call() {
    Stores stores = new Stores(SparkSessions.hadoopConfiguration());
    List<InputFile> shards =
        stores.isFolder(address)
            ? stores.list(address).files()
            : stores.file(address).map(List::of).orElse(List.of());
    shards = shards.stream().filter(f -> f.name().endsWith(SAFETENSORS)).toList();
    String path = stores.resolve(address);
    Inspection inspection =
        shards.isEmpty() ? checkpoint(stores, path) : Inspection.of(path, headers(stores, shards));
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(inspection.toJson());
    } else {
      inspection.lines().forEach(out::println);
    }
    return CommandLine.ExitCode.OK;
  }

  private Inspection checkpoint(Stores stores, String path) {
    Checkpoint checkpoint =
        new CheckpointReader(stores, new ThreadScanner(stores)).read(address, reading.toOptions());
    if (mapping.isEmpty()) {
      return Inspection.of(path, checkpoint);
    }
    Renaming renaming = Renaming.of(stores, checkpoint, MappingChoice.of(mapping.get()));
    return Inspection.of(path, checkpoint, renaming.rows(), renaming.notes());
  }

  private static Map<String, SafetensorsHeader> headers(Stores stores, List<InputFile> shards) {
    Map<String, SafetensorsHeader> headers = new LinkedHashMap<>();
    for (InputFile shard : shards) {
      try (RandomAccess access = stores.open(shard)) {
        headers.put(shard.name(), SafetensorsHeader.read(access));
      } catch (IOException e) {
        throw Stores.unreadable(shard.uri(), e);
      }
    }
    return headers;
  }
}
