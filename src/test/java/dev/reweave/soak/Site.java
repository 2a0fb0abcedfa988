package dev.reweave.soak;

import java.io.IOException;
import java.util.List;
import java.util.Map;

/** A folder in a store, as somebody sees it who looks at all that is there. */
interface Site extends AutoCloseable {
  /** Its address, for a command. */
  String address();

  /** What {@code submit/reweave} needs to reach it, as {@code --conf} words. */
  List<String> settings();

  /**
   * What lies in it at any depth, hidden files too, by path. A folder that nothing is in has a path
   * that ends with a slash.
   */
  Map<String, byte[]> files() throws IOException;

  /** Puts files into it. */
  void put(Map<String, byte[]> files) throws IOException;

  /** The multipart uploads below it that were begun and neither completed nor aborted. */
  List<String> openUploads() throws IOException;

  /** Removes it, with all that is in it. */
  void remove() throws IOException;

  @Override
  void close() throws IOException;
}
