package dev.reweave.storage;

import dev.reweave.common.Option;
import java.io.Serializable;

/**
 * How fast one task may read the weights, so that a store which others use, too, is not taken from
 * them. The metadata that the plan is made of, kilobytes of each file, is not held back.
 */
public final class ReadLimit implements Serializable {
  private static final long serialVersionUID = 1L;

  /** As fast as the store gives. */
  public static final ReadLimit NONE = new ReadLimit(TokenBucket.UNLIMITED);

  /** The limit of a command. */
  public static final Option<ReadLimit> MAX_BANDWIDTH =
      Option.unwritten("max-bandwidth", "SIZE", NONE, text -> new ReadLimit(ByteSize.parse(text)))
          .about(Option.Part.COMMAND)
          .under(Option.Theme.STORES)
          .help(
              "Most bytes that one task reads of the weights per second, such as 50MB, for a store"
                  + " that others use, too; all tasks that run at once read as much each. No limit"
                  + " by default.");

  private final long bytesPerSecond;
  private final TokenBucket.Clock clock;

  /**
   * A limit for each task.
   *
   * @param bytesPerSecond bytes that one task reads per second at most, on the average; above 0
   */
  public ReadLimit(long bytesPerSecond) {
    this(bytesPerSecond, TokenBucket.Clock.SYSTEM);
  }

  /** A limit by another clock. */
  public ReadLimit(long bytesPerSecond, TokenBucket.Clock clock) {
    if (bytesPerSecond <= 0) {
      throw new IllegalArgumentException("reads of " + bytesPerSecond + " bytes per second");
    }
    this.bytesPerSecond = bytesPerSecond;
    this.clock = clock;
  }

  /** What one task takes its bytes from. */
  public TokenBucket bucket() {
    return new TokenBucket(bytesPerSecond, clock);
  }
}
