package dev.reweave.manifest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.reweave.common.JsonReader;
import dev.reweave.common.ReweaveException;
import java.nio.charset.StandardCharsets;

/** Manifests as they stand in their files. */
final class ManifestJson {
  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  private ManifestJson() {}

  static byte[] write(Manifest manifest) {
    try {
      return (JSON.writeValueAsString(manifest) + "\n").getBytes(StandardCharsets.UTF_8);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Reads a manifest.
   *
   * @throws ReweaveException if it is none
   */
  static Manifest read(byte[] json, String place) {
    Manifest manifest;
    try {
      manifest = JsonReader.STANDARD.value(json, place, Manifest.class);
    } catch (JsonReader.Broken e) {
      throw none(reason(e.getCause()), place, e);
    }
    if (manifest == null
        || manifest.result() == null
        || manifest.result().shards() == null
        || manifest.result().shards().isEmpty()) {
      throw none("no list of shards", place, null);
    }
    return manifest;
  }

  private static String reason(Throwable broken) {
    if (!(broken instanceof JsonMappingException)) {
      return "not valid JSON";
    }
    return broken.getCause() instanceof IllegalArgumentException unsound
        ? unsound.getMessage()
        : "a value of another type";
  }

  private static ReweaveException none(String reason, String place, Exception cause) {
    return ManifestFailures.noManifest(reason, place, cause);
  }
}
