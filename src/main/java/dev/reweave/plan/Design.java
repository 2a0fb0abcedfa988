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
 * @param names of the weight files
 * @param like what the base has; empty where there is none
 * @param copies files that are copied along
 * @param configs small files that become visible before the index
 * @param last small files that become visible behind the index
 */
public record Design(
    List<InputFile> sources,
    int checkpointFiles,
    List<NamedTensor> tensors,
    Map<String, String> aliases,
    FileNames names,
    Likeness like,
    List<PlannedFile> copies,
    List<SmallFile> configs,
    List<SmallFile> last) {

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
  public static Design of(
      List<InputFile> sources,
      List<NamedTensor> tensors,
      Map<String, String> aliases,
      FileNames names) {
    return new Design(
        sources,
        sources.size(),
        tensors,
        aliases,
        names,
        Likeness.NONE,
        List.of(),
        List.of(),
        List.of());
  }
}
