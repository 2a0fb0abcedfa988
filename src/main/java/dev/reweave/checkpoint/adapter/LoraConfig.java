package dev.reweave.checkpoint.adapter;

import com.fasterxml.jackson.databind.JsonNode;
import dev.reweave.checkpoint.Adapter;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.Place;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.BoundedMatch;
import dev.reweave.common.JsonReader;
import dev.reweave.common.Location;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * The {@code adapter_config.json} of an adapter, or a part of one ({@code
 * peft/tuners/lora/config.py}).
 */
final class LoraConfig {
  private static final int MOST_BYTES = 1 << 20;
  private static final String SAFETENSORS = ".safetensors";

  /** What PEFT calls an adapter to which nobody gives a name. */
  private static final String USUAL = "default";

  /** Kinds of initialisation that change the weights which the adapter is trained on. */
  private static final Pattern CHANGING =
      Pattern.compile("pissa.*|olora|corda|loftq|lora_ga|orthogonal", Pattern.CASE_INSENSITIVE);

  /** Keys of what makes an adapter another one than a product that is added. */
  private static final List<String> OTHER_KINDS =
      List.of(
          "use_qalora",
          "use_bdlora",
          "arrow_config",
          "alora_invocation_tokens",
          "kasa_config",
          "monteclora_config",
          "velora_config",
          "layer_replication",
          "megatron_config");

  private final JsonNode json;
  private final String text;
  private final InputFile file;

  private LoraConfig(JsonNode json, String text, InputFile file) {
    this.json = json;
    this.text = text;
    this.file = file;
  }

  /**
   * Looks for the config of an adapter: where the options say, else in the folder of the
   * checkpoint, of its files, and of the step that these are in.
   *
   * @throws dev.reweave.common.ReweaveException if it cannot be read, or the options name none
   */
  static Optional<LoraConfig> find(
      Place place, Checkpoint checkpoint, ReadOptions options, String adapter) {
    Optional<String> given = options.adapter().config();
    if (given.isPresent()) {
      Location address = place.stores().locate(given.get());
      Stores stores = place.stores().guarded(address, options.safeguards());
      Location named = stores.isFolder(address) ? address.child(Adapter.CONFIG_NAME) : address;
      InputFile file =
          stores.file(named).orElseThrow(() -> AdapterFailures.noConfig(address.uri()));
      return Optional.of(read(stores, file));
    }
    for (Location folder : folders(place, checkpoint)) {
      // Of several, save_pretrained puts each but the first in a folder of its name.
      List<Location> places = new ArrayList<>();
      if (!adapter.equals(USUAL)) {
        places.add(folder.child(adapter).child(Adapter.CONFIG_NAME));
      }
      places.add(folder.child(Adapter.CONFIG_NAME));
      for (Location address : places) {
        Optional<InputFile> found = place.stores().file(address);
        if (found.isPresent()) {
          return Optional.of(read(place.stores(), found.get()));
        }
      }
    }
    return Optional.empty();
  }

  private static Set<Location> folders(Place place, Checkpoint checkpoint) {
    Set<Location> folders = new LinkedHashSet<>();
    if (place.file().isEmpty()) {
      folders.add(place.address());
    }
    Optional<InputFile> first = checkpoint.files().stream().findFirst();
    first.ifPresent(file -> folders.add(file.location().parent()));
    // A trainer puts its own files above those of the step that it saved.
    if (first.filter(file -> !file.name().endsWith(SAFETENSORS)).isPresent()) {
      List.copyOf(folders).forEach(folder -> folders.add(folder.parent()));
    }
    return folders;
  }

  private static LoraConfig read(Stores stores, InputFile file) {
    byte[] content = stores.readAll(file, MOST_BYTES);
    String place = file.uri();
    try {
      JsonNode json = JsonReader.AS_PYTHON_WRITES.tree(content, place);
      if (!json.isObject()) {
        throw AdapterFailures.otherFile(place);
      }
      return new LoraConfig(json, JsonReader.text(content), file);
    } catch (JsonReader.Broken e) {
      throw AdapterFailures.brokenConfig(e, place);
    }
  }

  /** Whether PEFT has written it, so that nothing has to be made for it. */
  boolean isWhole() {
    boolean isLora = json.path("peft_type").asText().equals("LORA");
    return json.has("peft_type") && (!isLora || (json.has("r") && json.has("lora_alpha")));
  }

