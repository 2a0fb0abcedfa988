package dev.reweave.testing;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.reweave.common.ReweaveException;
import dev.reweave.format.safetensors.SafetensorsHeader;
import dev.reweave.format.safetensors.SafetensorsIndex;
import dev.reweave.manifest.Manifest;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.Stores;
import dev.reweave.target.base.ConfigJson;
import dev.reweave.target.mapping.Mapping;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.Consumer;
import org.apache.hadoop.conf.Configuration;

/**
 * Reads JSON of many values, with as many bytes as are believed, in a process of its own; prints a
 * line with what came of each.
 */
public final class JsonInSmallHeap {
  private static final int MEGABYTE = 1 << 20;
  private static final String SHARD = "{\"name\":\"a\",\"bytes\":1,\"crc32c\":\"00000000\"}";

  private JsonInSmallHeap() {}

  /** Takes the path of a file that it may write. */
  public static void main(String[] args) throws IOException {
    Path file = Path.of(args[0]);
    tell("metadata", header("{\"__metadata__\":{", "\"%06x\":\"\",", "\"\":\"\"}}"), of(file));
    tell(
        "tensors",
        header(
            "{",
            "\"%06x\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},",
            "\"\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}"),
        of(file));
    Consumer<byte[]> index = json -> SafetensorsIndex.parse(json, "index");
    tell("index", many(30, "{\"weight_map\":{", "\"%06x\":\"a\",", "\"\":\"a\"}}"), index);
    tell("unknown members", many(30, "{\"x\":{", "\"%06x\":1,", "\"\":1}}"), index);
    for (String value : new String[] {"1234,", "{},", "[],", "{\"a\":{}},", "\"\","}) {
      Consumer<byte[]> config = json -> ConfigJson.object(json, "config");
      tell("config of " + value, many(15, "{\"a\":[", value, "0]}"), config);
    }
    tell("mapping", many(3, "{\"x\":[", "{},", "0]}"), json -> Mapping.parse(json, "mapping"));
    Consumer<byte[]> manifest = json -> Manifest.parse(json, "manifest");
    tell("shards", many(30, "{\"result\":{\"shards\":[", SHARD + ",", SHARD + "]}}"), manifest);
    tell("rules", many(30, "{\"mapping\":{\"rules\":[", "[],", "0]}}"), manifest);
    tell(
        "dropped",
        many(30, "{\"result\":{\"dropped\":{", "\"%06x\":\"a\",", "\"\":\"\"}}}"),
        manifest);
  }

  private static Consumer<byte[]> of(Path file) {
    return content -> {
      try {
        Files.write(file, content);
        Stores stores = new Stores(new Configuration());
        try (RandomAccess access = stores.open(stores.file(Locations.of(file)).orElseThrow())) {
          SafetensorsHeader.read(access);
        }
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
    };
  }

  private static byte[] header(String start, String each, String end) {
    byte[] json = many(30, start, each, end);
    ByteBuffer file = ByteBuffer.allocate(Long.BYTES + json.length).order(ByteOrder.LITTLE_ENDIAN);
    return file.putLong(json.length).put(json).array();
  }

  /** As often as some megabytes take, with its number in it. */
  private static byte[] many(int megabytes, String start, String each, String end) {
    byte[] content = new byte[megabytes * MEGABYTE];
    ByteBuffer json = ByteBuffer.wrap(content).put(start.getBytes(ISO_8859_1));
    byte[] last = end.getBytes(ISO_8859_1);
    boolean numbered = each.contains("%06x");
    byte[] same = each.getBytes(ISO_8859_1);
    for (int i = 0; json.remaining() > each.length() + last.length + 8; i++) {
      json.put(numbered ? each.formatted(i).getBytes(ISO_8859_1) : same);
    }
    return Arrays.copyOf(content, json.put(last).position());
  }

  private static void tell(String what, byte[] content, Consumer<byte[]> reader) {
    try {
      reader.accept(content);
      System.out.println(what + ": read");
    } catch (ReweaveException e) {
      System.out.println(what + ": " + e.kind() + ": " + e.problem());
    } catch (OutOfMemoryError e) {
      System.out.println(what + ": " + e);
    }
  }
}
