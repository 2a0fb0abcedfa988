package dev.reweave.checkpoint.dcp;

import dev.reweave.format.pytorch.TorchFile;
import dev.reweave.format.pytorch.TorchTensor;
import dev.reweave.storage.MetadataScanner;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.Recall;
import dev.reweave.tensor.StoredLayout;
import java.io.IOException;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * Finds the elements of all wanted chunks of one file.
 *
 * @param chunks in the order of their positions
 */
record ChunkProbe(List<StoredChunk> chunks) implements MetadataScanner.Probe<ChunkProbe.Found> {
  /** Chunks whose heads and tails are read and kept in memory at once: a few megabytes. */
  private static final int MOST_AT_ONCE = 256;

  /** Layouts in the order of the chunks. */
  record Found(List<StoredLayout> layouts) implements Serializable {}

  @Override
  public Found read(RandomAccess access, int index, Recall recall) throws IOException {
    List<StoredLayout> layouts = new ArrayList<>(chunks.size());
    for (int from = 0; from < chunks.size(); from += MOST_AT_ONCE) {
      List<StoredChunk> some = chunks.subList(from, Math.min(from + MOST_AT_ONCE, chunks.size()));
      RandomAccess ends = ChunkEnds.read(access, some);
      if (from == 0) {
        refuseSafetensors(ends);
      }
      for (StoredChunk chunk : some) {
        layouts.add(layout(ends, index, chunk));
      }
    }
    return new Found(List.copyOf(layouts));
  }

  /** {@code SerializationFormat.SAFETENSORS}: one safetensors file per rank. */
  private static void refuseSafetensors(RandomAccess access) throws IOException {
    byte[] head = new byte[Long.BYTES + 1];
    if (access.file().length() < head.length) {
      return;
    }
    access.readFully(0, head, 0, head.length);
    long header = ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN).getLong();
    if (head[Long.BYTES] == '{' && header > 0 && header <= access.file().length() - Long.BYTES) {
      throw DcpFailures.inSafetensors(access.file().uri());
    }
  }

  private static StoredLayout layout(RandomAccess access, int index, StoredChunk chunk)
      throws IOException {
    TorchFile file = TorchFile.readPart(access, index, chunk.name(), chunk.start(), chunk.length());
    TorchTensor tensor = file.root().tensor();
    if (tensor.dtype() != chunk.dtype() || !chunk.hasSizes(tensor.shape())) {
      throw DcpFailures.anotherTensor(chunk, tensor.dtype(), tensor.shape(), file.root().place());
    }
    return file.layout(tensor);
  }
}
