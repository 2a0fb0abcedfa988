package dev.reweave.plan;

import dev.reweave.storage.InputFile;
import dev.reweave.tensor.NamedTensor;
import java.util.List;
import java.util.Map;

/**
 * What a result is made of, before shards are packed.
 *
 * @param sources input files, by {@code StorageRef.file()}: the checkpoint's, then the base's
 * @param checkpointFiles how many of them are the checkpoint's
 * @param tensors in the order of the result, under the names of the result
 * @param aliases tied names: each name that is not in {@code tensors} to the one that is
 * @param metadata what the header of each shard says beside its tensors and tied names, by key;
 *     torch files have no place for it
 * @param names of the weight files
 * @param like what the base has; empty where there is none
 * @param beside what comes along
 */
public record ResultModel(
    List<InputFile> sources,
    int checkpointFiles,
    List<NamedTensor> tensors,
    Map<String, String> aliases,
    Map<String, String> metadata,
    FileNames names,
    Likeness like,
    Beside beside) {

  /**
   * What the result's tensors are in the base.
   *
   * @param tensors by name
   * @param index file name of its index; empty if it has none
   */
  public record Likeness(Map<String, Place> tensors, String index) {
    /** Of a result that has no base. */
    public static final Likeness NONE = new Likeness(Map.of(), "");
  }

  /** The file name of the shard of a tensor in the base, and its type there. */
  public record Place(String shard, dev.reweave.tensor.DType dtype) {}

  /** A design of weights alone. */
  public static ResultModel of(
      List<InputFile> sources,
      List<NamedTensor> tensors,
      Map<String, String> aliases,
      FileNames names) {
    return new ResultModel(
        sources, sources.size(), tensors, aliases, Map.of(), names, Likeness.NONE, Beside.NOTHING);
  }
}
