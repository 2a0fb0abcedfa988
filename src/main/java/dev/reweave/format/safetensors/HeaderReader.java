package dev.reweave.format.safetensors;

import dev.reweave.common.ReweaveException;
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
  private static final String REMEDY =
      "the file is damaged or no safetensors file, so copy it again from its source";

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
      throw broken("header does not begin with '{'");
    }
    ByteBuffer json = ByteBuffer.wrap(bytes).position(SafetensorsHeader.LENGTH_BYTES).slice();
    StrictJson.read(json, place, REMEDY, this::readMembers);
    entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
    long described = checkedDataBytes();
    long present = file.file().length() - bytes.length;
    if (present != described) {
      throw broken("file has " + present + " bytes of tensors where its header has " + described);
    }
    return new SafetensorsHeader(bytes, entries, metadata);
  }

  private byte[] readBytes() throws IOException {
    int prefix = SafetensorsHeader.LENGTH_BYTES;
    long fileLength = file.file().length();
    if (fileLength < prefix) {
      throw broken("file of " + fileLength + " bytes is too short for a header");
    }
    byte[] length = new byte[prefix];
    file.readFully(0, length, 0, prefix);
    if (new String(length, StandardCharsets.ISO_8859_1).equals(LFS_POINTER)) {
      throw new ReweaveException(
          "the file is a git-lfs pointer, not the file itself",
          place,
          "run 'git lfs pull' where it was cloned, and copy it again");
    }
    if (new String(length, StandardCharsets.ISO_8859_1).startsWith(ZIP)) {
      throw ReweaveException.unsupported(
          "the file is a torch.save file, not a safetensors file",
          place,
          "give it a name that ends in .pt");
    }
    long jsonBytes = ByteBuffer.wrap(length).order(ByteOrder.LITTLE_ENDIAN).getLong();
    if (jsonBytes < 0 || jsonBytes > SafetensorsHeader.MAX_JSON_BYTES) {
      throw broken(
          "header of "
              + Long.toUnsignedString(jsonBytes)
              + " bytes is longer than the "
              + SafetensorsHeader.MAX_JSON_BYTES
              + " that readers accept");
    }
    if (jsonBytes > fileLength - prefix) {
      throw broken("header of " + jsonBytes + " bytes ends after the file of " + fileLength);
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
      String at = "at byte " + entry.begin();
      if (entry.begin() > end) {
        throw broken(entry.spec().name(), "begins " + at + ", after a gap from byte " + end);
      }
      if (entry.begin() < end) {
        throw broken(entry.spec().name(), "begins " + at + ", inside the tensor before it");
      }
      end = entry.end();
    }
    return end;
  }

  private ReweaveException broken(String problem) {
    return new ReweaveException(problem, place, REMEDY);
  }

  private ReweaveException broken(String tensor, String problem) {
    return broken(label(tensor) + " " + problem);
  }

  private static String label(String tensor) {
    return "tensor '" + StrictJson.abbreviated(tensor) + "'";
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
      this.label = label(name);
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
        throw broken(name, "has no dtype, no shape or no pair of data_offsets");
      }
      TensorSpec spec = spec();
      long begin = offsets.get(0);
      long end = offsets.get(1);
      if (end - begin != spec.bytes()) {
        throw broken(
            name,
            "of type %s and shape %s takes %d bytes, not those from %d to %d"
                .formatted(dtype, spec.shape(), spec.bytes(), begin, end));
      }
      return new Entry(spec, begin, end);
    }

    private TensorSpec spec() {
      DType type =
          DType.ofSafetensorsName(dtype)
              .orElseThrow(
                  () ->
                      ReweaveException.unsupported(
                          label + " has the unknown type '" + StrictJson.abbreviated(dtype) + "'",
                          place,
                          "convert it to one of " + Arrays.toString(DType.values())));
      try {
        return new TensorSpec(name, type, Shape.of(shape));
      } catch (IllegalArgumentException e) {
        throw broken(name, "has the impossible shape " + shape);
      }
    }

    private List<Long> numbers(StrictJson json, String what, int most) throws IOException {
      List<Long> numbers = new ArrayList<>();
      json.array(
          what,
          () -> {
            if (numbers.size() == most) {
              throw json.broken(what + " has more than " + most + " numbers");
            }
            numbers.add(json.length(what));
          });
      return numbers;
    }
  }
}
