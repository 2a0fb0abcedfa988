package dev.reweave.fuzz;

import dev.reweave.format.safetensors.SafetensorsIndex;
import java.util.List;

/** The index of a model in several shards; what is read is written and read again. */
public final class IndexFuzz {
  private static final Documents DOCUMENTS =
      new Documents(
          List.of(
              Words.json(Seeds.bytes("safetensors/names.index.json")),
              Words.json(Seeds.bytes("safetensors/bare.index.json"))),
          Words.jsonValues());

  private IndexFuzz() {}

  static List<byte[]> seeds() {
    return DOCUMENTS.seeds();
  }

  /** Called by the fuzzer. */
  public static void fuzzerTestOneInput(byte[] input) {
    byte[] json = DOCUMENTS.read(input);
    Promise.check(
        () -> {
          SafetensorsIndex index = SafetensorsIndex.parse(json, "memory:/index");
          SafetensorsIndex again = SafetensorsIndex.parse(index.bytes(), "memory:/again");
          if (!again.weightMap().equals(index.weightMap())
              || !again.droppedNames().equals(index.droppedNames())
              || !again.totalSize().equals(index.totalSize())) {
            throw new AssertionError("an index that is another when it is written");
          }
        });
  }
}
