package dev.reweave.plan;

import java.util.function.Function;
import java.util.function.UnaryOperator;

/** A file that is known as a whole before anything runs: an index, a config. */
public final class SmallFile {
  private final String path;
  private final byte[] content;
  private final Function<UnaryOperator<String>, byte[]> renaming;

  /**
   * A file with this content, which must not change.
   *
   * @param path in the output folder, with {@code /} between names
   */
  public SmallFile(String path, byte[] content) {
    this(path, naming -> content);
  }

  private SmallFile(String path, Function<UnaryOperator<String>, byte[]> renaming) {
    this.path = path;
    this.renaming = renaming;
    this.content = renaming.apply(UnaryOperator.identity());
  }

  /**
   * A file that names shards.
   *
   * @param content with the names that shards get, from those that they have
   */
  static SmallFile index(String path, Function<UnaryOperator<String>, byte[]> content) {
    return new SmallFile(path, content);
  }

  /** The same file with other names for the shards that it names, if it does. */
  SmallFile renamed(UnaryOperator<String> naming) {
    return new SmallFile(path, n -> renaming.apply(shard -> n.apply(naming.apply(shard))));
  }

  /** Where it stands in the output folder. */
  public String path() {
    return path;
  }

  /** Its bytes. */
  public byte[] content() {
    return content.clone();
  }
}
