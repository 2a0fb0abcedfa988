package dev.reweave.format.safetensors;

import dev.reweave.storage.RandomAccess;
import dev.reweave.tensor.TensorSpec;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The header of a safetensors file: where each tensor's bytes are.
 *
 * <p>A file is the header's length as 8 little-endian bytes, the header as JSON padded with spaces,
 * then the tensors' bytes without gaps. The format is that of the reference implementation, {@code
 * safetensors/src/tensor.rs} of safetensors 0.8.
 */
public final class SafetensorsHeader implements Serializable {
  private static final long serialVersionUID = 1L;

  /** Longest header, in bytes of JSON and padding, that the reference reads and writes. */
  static final int MAX_JSON_BYTES = 100_000_000;

  /** Bytes of the length before the JSON. */
  static final int LENGTH_BYTES = 8;

  /** Key of the metadata, which no tensor can have as its name. */
  static final String METADATA_KEY = "__metadata__";

  private static final Comparator<TensorSpec> FILE_ORDER =
      Comparator.comparing(TensorSpec::dtype)
          .reversed()
          .thenComparing(TensorSpec::name, CodePointOrder.INSTANCE);

  /**
   * A tensor and its bytes, counted from {@link #dataStart()}.
   *
   * @param spec the tensor
   * @param begin its first byte
   * @param end the byte after its last
   */
  public record Entry(TensorSpec spec, long begin, long end) implements Serializable {
    public Entry {
      if (begin < 0 || end - begin != spec.bytes()) {
        throw new IllegalArgumentException(
            "bytes " + begin + " to " + end + " for the " + spec.bytes() + " of " + spec.name());
      }
    }
  }

  private final byte[] bytes;
  private final List<Entry> entries;
  private final Map<String, String> metadata;

  SafetensorsHeader(byte[] bytes, List<Entry> entries, Map<String, String> metadata) {
    this.bytes = bytes;
    this.entries = List.copyOf(entries);
    this.metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
  }

  /**
   * The header that the reference writes for these tensors: by descending {@link
   * dev.reweave.tensor.DType} ordinal, then by name in code point order.
   *
   * <p>The reference writes several metadata entries in the order of a random hash map; here they
   * are {@code format}, then the others in code point order. No entries, no metadata.
   *
   * @param tensors in any order, each name once
   * @param metadata of the file, such as {@code format} = {@code pt}
   * @throws dev.reweave.common.ReweaveException if a name cannot be written, or there are so many
   *     tensors that no reader accepts the header
   */
  public static SafetensorsHeader layOut(List<TensorSpec> tensors, Map<String, String> metadata) {
    List<Entry> entries = new ArrayList<>(tensors.size());
    long end = 0;
    for (TensorSpec spec : tensors.stream().sorted(FILE_ORDER).toList()) {
      long begin = end;
      try {
        end = Math.addExact(begin, spec.bytes());
      } catch (ArithmeticException e) {
        throw new IllegalArgumentException("total size overflows", e);
      }
      entries.add(new Entry(spec, begin, end));
    }
    Map<String, String> ordered = HeaderWriter.ordered(metadata);
    return new SafetensorsHeader(HeaderWriter.write(entries, ordered), entries, ordered);
  }

  /**
   * Reads the header of {@code file}, and refuses all that the reference refuses. Stricter than the
   * reference in what no writer does: keys that come twice, space before the JSON, tensors and
   * types in serde's other notations, dimensions over {@link Long#MAX_VALUE}.
   *
   * @throws dev.reweave.common.ReweaveException if it is not a whole and sound safetensors file, or
   *     has an element type that Reweave does not know
   * @throws IOException if the file cannot be read
   */
  public static SafetensorsHeader read(RandomAccess file) throws IOException {
    return new HeaderReader(file).read();
  }

  /** The header as in the file: length, JSON and padding. */
  public byte[] bytes() {
    return bytes.clone();
  }

  /** Position in the file of the first tensor's first byte; the length of the header. */
  public long dataStart() {
    return bytes.length;
  }

  /** Length of the file in bytes. */
  public long fileLength() {
    return dataStart() + (entries.isEmpty() ? 0 : entries.get(entries.size() - 1).end());
  }

  /** Position in the file of the first byte of {@code entry}. */
  public long position(Entry entry) {
    return dataStart() + entry.begin();
  }

  /** The tensors in the order of their bytes. */
  public List<Entry> entries() {
    return entries;
  }

  /** Metadata of the file in the order of the header; empty if it has none. */
  public Map<String, String> metadata() {
    return metadata;
  }
}
