package dev.reweave.plan;

import dev.reweave.target.base.WeightNames;

/**
 * Where the files of one model's weights stand, and what they are called.
 *
 * @param folder in the output, with its {@code /}; empty for the output itself
 * @param weights how the files are called
 * @param format kind of the files
 */
public record FileNames(String folder, WeightNames weights, Format format) {
  /** Name of the manifest in the output folder. */
  public static final String MANIFEST = "reweave.json";

  /** What a distributed checkpoint tells where all lies in. */
  private static final String DISTRIBUTED_METADATA = ".metadata";

  /** Name of the report beside it. */
  public static final String REPORT = "reweave-report.html";

  /** Checks that the names can be names. */
  public FileNames {
    requireName(weights.stem());
    if (!folder.isEmpty() && !folder.endsWith("/")) {
      throw new IllegalArgumentException("folder " + folder + " without a slash at its end");
    }
  }

  /**
   * Whether loaders find other files of a result by one: an index, a config, what names a step, or
   * what they open first in it.
   *
   * @param path in the output folder
   */
  public static boolean leadsToOthers(String path) {
    return path.endsWith(".json")
        || path.substring(path.lastIndexOf('/') + 1).equals(DISTRIBUTED_METADATA)
        || path.equals(UniversalFiles.LATEST)
        || path.endsWith(UniversalFiles.OPENED_FIRST);
  }

  static String requireName(String name) {
    if (!name.matches("[A-Za-z0-9_][A-Za-z0-9_.-]*")) {
      throw new IllegalArgumentException("'" + name + "' cannot begin a file name");
    }
    return name;
  }

  /**
   * File name of a shard, without its folder.
   *
   * @param number from 1
   * @param count of all shards
   */
  String shard(int number, int count) {
    if (format == Format.DCP) {
      return "__" + (number - 1) + "_0.distcp";
    }
    return count == 1 ? weights.single() : weights.shard(number, count);
  }

  /** File name of the index, without its folder. */
  String index() {
    return format == Format.DCP ? DISTRIBUTED_METADATA : weights.index();
  }

  /** Path in the output of a file of this name. */
  String path(String fileName) {
    return folder + fileName;
  }
}
