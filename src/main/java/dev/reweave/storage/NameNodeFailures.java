package dev.reweave.storage;

import dev.reweave.common.ReweaveException;
import java.io.IOException;

/** What a name node of HDFS refuses, in words of the user. */
final class NameNodeFailures {
  private NameNodeFailures() {}

  /** A folder around it may hold no more bytes, copies of blocks included. */
  static ReweaveException noSpace(String text, String address, IOException cause) {
    return new ReweaveException(
        ReweaveException.Kind.SHORTAGE,
        "a space quota of HDFS is used up (" + text + ")",
        address,
        "raise it (hdfs dfsadmin -setSpaceQuota), remove what is not needed under it, or name"
            + " another output; a block counts as whole, in all its copies, while it is written:"
            + " smaller ones, with --conf spark.hadoop.dfs.blocksize=16m, need less",
        cause);
  }

  /** A folder around it may hold no more files and folders. */
  static ReweaveException noNames(String text, String address, IOException cause) {
    return new ReweaveException(
        ReweaveException.Kind.SHORTAGE,
        "a name quota of HDFS is used up (" + text + ")",
        address,
        "raise it (hdfs dfsadmin -setQuota), remove files under it, or name another output; while a"
            + " conversion runs there is a file for each chunk, which larger ones, with --chunk-size,"
            + " make fewer",
        cause);
  }

  /** It has just been started, or somebody wants nothing changed. */
  static ReweaveException safeMode(String text, String address, IOException cause) {
    return new ReweaveException(
        ReweaveException.Kind.STORE_FAILED,
        "the name node is in safe mode, in which it changes nothing (" + text + ")",
        address,
        "wait until it has left it (hdfs dfsadmin -safemode wait), then run the same command again",
        cause);
  }

  /** The address names one of several name nodes. */
  static ReweaveException standby(String address, IOException cause) {
    return new ReweaveException(
        ReweaveException.Kind.STORE_FAILED,
        "this name node is on standby, and another one is active",
        address,
        "name the service that stands for all of them, as dfs.nameservices of hdfs-site.xml has it,"
            + " with HADOOP_CONF_DIR set to where that file is",
        cause);
  }

  /** The address of the output leads into one. */
  static ReweaveException inSnapshot(String address, IOException cause) {
    return new ReweaveException(
        ReweaveException.Kind.USAGE,
        "a snapshot of HDFS can be read, and not written",
        address,
        "name an output that has no folder .snapshot in its path",
        cause);
  }
}
