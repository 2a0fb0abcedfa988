package dev.reweave.format.safetensors;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;

/** Reads one index. */
final class IndexReader {
  // A name becomes a path beside the index; Hadoop would take what is before a colon for a scheme.
  private static final Pattern FILE_NAME = Pattern.compile("(?!\\.$)[^/\\\\:\\p{Cntrl}]+");

  private final String place;
  private final Map<String, String> texts = new HashMap<>();
  private final List<String> others = new ArrayList<>();
  private OptionalLong totalSize = OptionalLong.empty();
  private Optional<Map<String, String>> weightMap = Optional.empty();

  IndexReader(String place) {
    this.place = place;
  }

  SafetensorsIndex read(byte[] bytes) {
    StrictJson.read(
        ByteBuffer.wrap(bytes), place, SafetensorsFailures.COPY_INDEX, this::readMembers);
    return new SafetensorsIndex(
        texts,
        others,
        totalSize,
        weightMap.orElseThrow(() -> SafetensorsFailures.noWeightMap(place)));
  }

  private void readMembers(StrictJson json) throws IOException {
    json.object(
        "the index",
        key -> {
          switch (key) {
            case IndexWriter.METADATA -> readMetadata(json);
            case IndexWriter.WEIGHT_MAP -> weightMap = Optional.of(readWeightMap(json));
            default -> json.skip("the index");
          }
        });
  }

  private void readMetadata(StrictJson json) throws IOException {
    json.object(
        IndexWriter.METADATA,
        key -> {
          if (key.equals(IndexWriter.TOTAL_SIZE)) {
            totalSize = OptionalLong.of(json.length(key));
          } else if (json.isString()) {
            texts.put(key, json.string(key));
          } else {
            others.add(key);
            json.skip(IndexWriter.METADATA);
          }
        });
  }

  private Map<String, String> readWeightMap(StrictJson json) throws IOException {
    Map<String, String> weights = new HashMap<>();
    json.object(
        IndexWriter.WEIGHT_MAP,
        tensor -> {
          String what = "shard of tensor '" + StrictJson.abbreviated(tensor) + "'";
          String shard = json.string(what);
          if (shard.contains("..") || !FILE_NAME.matcher(shard).matches()) {
            throw JsonFailures.notFileName(what, shard, json.source());
          }
          weights.put(tensor, shard);
        });
    return weights;
  }
}
