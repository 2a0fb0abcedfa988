package dev.reweave.look.report;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.reweave.format.safetensors.SafetensorsHeader;
import dev.reweave.format.safetensors.TiedNames;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What the headers of all models in a folder say beside their tensors.
 *
 * @param tied names that were dropped, each with the one that was kept
 * @param entries all else by key; where files say different things, by {@code KEY (FILE)}
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
record FolderMetadata(
    Map<String, String> tied, @JsonProperty("metadata") Map<String, String> entries) {

  /**
   * Collects them.
   *
   * @param headers by path of the file in the folder; files beside one another are of one model
   */
  static FolderMetadata of(Map<String, SafetensorsHeader> headers) {
    Map<String, Set<String>> tensors = new HashMap<>();
    headers.forEach(
        (file, header) ->
            header
                .entries()
                .forEach(
                    e ->
                        tensors
                            .computeIfAbsent(folder(file), f -> new HashSet<>())
                            .add(e.spec().name())));
    Map<String, String> tied = new TreeMap<>();
    Map<String, Map<String, String>> said = new TreeMap<>();
    headers.forEach(
        (file, header) -> {
          Set<String> names = tensors.getOrDefault(folder(file), Set.of());
          Map<String, String> ties = TiedNames.among(header.metadata(), names);
          tied.putAll(ties);
          header
              .metadata()
              .forEach(
                  (key, value) -> {
                    if (!ties.containsKey(key)) {
                      said.computeIfAbsent(key, k -> new LinkedHashMap<>()).put(file, value);
                    }
                  });
        });
    Map<String, String> entries = new TreeMap<>();
    said.forEach(
        (key, values) -> {
          boolean agreed = new HashSet<>(values.values()).size() == 1;
          values.forEach(
              (file, value) -> entries.put(agreed ? key : key + " (" + file + ")", value));
        });
    return new FolderMetadata(tied, entries);
  }

  private static String folder(String file) {
    return file.substring(0, file.lastIndexOf('/') + 1);
  }
}
