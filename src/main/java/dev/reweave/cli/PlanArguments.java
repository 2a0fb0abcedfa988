package dev.reweave.cli;

import dev.reweave.plan.ByteSize;
import dev.reweave.plan.PlanOptions;
import dev.reweave.tensor.DType;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** Options that decide what the result looks like. */
final class PlanArguments {
  @CommandLine.Spec(CommandLine.Spec.Target.MIXEE)
  private CommandLine.Model.CommandSpec spec;

  @Option(
      names = "--dtype",
      paramLabel = "float32|bfloat16|float16|keep",
      defaultValue = "float32",
      description = "Type of floating-point tensors in the result (default: ${DEFAULT-VALUE}).")
  private String dtype;

  @Option(
      names = "--max-shard-size",
      paramLabel = "SIZE",
      defaultValue = "5GB",
      description = "Most bytes of one shard, such as 500MB (default: ${DEFAULT-VALUE}).")
  private String maxShardSize;

  @Option(
      names = "--weights-name",
      paramLabel = "NAME",
      defaultValue = "model",
      description =
          "First part of file names, such as diffusion_pytorch_model (default:"
              + " ${DEFAULT-VALUE}).")
  private String weightsName;

  @Option(
      names = "--chunk-size",
      paramLabel = "SIZE",
      defaultValue = "64MB",
      description = "Most bytes of one task's work (default: ${DEFAULT-VALUE}).")
  private String chunkSize;

  PlanOptions toOptions() {
    try {
      return new PlanOptions(
          toDType(), ByteSize.parse(maxShardSize), weightsName, ByteSize.parse(chunkSize));
    } catch (IllegalArgumentException e) {
      throw new CommandLine.ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }

  private Optional<DType> toDType() {
    if (dtype.equals("keep")) {
      return Optional.empty();
    }
    Optional<DType> type =
        DType.ofTorchName(dtype).filter(t -> t == DType.F32 || t == DType.BF16 || t == DType.F16);
    if (type.isEmpty()) {
      throw new IllegalArgumentException(
          "--dtype " + dtype + " is not one of float32, bfloat16, float16, keep");
    }
    return type;
  }
}
