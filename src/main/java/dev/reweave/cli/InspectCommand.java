package dev.reweave.cli;

import dev.reweave.base.BaseFolder;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.CheckpointReader;
import dev.reweave.checkpoint.ThreadScanner;
import dev.reweave.checkpoint.quantized.Quantization;
import dev.reweave.job.prepare.MappingChoice;
import dev.reweave.job.prepare.Renaming;
import dev.reweave.job.spark.SparkSessions;
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
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
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
    Inspection inspection = inspection(stores);
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(inspection.toJson());
    } else {
      inspection.lines().forEach(out::println);
    }
    return CommandLine.ExitCode.OK;
  }

  private Inspection inspection(Stores stores) {
    String path = stores.resolve(address);
    if (mapping.isEmpty()
        && stores.isFolder(address)
        && stores.file(address + "/" + BaseFolder.MODEL_INDEX).isPresent()) {
      Stores guarded = stores.guarded(address, reading.safeguards());
      Map<String, InputFile> shards = new TreeMap<>(guarded.tree(address));
      shards.keySet().removeIf(name -> !name.endsWith(SAFETENSORS));
      return Inspection.of(path, headers(guarded, shards));
    }
    MappingChoice choice = mapping.map(MappingChoice::of).orElse(MappingChoice.NONE);
    Checkpoint checkpoint =
        new CheckpointReader(stores, new ThreadScanner(stores))
            .read(address, Renaming.reading(stores, reading.toOptions(), choice));
    List<String> quantized =
        Quantization.of(stores.guarded(address, reading.safeguards()), checkpoint).notes();
    if (mapping.isEmpty()) {
      return Inspection.of(path, checkpoint, List.of(), joined(checkpoint.notes(), quantized));
    }
    Renaming renaming = Renaming.of(stores, checkpoint, choice);
    return Inspection.of(path, checkpoint, renaming.rows(), joined(renaming.notes(), quantized));
  }

  private static List<String> joined(List<String> notes, List<String> others) {
    return Stream.concat(notes.stream(), others.stream()).toList();
  }

  private static Map<String, SafetensorsHeader> headers(
      Stores stores, Map<String, InputFile> shards) {
    Map<String, SafetensorsHeader> headers = new LinkedHashMap<>();
    shards.forEach(
        (path, shard) -> {
          try (RandomAccess access = stores.open(shard)) {
            headers.put(path, SafetensorsHeader.read(access));
          } catch (IOException e) {
            throw Stores.unreadable(shard.uri(), e);
          }
        });
    return headers;
  }
}
