package dev.reweave.plan;

import dev.reweave.safetensors.SafetensorsHeader;
import dev.reweave.tensor.Layout;
import java.io.Serializable;
import java.util.List;

/**
 * One shard to be written.
 *
 * @param fileName such as {@code model-00001-of-00003.safetensors}
 * @param header its header; tells the place of each tensor
 * @param layouts where the elements of each tensor come from, in the order of {@code
 *     header.entries()}
 */
public record PlannedShard(String fileName, SafetensorsHeader header, List<Layout> layouts)
    implements Serializable {
  public PlannedShard {
    if (layouts.size() != header.entries().size()) {
      throw new IllegalArgumentException(
          layouts.size() + " layouts for " + header.entries().size() + " tensors");
    }
  }

  /** Length of the file in bytes. */
  public long length() {
    return header.fileLength();
  }

  /** Bytes of weights that its tensors take where they lie. */
  public long bytesToRead() {
    return layouts.stream().mapToLong(l -> l.elements() * l.dtype().bytes()).sum();
  }
}
