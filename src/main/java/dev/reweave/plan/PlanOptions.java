package dev.reweave.plan;

import dev.reweave.common.BoundedMatch;
import dev.reweave.common.Option;
import dev.reweave.common.Options;
import dev.reweave.storage.ByteSize;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * How the result should look.
 *
 * @param options those of {@link #OPTIONS} that were given
 */
public record PlanOptions(Options options) {
  /** Fewest bytes of a chunk: below that, the tasks would cost more than their work. */
  public static final long LEAST_CHUNK_BYTES = 64_000;

  /** Type of the floating-point tensors; by default as {@code zero_to_fp32.py} makes them. */
  public static final Option<TargetType> DTYPE =
      Option.of("dtype", "float32|bfloat16|float16|keep|like-base", "float32", TargetType::parse)
          .recordedAs("dtype")
          .under(Option.Theme.RESULT)
          .help(
              "Type of floating-point tensors in the result (default: float32, or like-base with"
                  + " --base).")
          .more("; integers are never cast");

  /** Kind of the weight files. */
  public static final Option<Format> FORMAT =
      Option.choice("format", Format.SAFETENSORS)
          .recordedAs("format")
          .under(Option.Theme.RESULT)
          .help("Kind of the weight files (default: ${DEFAULT-VALUE}).")
          .more(
              "; `bin` is `pytorch_model.bin`, as `torch.save` writes it, `dcp` a [distributed"
                  + " checkpoint](formats.md#a-distributed-checkpoint-as-result), and `universal`"
                  + " what DeepSpeed goes on from: see [going on](onward.md)");

  /** How tensors are spread over files. */
  public static final Option<Sharding> SHARDS =
      Option.choice("shards", Sharding.BY_SIZE)
          .recordedAs("shards")
          .under(Option.Theme.RESULT)
          .help("How tensors are spread over files (default: ${DEFAULT-VALUE}).")
          .more(", in turn or as the base has them");

  /** Most bytes of tensors in one shard, but for a tensor that is bigger. */
  public static final Option<Long> MAX_SHARD_SIZE =
      Option.of("max-shard-size", "SIZE", "5GB", ByteSize::parse)
          .recordedAs("maxShardBytes")
          .checked(PlanOptions::shardBytes)
          .under(Option.Theme.RESULT)
          .help("Most bytes of one shard, such as 500MB (default: ${DEFAULT-VALUE}).")
          .more("; decimal units, as the Hub's tools");

  /**
   * First part of file names, such as {@code model}; empty for the base's, the mapping's, an
   * adapter's or the format's own.
   */
  public static final Option<Optional<String>> WEIGHTS_NAME =
      Option.text("weights-name", "NAME")
          .recordedAs("weightsName")
          .checked(name -> name.map(FileNames::requireName))
          .under(Option.Theme.RESULT)
          .help(
              "First part of file names; by default the base's, an adapter's own, or model"
                  + " (pytorch_model for bin).")
          .more(": see [names of files](formats.md#names-of-files)");

  /** Regular expression of a part of the names of tensors that are wanted; empty for all. */
  public static final Option<Optional<String>> ONLY =
      Option.text("only", "REGEX")
          .recordedAs("only")
          .checked(regex -> regex.map(r -> pattern(r).pattern()))
          .under(Option.Theme.RESULT)
          .help("Convert only tensors whose names in the result contain a match.");

  /** Most bytes of the work of one task; empty for what is best for the output's store. */
  public static final Option<Optional<Long>> CHUNK_SIZE =
      Option.unwritten(
              "chunk-size",
              "SIZE",
              Optional.<Long>empty(),
              text -> Optional.of(ByteSize.parse(text)))
          .recordedAs("chunkBytes")
          .checked(size -> size.map(PlanOptions::chunkBytes))
          .under(Option.Theme.STORES)
          .help("Most bytes of one task's work (default: 64MB, and 256MB to S3).")
          .more("; less where that gives all cores equal shares");

  /** All of them. */
  public static final List<Option<?>> OPTIONS =
      List.of(DTYPE, FORMAT, SHARDS, MAX_SHARD_SIZE, WEIGHTS_NAME, ONLY, CHUNK_SIZE);

  /** All as by default. */
  public static final PlanOptions DEFAULTS = new PlanOptions(Options.NONE);

  public PlanOptions {
    options = options.only(OPTIONS);
  }

  /**
   * The same with another value of an option.
   *
   * @throws IllegalArgumentException if that cannot be done
   */
  public <T> PlanOptions with(Option<T> option, T value) {
    return new PlanOptions(options.with(option, value));
  }

  /**
   * Checks that nothing is asked of a distributed checkpoint that it has no place for.
   *
   * @throws dev.reweave.common.ReweaveException if there is
   */
  void requireForDistributed() {
    if (weightsName().isPresent()) {
      throw PlanFailures.fixedNames(WEIGHTS_NAME.name());
    }
    if (sharding() == Sharding.LIKE_BASE) {
      throw PlanFailures.noShardsOfBase(SHARDS.name());
    }
  }

  /** These options with shards and chunks of other sizes. */
  public PlanOptions withSizes(long maxShardBytes, long chunkBytes) {
    return with(MAX_SHARD_SIZE, maxShardBytes).with(CHUNK_SIZE, Optional.of(chunkBytes));
  }

  /** These options with another type of floating-point tensors. */
  public PlanOptions withType(TargetType type) {
    return with(DTYPE, type);
  }

  public TargetType dtype() {
    return options.of(DTYPE);
  }

  public Format format() {
    return options.of(FORMAT);
  }

  public Sharding sharding() {
    return options.of(SHARDS);
  }

  public long maxShardBytes() {
    return options.of(MAX_SHARD_SIZE);
  }

  public Optional<String> weightsName() {
    return options.of(WEIGHTS_NAME);
  }

  public Optional<String> only() {
    return options.of(ONLY);
  }

  /** Most bytes of a chunk, if they were given. */
  public Optional<Long> chunkBytes() {
    return options.of(CHUNK_SIZE);
  }

  /**
   * Whether a tensor of this name in the result is wanted.
   *
   * @throws dev.reweave.common.ReweaveException if the expression takes too long to tell
   */
  public boolean wants(String name) {
    return only().map(r -> BoundedMatch.within(pattern(r), name, ONLY.name())).orElse(true);
  }

  private static long shardBytes(long bytes) {
    if (bytes <= 0) {
      throw new IllegalArgumentException("shards of at most " + bytes + " bytes");
    }
    return bytes;
  }

  /** No element crosses the end of a chunk. */
  private static long chunkBytes(long bytes) {
    if (bytes < LEAST_CHUNK_BYTES) {
      throw new IllegalArgumentException(
          "chunks of " + bytes + " bytes: at least " + LEAST_CHUNK_BYTES + " are needed");
    }
    return bytes - bytes % Chunk.ALIGNMENT;
  }

  private static Pattern pattern(String regex) {
    try {
      return Pattern.compile(regex);
    } catch (PatternSyntaxException e) {
      throw new IllegalArgumentException(
          "--only "
              + BoundedMatch.shown(regex)
              + " is no regular expression: "
              + e.getDescription(),
          e);
    }
  }
}
