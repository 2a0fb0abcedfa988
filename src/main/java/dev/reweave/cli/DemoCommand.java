package dev.reweave.cli;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.Location;
import dev.reweave.common.Option;
import dev.reweave.common.Options;
import dev.reweave.convert.Conversion;
import dev.reweave.convert.ConversionOptions;
import dev.reweave.convert.ConversionRequest;
import dev.reweave.convert.ConversionRequest.Earlier;
import dev.reweave.convert.ConversionRequest.ExistingOutput;
import dev.reweave.look.report.NextStep;
import dev.reweave.look.report.Summary;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.PlanOptions;
import dev.reweave.spark.Cluster;
import dev.reweave.spark.LocalFiles;
import dev.reweave.spark.SparkSessions;
import dev.reweave.storage.MetadataLimit;
import dev.reweave.storage.ReadLimit;
import dev.reweave.storage.Stores;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code reweave demo}: the main job on a checkpoint that travels in the jar. */
@Command(
    name = "demo",
    description = "Converts a small bundled checkpoint of a real training run, and verifies it.",
    footerHeading = "%nExample:%n",
    footer = "  reweave demo --output demo",
    mixinStandardHelpOptions = true)
final class DemoCommand implements Callable<Integer> {
  private static final Option<Optional<Path>> OUTPUT =
      Option.unwritten("output", "DIR", Optional.<Path>empty(), text -> Optional.of(Path.of(text)))
          .letter("o")
          .under(Option.Theme.RESULT)
          .help("The folder for the checkpoint and the result; by default a temporary one.");

  private static final List<Option<?>> OPTIONS = List.of(OUTPUT, LocalFiles.SHARED_FILESYSTEM);

  private static final String RESOURCES = "/dev/reweave/demo/";

  /** ZeRO-3 over two ranks: a tiny Llama with tied embeddings, trained in bf16. */
  private static final List<String> FILES =
      List.of(
          "latest",
          "global_step3/bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt",
          "global_step3/bf16_zero_pp_rank_1_mp_rank_00_optim_states.pt",
          "global_step3/zero_pp_rank_0_mp_rank_00_model_states.pt",
          "global_step3/zero_pp_rank_1_mp_rank_00_model_states.pt");

  /** Small, so that the demo's tiny model gives more than one shard. */
  private static final long MAX_SHARD_BYTES = 8_000;

  @Mixin final CommandLine.Model.CommandSpec declared = DeclaredOptions.of(OPTIONS);
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Override
  public Integer call() {
    Options given = DeclaredOptions.given(spec, OPTIONS);
    Optional<Path> output = given.of(OUTPUT);
    PrintWriter out = spec.commandLine().getOut();
    Stores stores = new Stores(SparkSessions.hadoopConfiguration());
    String place = output.map(Path::toString).orElse(System.getProperty("java.io.tmpdir"));
    SparkSessions.requireReachable(
        given.of(LocalFiles.SHARED_FILESYSTEM), List.of(stores.locate(place)));
    Path folder = unpack(output);
    Path result = folder.resolve("model");
    Location model = stores.locate(result.toString());
    PlanOptions defaults = PlanOptions.DEFAULTS;
    Manifest manifest =
        convert(
            new ConversionRequest(
                stores.locate(folder.resolve("checkpoint").toString()),
                model,
                new ConversionOptions(
                    ReadOptions.defaults(),
                    defaults.with(PlanOptions.MAX_SHARD_SIZE, MAX_SHARD_BYTES),
                    ExistingOutput.REPLACE,
                    Earlier.IGNORE)),
            out);
    int exit = VerifyCommand.verify(model, MetadataLimit.DEFAULT, spec);
    print(result, out);
    NextStep.of(stores, manifest, model).forEach(out::println);
    return exit;
  }

  private Manifest convert(ConversionRequest request, PrintWriter out) {
    try (SparkSessions.Session session =
        SparkSessions.start("reweave demo " + request.output(), Main.progress(spec))) {
      Cluster machines = session.cluster();
      Stores stores = machines.stores();
      Conversion.Outcome outcome =
          new Conversion(machines, stores, ReadLimit.NONE, Main.plans(spec)).run(request);
      Summary.result(outcome.manifest(), request.output().uri()).forEach(out::println);
      return outcome.manifest();
    }
  }

  private static Path unpack(Optional<Path> output) {
    try {
      Path folder =
          output.isPresent()
              ? Files.createDirectories(output.get()).toAbsolutePath()
              : Files.createTempDirectory("reweave-demo-");
      for (String file : FILES) {
        Path target = folder.resolve("checkpoint").resolve(file);
        Files.createDirectories(target.getParent());
        try (InputStream in = DemoCommand.class.getResourceAsStream(RESOURCES + file)) {
          Files.write(target, in.readAllBytes());
        }
      }
      return folder;
    } catch (IOException e) {
      throw CommandFailures.demoNotWritten(
          output.map(Path::toString).orElse("the temporary folder"), e);
    }
  }

  private static void print(Path result, PrintWriter out) {
    try (Stream<Path> files = Files.list(result)) {
      out.println("made " + result + ":");
      for (Path file : files.sorted().toList()) {
        out.printf("  %-40s %8d bytes%n", file.getFileName(), Files.size(file));
      }
    } catch (IOException e) {
      throw CommandFailures.demoNotListed(result, e);
    }
  }
}
