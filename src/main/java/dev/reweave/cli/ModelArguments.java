package dev.reweave.cli;

import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.TargetType;
import dev.reweave.plan.prepare.BaseChoice;
import dev.reweave.plan.prepare.MappingChoice;
import dev.reweave.storage.Stores;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** Options that decide which model the result is: its names and what stands beside its weights. */
final class ModelArguments {
  @CommandLine.Spec(CommandLine.Spec.Target.MIXEE)
  private CommandLine.Model.CommandSpec spec;

  @Option(
      names = "--mapping",
      paramLabel = "auto|none|NAME|URI",
      defaultValue = "auto",
      description =
          "Rules for the tensors' names: recognised, none, shipped ones, or a file of them"
              + " (default: ${DEFAULT-VALUE}).")
  private String mapping;

  @Option(
      names = "--base",
      paramLabel = "URI",
      description = "The pre-trained pipeline or model that the result should look like.")
  private Optional<String> base = Optional.empty();

  @Option(
      names = "--base-mode",
      paramLabel = "copy|reference|none",
      description =
          "What comes along of the base: all, the component's configs, nothing (default: copy).")
  private Optional<BaseChoice.Mode> baseMode = Optional.empty();

  @Option(
      names = "--component",
      paramLabel = "NAME",
      description = "The folder of the base whose weights are replaced (default: by names).")
  private Optional<String> component = Optional.empty();

  @Option(
      names = "--variant",
      paramLabel = "NAME",
      description = "Variant of the base's weight files, such as fp16.")
  private Optional<String> variant = Optional.empty();

  @Option(
      names = "--pipeline",
      paramLabel = "CLASS",
      description = "Class for a model_index.json, where the base has none.")
  private Optional<String> pipeline = Optional.empty();

  MappingChoice mapping() {
    return MappingChoice.of(mapping);
  }

  Optional<BaseChoice> base(Stores stores) {
    boolean any =
        baseMode.isPresent()
            || component.isPresent()
            || variant.isPresent()
            || pipeline.isPresent();
    if (base.isEmpty() && any) {
      throw new CommandLine.ParameterException(
          spec.commandLine(),
          "--base-mode, --component, --variant and --pipeline say something of --base");
    }
    return base.map(
        b ->
            new BaseChoice(
                stores.locate(b),
                baseMode.orElse(BaseChoice.Mode.COPY),
                component,
                variant,
                pipeline));
  }

  /** The type of tensors where none is named. */
  TargetType defaultType() {
    return base.isPresent() ? new TargetType.LikeBase() : PlanOptions.DEFAULTS.dtype();
  }
}
