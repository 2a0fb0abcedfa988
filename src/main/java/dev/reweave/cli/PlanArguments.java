package dev.reweave.cli;

import dev.reweave.plan.Format;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.Sharding;
import dev.reweave.plan.TargetType;
import dev.reweave.storage.ByteSize;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** Options that decide what the result looks like. */
final class PlanArguments {
  @CommandLine.Spec(CommandLine.Spec.Target.MIXEE)
  private CommandLine.Model.CommandSpec spec;

  @Option(
      names = "--dtype",
      paramLabel = "float32|bfloat16|float16|keep|like-base",
      description =
          "Type of floating-point tensors in the result (default: float32, or like-base with"
              + " --base).")
  private Optional<String> dtype = Optional.empty();

  @Option(
      names = "--max-shard-size",
      paramLabel = "SIZE",
      defaultValue = PlanOptions.MAX_SHARD_SIZE,
      description = "Most bytes of one shard, such as 500MB (default: ${DEFAULT-VALUE}).")
  private String maxShardSize;

  @Option(
      names = "--weights-name",
      paramLabel = "NAME",
      description =
          "First part of file names; by default the base's, an adapter's own, or model"
              + " (pytorch_model for bin).")
  private Optional<String> weightsName = Optional.empty();

  @Option(
      names = "--format",
      paramLabel = "safetensors|bin",
      defaultValue = "safetensors",
      description = "Kind of the weight files (default: ${DEFAULT-VALUE}).")
  private Format format;

  @Option(
      names = "--shards",
      paramLabel = "by-size|like-base",
      defaultValue = "by-size",
      converter = ShardingName.class,
      description = "How tensors are spread over files (default: ${DEFAULT-VALUE}).")
  private Sharding shards;

  @Option(
      names = "--only",
      paramLabel = "REGEX",
      description = "Convert only tensors whose names in the result contain a match.")
  private Optional<String> only = Optional.empty();

  @Option(
      names = "--chunk-size",
      paramLabel = "SIZE",
      defaultValue = PlanOptions.CHUNK_SIZE,
      description = "Most bytes of one task's work (default: ${DEFAULT-VALUE}).")
  private String chunkSize;

  /**
   * What the arguments say.
   *
   * @param type of tensors where they do not
   */
  PlanOptions toOptions(TargetType type) {
    try {
      return new PlanOptions(
          dtype.map(TargetType::parse).orElse(type),
          ByteSize.parse(maxShardSize),
          weightsName,
          ByteSize.parse(chunkSize),
          format,
          shards,
          only);
    } catch (IllegalArgumentException e) {
      throw new CommandLine.ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }

  static final class ShardingName implements CommandLine.ITypeConverter<Sharding> {
    @Override
    public Sharding convert(String text) {
      return switch (text) {
        case "by-size" -> Sharding.BY_SIZE;
        case "like-base" -> Sharding.LIKE_BASE;
        default ->
            throw new CommandLine.TypeConversionException(
                "'" + text + "' is not one of by-size, like-base");
      };
    }
  }
}
