package dev.reweave.cli;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.Option;
import dev.reweave.common.Options;
import dev.reweave.look.report.Inspection;
import dev.reweave.look.report.Inspector;
import dev.reweave.look.report.TensorTree;
import dev.reweave.look.report.TensorTree.Repeated;
import dev.reweave.plan.prepare.MappingChoice;
import dev.reweave.spark.SparkSessions;
import dev.reweave.storage.Stores;
import java.io.PrintWriter;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code reweave inspect}: needs no Spark, since it reads metadata alone. */
@Command(
    name = "inspect",
    description = "Tells what a checkpoint or a safetensors folder holds, without its weights.",
    footerHeading = "%nExample:%n",
    footer = "  reweave inspect checkpoints/run-17 --tree",
    mixinStandardHelpOptions = true)
final class InspectCommand implements Callable<Integer> {
  private static final Option<Optional<MappingChoice>> MAPPING =
      Option.unwritten(
              "mapping",
              "auto|none|NAME|URI",
              Optional.<MappingChoice>empty(),
              text -> Optional.of(MappingChoice.of(text)))
          .under(Option.Theme.BASE)
          .help("Show what these rules make of the checkpoint's names.");

  private static final Option<Boolean> TREE =
      Option.flag("tree", false, true)
          .under(Option.Theme.PRINTED)
          .help(
              "Show the tensors by module, with sums, and repeated layers that are alike in one"
                  + " line.");

  private static final Option<Repeated> ALL =
      Option.flag("all", Repeated.FOLDED, Repeated.SHOWN)
          .under(Option.Theme.PRINTED)
          .help("With --tree: each of the repeated layers by itself.");

  private static final List<Option<?>> OPTIONS =
      Stream.concat(
              Stream.of(ConvertOptions.JSON.help("Print one JSON document."), TREE, ALL, MAPPING),
              ReadOptions.OPTIONS.stream())
          .toList();

  @Parameters(paramLabel = "URI", description = "A checkpoint, or a folder of safetensors files.")
  private String address;

  @Mixin final CommandLine.Model.CommandSpec declared = DeclaredOptions.of(OPTIONS);
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Override
  public Integer call() {
    Options given = DeclaredOptions.given(spec, OPTIONS);
    if (given.of(TREE) && given.has(MAPPING)) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "--tree shows the names that are there: leave out --mapping");
    }
    if (given.of(ALL) == Repeated.SHOWN && !given.of(TREE)) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "--all says something of --tree");
    }
    Stores stores = new Stores(SparkSessions.hadoopConfiguration());
    Inspection inspection =
        new Inspector(stores, Main.progress(spec))
            .inspect(stores.locate(address), new ReadOptions(given), given.of(MAPPING));
    PrintWriter out = spec.commandLine().getOut();
    if (given.of(ConvertOptions.JSON)) {
      out.println(inspection.toJson());
    } else if (given.of(TREE)) {
      inspection.facts().forEach(out::println);
      out.println();
      TreeText text = new TreeText(spec.commandLine().getColorScheme().ansi());
      TensorTree.of(inspection, given.of(ALL)).lines().stream().map(text::of).forEach(out::println);
    } else {
      inspection.lines().forEach(out::println);
    }
    return CommandLine.ExitCode.OK;
  }
}
