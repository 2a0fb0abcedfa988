package dev.reweave.manifest;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.reweave.common.JsonBudget;
import dev.reweave.common.ReweaveException;
import java.io.IOException;
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
    try (JsonParser parser = JSON.createParser(json)) {
      JsonBudget.require(parser, place);
      Manifest manifest = JSON.readValue(json, Manifest.class);
      if (manifest != null
          && manifest.result() != null
          && manifest.result().shards() != null
          && !manifest.result().shards().isEmpty()) {
        return manifest;
      }
      throw new IOException("no list of shards");
    } catch (JsonMappingException e) {
      throw none(
          e.getCause() instanceof IllegalArgumentException unsound
              ? unsound.getMessage()
              : "a value of another type",
          place,
          e);
    } catch (JsonProcessingException e) {
      throw none("not valid JSON", place, e);
    } catch (IOException e) {
      throw none(e.getMessage(), place, e);
    }
  }

  private static ReweaveException none(String reason, String place, IOException cause) {
    return new ReweaveException(
        "this is no manifest of a conversion (" + reason + ")",
        place,
        "convert again with --overwrite",
        cause);
  }
}
