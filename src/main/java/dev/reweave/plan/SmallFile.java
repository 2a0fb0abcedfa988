package dev.reweave.plan;

/** A file that is known as a whole before anything runs: an index, a config. */
public final class SmallFile {
  private final String path;
  private final byte[] content;

  /**
   * A file with this content, which must not change.
   *
   * @param path in the output folder, with {@code /} between names
   */
  public SmallFile(String path, byte[] content) {
    this.path = path;
    this.content = content;
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
