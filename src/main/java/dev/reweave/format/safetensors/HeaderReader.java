package dev.reweave.format.safetensors;

import dev.reweave.format.safetensors.SafetensorsHeader.Entry;
import dev.reweave.storage.RandomAccess;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads the header of one file and believes nothing that does not add up. */
final class HeaderReader {
  /** How a pointer begins; as a length, it is longer than any header. */
  private static final String ZIP = "PK\3\4";

  private static final String LFS_POINTER = "version ";

  // No tensor library knows half as many; keeps a hostile header from filling the memory.
  private static final int MAX_RANK = 255;

  private final RandomAccess file;
  private final String place;
  private final List<Entry> entries = new ArrayList<>();
  private final Map<String, String> metadata = new LinkedHashMap<>();

  HeaderReader(RandomAccess file) {
    this.file = file;
    this.place = file.file().uri();
  }

  SafetensorsHeader read() throws IOException {
    byte[] bytes = readBytes();
    if (bytes.length == SafetensorsHeader.LENGTH_BYTES
        || bytes[SafetensorsHeader.LENGTH_BYTES] != '{') {
      throw SafetensorsFailures.noObject(place);
    }
    ByteBuffer json = ByteBuffer.wrap(bytes).position(SafetensorsHeader.LENGTH_BYTES).slice();
    StrictJson.read(json, place, SafetensorsFailures.COPY_FILE, this::readMembers);
    entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
    long described = checkedDataBytes();
    long present = file.file().length() - bytes.length;
    if (present != described) {
      throw SafetensorsFailures.otherLength(present, described, place);
    }
    return new SafetensorsHeader(bytes, entries, metadata);
  }

  private byte[] readBytes() throws IOException {
    int prefix = SafetensorsHeader.LENGTH_BYTES;
    long fileLength = file.file().length();
    if (fileLength < prefix) {
      throw SafetensorsFailures.tooShort(fileLength, place);
    }
    byte[] length = new byte[prefix];
    file.readFully(0, length, 0, prefix);
    if (new String(length, StandardCharsets.ISO_8859_1).equals(LFS_POINTER)) {
      throw SafetensorsFailures.lfsPointer(place);
    }
    if (new String(length, StandardCharsets.ISO_8859_1).startsWith(ZIP)) {
      throw SafetensorsFailures.torchFile(place);
    }
    long jsonBytes = ByteBuffer.wrap(length).order(ByteOrder.LITTLE_ENDIAN).getLong();
    if (jsonBytes < 0 || jsonBytes > SafetensorsHeader.MAX_JSON_BYTES) {
      throw SafetensorsFailures.headerTooLong(jsonBytes, place);
    }
    if (jsonBytes > fileLength - prefix) {
      throw SafetensorsFailures.headerBeyondEnd(jsonBytes, fileLength, place);
    }
    file.limit().require(jsonBytes, "the header", place);
    byte[] bytes = Arrays.copyOf(length, Math.toIntExact(prefix + jsonBytes));
    file.readFully(prefix, bytes, prefix, bytes.length - prefix);
    return bytes;
  }

  private void readMembers(StrictJson json) throws IOException {
    json.object(
        "the header",
        key -> {
          if (!key.equals(SafetensorsHeader.METADATA_KEY)) {
            entries.add(new TensorInfo(key).read(json));
          } else if (!json.isNull()) { // to the reference, null is as good as no metadata
            readMetadata(json);
          }
        });
  }

  private void readMetadata(StrictJson json) throws IOException {
    String key = SafetensorsHeader.METADATA_KEY;
    json.object(
        key,
        name -> {
          String what = key + " '" + StrictJson.abbreviated(name) + "'";
          metadata.put(name, json.string(what));
        });
  }

  private long checkedDataBytes() {
    long end = 0;
    for (Entry entry : entries) {
      if (entry.begin() > end) {
        throw SafetensorsFailures.gapBefore(entry, end, place);
      }
      if (entry.begin() < end) {
        throw SafetensorsFailures.overlapping(entry, place);
      }
      end = entry.end();
    }
    return end;
  }

  /** One tensor's member of the header while it is read. */
  private final class TensorInfo {
    private final String name;
    private final String label;
    private String dtype = "";
    private List<Long> shape;
    private List<Long> offsets;

    TensorInfo(String name) {
      this.name = name;
      this.label = "tensor '" + StrictJson.abbreviated(name) + "'";
    }

    Entry read(StrictJson json) throws IOException {
      json.object(
          label,
          key -> {
            switch (key) {
              case "dtype" -> dtype = json.string("dtype of " + label);
              case "shape" -> shape = numbers(json, "shape of " + label, MAX_RANK);
              case "data_offsets" -> offsets = numbers(json, "data_offsets of " + label, 2);
              default -> json.skip(label); // as the reference, for what a later version may add
            }
          });
      if (dtype.isEmpty() || shape == null || offsets == null || offsets.size() != 2) {
        throw SafetensorsFailures.incomplete(name, place);
      }
      TensorSpec spec = spec();
      long begin = offsets.get(0);
      long end = offsets.get(1);
      if (end - begin != spec.bytes()) {
        throw SafetensorsFailures.otherBytes(spec, dtype, begin, end, place);
      }
      return new Entry(spec, begin, end);
    }

    private TensorSpec spec() {
      DType type =
          DType.ofSafetensorsName(dtype)
              .orElseThrow(() -> SafetensorsFailures.unknownType(name, dtype, place));
      try {
        return new TensorSpec(name, type, Shape.of(shape));
      } catch (IllegalArgumentException e) {
        throw SafetensorsFailures.impossibleShape(name, shape, place);
      }
    }

    private List<Long> numbers(StrictJson json, String what, int most) throws IOException {
      List<Long> numbers = new ArrayList<>();
      json.array(
          what,
          () -> {
            if (numbers.size() == most) {
              throw JsonFailures.tooMany(what, most, json.source());
            }
            numbers.add(json.length(what));
          });
      return numbers;
    }
  }
}