  JsonNode json() {
    return json;
  }

  /** The file as it is. */
  String text() {
    return text;
  }

  InputFile file() {
    return file;
  }

  /** What the adapter was trained on, as the training named it. */
  Optional<String> model() {
    JsonNode name = json.path("base_model_name_or_path");
    return Optional.of(name.asText()).filter(t -> name.isTextual() && !t.isBlank());
  }

  /** Which biases were trained, of which PEFT saves those that it does not freeze. */
  String bias() {
    return json.path("bias").asText("none");
  }

  /** How the weights that the adapter is trained on were changed before; empty if they were not. */
  Optional<String> change() {
    JsonNode init = json.path("init_lora_weights");
    return Optional.of(init.asText())
        .filter(t -> init.isTextual() && CHANGING.matcher(t).matches());
  }

  /**
   * Whether a tensor is of a module that was trained in the place of the model's own ({@code
   * _set_trainable} in {@code peft/utils/other.py}).
   *
   * @param name in the model without adapters
   */
  boolean isOfSavedModule(String name) {
    List<String> saved = new ArrayList<>();
    json.path("modules_to_save").forEach(module -> saved.add(module.asText()));
    for (int dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) {
      String module = name.substring(0, dot);
      if (saved.stream().anyMatch(module::endsWith)) {
        return true;
      }
    }
    return false;
  }

  /** Whether weights are kept with inputs as rows. */
  boolean isTransposed() {
    return json.path("fan_in_fan_out").asBoolean(false);
  }

  /** Names of the parameters that layers are around, or ends of them; none if it is modules. */
  List<String> parameters() {
    List<String> names = new ArrayList<>();
    json.path("target_parameters").forEach(name -> names.add(name.asText()));
    return names;
  }

  /** Whether it is one of DoRA. */
  boolean isDora() {
    return json.path("use_dora").asBoolean(false);
  }

  /** What makes it another kind of adapter than one that is added, if anything does. */
  Optional<String> otherKind() {
    String type = json.path("peft_type").asText("LORA");
    if (!type.equals("LORA")) {
      return Optional.of("peft_type " + type);
    }
    return OTHER_KINDS.stream().filter(key -> isSet(json.path(key))).findFirst();
  }

  private static boolean isSet(JsonNode value) {
    return value.isValueNode() ? value.asBoolean(false) : value.size() > 0;
  }

  /**
   * The rank of the matrices for a module.
   *
   * @param module its name in the model without adapters
   * @return empty if nothing is said
   */
  OptionalLong rank(String module) {
    JsonNode rank = ofModule("rank_pattern", "r", module);
    if (rank.isMissingNode()) {
      return OptionalLong.empty();
    }
    if (!rank.isIntegralNumber()) {
      throw AdapterFailures.oddConfig("r", rank.toString(), file.uri());
    }
    return OptionalLong.of(rank.asLong());
  }

  /**
   * What a product of matrices is multiplied by, as {@code LoraLayer.update_layer} has it.
   *
   * @param module its name in the model without adapters
   * @return empty if {@code lora_alpha} is not said
   */
  OptionalDouble scale(String module, int rank) {
    JsonNode alpha = ofModule("alpha_pattern", "lora_alpha", module);
    if (alpha.isMissingNode()) {
      return OptionalDouble.empty();
    }
    if (!alpha.isNumber() || !Double.isFinite(alpha.asDouble())) {
      throw AdapterFailures.oddConfig("lora_alpha", alpha.toString(), file.uri());
    }
    boolean stabilised = json.path("use_rslora").asBoolean(false);
    return OptionalDouble.of(alpha.asDouble() / (stabilised ? Math.sqrt(rank) : rank));
  }

  /** The first of the patterns that the end of the name matches: {@code get_pattern_key}. */
  private JsonNode ofModule(String patterns, String usual, String module) {
    for (var pattern : json.path(patterns).properties()) {
      Pattern regex = compile(patterns, pattern.getKey());
      if (BoundedMatch.ofWhole(regex, module, file.uri()).isPresent()) {
        return pattern.getValue();
      }
    }
    return json.path(usual);
  }

  private Pattern compile(String patterns, String key) {
    try {
      return Pattern.compile("(?:.*\\.)?(?:" + key + ")");
    } catch (PatternSyntaxException e) {
      throw AdapterFailures.oddConfig(patterns, "'" + BoundedMatch.shown(key) + "'", file.uri());
    }
  }
}
