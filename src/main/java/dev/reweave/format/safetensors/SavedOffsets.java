package dev.reweave.format.safetensors;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What PyTorch's distributed checkpoint says in the header of a safetensors file: where in its
 * tensor each of the slices in the file begins. Nothing says how long the tensor is.
 *
 * <p>Written by {@code HuggingFaceStorageWriter} of torch 2.15 ({@code
 * torch/distributed/checkpoint/filesystem.py}, with the names in {@code _hf_utils.py}), into files
 * of slices as well as into files of whole tensors, which begin at 0.
 */
public final class SavedOffsets {
  /** The key of the metadata under which they are. */
  public static final String KEY = "DCP_SHARDING_INFO";

  /** What of the metadata is about these files, and not about the model. */
  public static final Set<String> KEYS = Set.of(KEY, "DCP_VERSION");

  private static final String OFFSETS = "saved_offsets";
  private static final String REMEDY = "copy the file again from the training run";

  private SavedOffsets() {}

  /**
   * The first index of each slice along each dimension of its tensor, by the tensor's name.
   *
   * @param place the file, for messages
   * @return empty if the header does not speak of slices
   * @throws dev.reweave.common.ReweaveException if it does, in another way than torch
   */
  public static Optional<Map<String, List<Long>>> in(Map<String, String> metadata, String place) {
    String text = metadata.getOrDefault(KEY, "");
    if (text.isEmpty()) {
      return Optional.empty();
    }
    Map<String, List<Long>> offsets = new LinkedHashMap<>();
    StrictJson.read(
        ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)),
        place,
        REMEDY,
        json -> json.object(KEY, tensor -> offsets.put(tensor, offsets(json, tensor))));
    return Optional.of(offsets);
  }

  private static List<Long> offsets(StrictJson json, String tensor) throws IOException {
    String what = OFFSETS + " of '" + StrictJson.abbreviated(tensor) + "'";
    List<List<Long>> found = new ArrayList<>();
    json.object(
        KEY,
        key -> {
          if (!key.equals(OFFSETS)) {
            json.skip(KEY);
            return;
          }
          List<Long> offsets = new ArrayList<>();
          json.array(what, () -> offsets.add(json.length(what)));
          found.add(offsets);
        });
    if (found.isEmpty()) {
      throw JsonFailures.missing(what, json.source());
    }
    return found.get(0);
  }
}
