package dev.reweave.plan.prepare;

import com.fasterxml.jackson.databind.JsonNode;
import dev.reweave.checkpoint.Adapter;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.common.JsonReader;
import dev.reweave.plan.SmallFile;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/**
 * The {@code adapter_config.json} beside the file of an adapter: it has rank and scale, and PEFT
 * loads no adapter without it.
 */
final class AdapterConfig {
  private static final String NAME = Adapter.CONFIG_NAME;
  private static final int MOST_BYTES = 1 << 20;

  private AdapterConfig() {}

  /**
   * The config of an adapter: what its reading found or made, or the one that lies beside its file.
   *
   * @throws dev.reweave.common.ReweaveException if it cannot be read
   */
  static OwnConfigs of(Stores stores, Checkpoint checkpoint, Renaming renaming) {
    return checkpoint
        .adapter()
        .map(adapter -> known(adapter, renaming))
        .orElseGet(() -> beside(stores, checkpoint, renaming));
  }

  private static OwnConfigs known(Adapter adapter, Renaming renaming) {
    if (adapter.config().isEmpty()) {
      return OwnConfigs.told(List.of(adapter.note()));
    }
    if (renaming.mapping().isPresent()) {
      return left("it has names that the mapping changes: write one for those that it gives");
    }
    byte[] content = adapter.config().get().getBytes(StandardCharsets.UTF_8);
    return new OwnConfigs(
        adapter.file(),
        List.of(new SmallFile(Adapter.CONFIG_NAME, content)),
        List.of(adapter.note()));
  }

  private static OwnConfigs beside(Stores stores, Checkpoint checkpoint, Renaming renaming) {
    if (checkpoint.files().isEmpty() || !InputName.isAdapter(checkpoint)) {
      return OwnConfigs.NONE;
    }
    Optional<InputFile> found = stores.file(checkpoint.files().get(0).location().sibling(NAME));
    if (found.isEmpty()) {
      return OwnConfigs.NONE;
    }
    InputFile file = found.get();
    if (renaming.mapping().isPresent()) {
      return left("it has names of the input: write one for those that the mapping gives");
    }
    if (file.length() > MOST_BYTES) {
      return left("it has " + file.length() + " bytes, which no such file has");
    }
    return new OwnConfigs(
        found,
        List.of(new SmallFile(NAME, stores.readAll(file, MOST_BYTES))),
        List.of(NAME + " comes along: PEFT loads the adapter with it"));
  }

  /**
   * How weights have to be called for PEFT to find them beside its config; empty without one. Other
   * libraries, such as MLX, have configs of the same name beside weights of other names.
   */
  static Optional<String> weightsName(OwnConfigs own) {
    return own.copies().stream()
        .filter(file -> file.path().equals(NAME) && isOfPeft(file.content()))
        .map(file -> Adapter.WEIGHTS_NAME)
        .findFirst();
  }

  private static boolean isOfPeft(byte[] config) {
    try {
      JsonNode json = JsonReader.AS_PYTHON_WRITES.tree(config, NAME);
      return json != null && json.path("peft_type").isTextual();
    } catch (JsonReader.Broken e) {
      // It comes along as it is, and says nothing.
      return false;
    }
  }

  private static OwnConfigs left(String why) {
    return OwnConfigs.told(List.of(NAME + " beside the adapter is left out: " + why));
  }
}
