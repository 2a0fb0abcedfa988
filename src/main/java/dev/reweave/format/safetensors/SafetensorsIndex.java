package dev.reweave.format.safetensors;

import dev.reweave.common.ReweaveException;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * The index of a model in several shards ({@code *.safetensors.index.json}): which tensor is in
 * which shard.
 */
public final class SafetensorsIndex {
  private final Map<String, String> droppedNames;
  private final List<String> otherMetadata;
  private final OptionalLong totalSize;
  private final Map<String, String> weightMap;

  /**
   * An index to write.
   *
   * @param droppedNames tensors that were left out, each with the name of the equal one that stands
   *     for it; the Hub's writer puts them beside {@code total_size}
   * @param totalSize of all tensors, in bytes
   * @param weightMap tensor names and the file names of their shards
   * @throws ReweaveException if a tensor that was left out is called {@code total_size}
   */
  public SafetensorsIndex(
      Map<String, String> droppedNames, long totalSize, Map<String, String> weightMap) {
    this(droppedNames, List.of(), OptionalLong.of(totalSize), weightMap);
    if (totalSize < 0) {
      throw new IllegalArgumentException("negative total size " + totalSize);
    }
    if (droppedNames.containsKey(IndexWriter.TOTAL_SIZE)) {
      throw SafetensorsFailures.nameMeansTotalSize(IndexWriter.TOTAL_SIZE);
    }
  }

  SafetensorsIndex(
      Map<String, String> droppedNames,
      List<String> otherMetadata,
      OptionalLong totalSize,
      Map<String, String> weightMap) {
    this.droppedNames = sorted(droppedNames);
    this.otherMetadata = List.copyOf(otherMetadata);
    this.totalSize = totalSize;
    this.weightMap = sorted(weightMap);
  }

  /**
   * Reads an index. Members that it need not have are passed over.
   *
   * @param json its bytes
   * @param place its address, for messages
   * @throws ReweaveException if it is not UTF-8 JSON, a key comes twice, it has no weight map, a
   *     value is of the wrong type, or a shard is not a plain file name
   */
  public static SafetensorsIndex parse(byte[] json, String place) {
    return new IndexReader(place).read(json);
  }

  /**
   * The index as {@code json.dumps(index, indent=2, sort_keys=True)} and a line feed give it in
   * Python, as diffusers and transformers write it: ASCII alone, keys in code point order.
   */
  public byte[] bytes() {
    return IndexWriter.write(this);
  }

  /** Names of tensors that were left out; of an index that was read, all metadata that is text. */
  public Map<String, String> droppedNames() {
    return droppedNames;
  }

  /** Of an index that was read, the keys of all metadata that is no text, but for the size. */
  public List<String> otherMetadata() {
    return otherMetadata;
  }

  /** Size of all tensors in bytes; empty if an index that was read does not say. */
  public OptionalLong totalSize() {
    return totalSize;
  }

  /** Tensor names, in code point order, and the file names of their shards. */
  public Map<String, String> weightMap() {
    return weightMap;
  }

  private static Map<String, String> sorted(Map<String, String> map) {
    Map<String, String> sorted = new TreeMap<>(CodePointOrder.INSTANCE);
    sorted.putAll(map);
    return Collections.unmodifiableMap(sorted);
  }
}
