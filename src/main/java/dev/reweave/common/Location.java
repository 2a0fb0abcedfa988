package dev.reweave.common;

import java.io.Serializable;
import java.util.regex.Pattern;

/**
 * The full address of a file or a folder in a store, with its scheme, absolute, and without a login
 * in it: made of what a user wrote by the store, once, and the same wherever it goes from there.
 *
 * @param uri as people write it, such as {@code s3a://bucket/model}; not percent-encoded
 */
public record Location(String uri) implements Comparable<Location>, Serializable {
  private static final Pattern ROOT = Pattern.compile("[^:/]+:(//[^/]*)?/?");

  /** What is below this. */
  public Location child(String path) {
    return new Location(folder() + path);
  }

  /** What is beside this under another name. */
  public Location sibling(String name) {
    return new Location(uri.substring(0, uri.lastIndexOf('/') + 1) + name);
  }

  /** The part behind the last slash; of a store without one, what it is called. */
  public String name() {
    return uri.substring(uri.lastIndexOf('/') + 1);
  }

  /** The folder that this is in; of the root of a store that itself. */
  public Location parent() {
    if (ROOT.matcher(uri).matches()) {
      return this;
    }
    String parent = uri.substring(0, uri.lastIndexOf('/'));
    return new Location(ROOT.matcher(parent).matches() ? parent + "/" : parent);
  }

  /** Whether that is this or lies below it. */
  public boolean holds(Location that) {
    return equals(that) || that.uri.startsWith(folder());
  }

  /** The path of what lies below this, with {@code /} between names. */
  public String pathTo(Location below) {
    if (!below.uri.startsWith(folder())) {
      throw new IllegalArgumentException(below + " is not in " + this);
    }
    return below.uri.substring(folder().length());
  }

  private String folder() {
    return uri.endsWith("/") ? uri : uri + "/";
  }

  @Override
  public int compareTo(Location other) {
    return uri.compareTo(other.uri);
  }

  /** The address itself. */
  @Override
  public String toString() {
    return uri;
  }
}
