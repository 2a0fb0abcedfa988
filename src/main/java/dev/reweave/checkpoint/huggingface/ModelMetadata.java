package dev.reweave.checkpoint.huggingface;

import dev.reweave.common.FirstNames;
import dev.reweave.format.safetensors.SafetensorsIndex;
import dev.reweave.format.safetensors.SavedOffsets;
import dev.reweave.format.safetensors.TiedNames;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * What the headers of a model's safetensors files and their index say beside the tensors.
 *
 * @param aliases names that were dropped since they mean the same tensor as another
 * @param metadata all else that nothing of it contradicts, by key
 * @param notes what is not taken, or was not said by all
 */
record ModelMetadata(
    Map<String, String> aliases, Map<String, String> metadata, List<String> notes) {
  private static final String FORMAT = "format";

  /**
   * How torch cut its tensors into the pieces that its files hold ({@code
   * torch/distributed/checkpoint/_hf_utils.py}): true of no other file.
   */
  private static final Set<String> OF_PIECES = SavedOffsets.KEYS;

  /** Sums over a model that transformers writes into an index; no reader needs them. */
  private static final Set<String> SUMS = Set.of("total_parameters");

  /** What the metadata of these files come to. */
  static ModelMetadata of(
      List<ShardContent> files, Optional<SafetensorsIndex> index, Set<String> tensors) {
    List<Map<String, String>> headers = files.stream().map(ShardContent::metadata).toList();
    Map<String, Set<String>> said = new LinkedHashMap<>();
    headers.forEach(header -> collect(header, said));
    index.map(SafetensorsIndex::droppedNames).ifPresent(texts -> collect(texts, said));
    said.keySet().removeAll(OF_PIECES);

    Map<String, String> first = new LinkedHashMap<>();
    said.forEach((key, values) -> first.put(key, values.iterator().next()));
    Map<String, String> aliases = TiedNames.among(first, tensors);
    Map<String, String> metadata = new LinkedHashMap<>(first);
    metadata.keySet().removeAll(aliases.keySet());
    List<String> contested = keysOf(metadata.keySet(), key -> said.get(key).size() > 1);
    contested.forEach(metadata::remove);
    return new ModelMetadata(
        aliases, metadata, notes(headers, index, contested, metadata.keySet()));
  }

  private static void collect(Map<String, String> metadata, Map<String, Set<String>> said) {
    metadata.forEach(
        (key, value) -> said.computeIfAbsent(key, k -> new LinkedHashSet<>()).add(value));
  }

  private static List<String> notes(
      List<Map<String, String>> headers,
      Optional<SafetensorsIndex> index,
      List<String> contested,
      Collection<String> taken) {
    List<String> notes = new ArrayList<>();
    if (!contested.isEmpty()) {
      notes.add(
          "metadata that the files do not agree on are left out: " + FirstNames.of(contested));
    }
    Set<String> ofIndex = index.map(i -> i.droppedNames().keySet()).orElse(Set.of());
    List<String> partial =
        keysOf(
            taken,
            key ->
                !key.equals(FORMAT)
                    && !ofIndex.contains(key)
                    && headers.stream().anyMatch(header -> !header.containsKey(key)));
    if (!partial.isEmpty()) {
      notes.add(
          "metadata that not all files have, but none contradicts: " + FirstNames.of(partial));
    }
    List<String> noText =
        keysOf(
            index.map(SafetensorsIndex::otherMetadata).orElse(List.of()),
            key -> !SUMS.contains(key));
    if (!noText.isEmpty()) {
      notes.add("metadata of the index that are no text are left out: " + FirstNames.of(noText));
    }
    return notes;
  }

  private static List<String> keysOf(Collection<String> keys, Predicate<String> wanted) {
    return keys.stream().filter(wanted).toList();
  }
}
