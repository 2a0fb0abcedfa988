package dev.reweave.checkpoint.adapter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.AdapterChoice;
import dev.reweave.checkpoint.AdapterChoice.Part;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.Option;
import dev.reweave.common.Options;
import dev.reweave.common.ReweaveException;
import dev.reweave.plan.SmallFile;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Gathered;
import dev.reweave.testing.Locations;
import dev.reweave.testing.SafetensorsFile;
import dev.reweave.testing.StoredTensors;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Both parts of models with adapters in them, against what PEFT 0.21.2 saves; the models are made
 * by {@code src/test/interop/make_adapters.py}.
 */
class AdapterPartsTest {
  private static final String CONFIG = "adapter_config.json";

  @TempDir Path temp;

  static ReadOptions part(Part part) {
    return ReadOptions.defaults().with(AdapterChoice.PART, Optional.of(part));
  }

  /** The options that a command line gives, as {@code adapter=x}. */
  static ReadOptions given(String... texts) {
    Options options = Options.NONE;
    for (String text : texts) {
      String[] parts = text.split("=", 2);
      for (Option<?> option : AdapterChoice.OPTIONS) {
        options = option.key().equals(parts[0]) ? options.parse(option, parts[1]) : options;
      }
    }
    return new ReadOptions(options);
  }

  private Gathered convert(Path input, ReadOptions options) {
    return Converting.between(input, temp.resolve("out")).reading(options).type("keep").gather();
  }

  private static Map<String, String> smallFiles(Gathered made) {
    Map<String, String> files = new TreeMap<>();
    for (SmallFile file : made.prepared().plan().smallFiles()) {
      files.put(file.path(), new String(file.content(), StandardCharsets.UTF_8));
    }
    return files;
  }

  private static void assertHas(List<String> notes, String expected) {
    assertTrue(notes.contains(expected), () -> expected + " is not in " + notes);
  }

  private String refusal(Path input, String... options) {
    return assertThrows(ReweaveException.class, () -> convert(input, given(options))).getMessage();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "patterns",
        "stabilised",
        "biases",
        "all-biases",
        "embeddings",
        "dora",
        "layer-biases",
        "tokens",
        "several",
        "layers",
        "experts",
        "turned-experts"
      })
  void theAdapterIsWhatPeftSaves(String name) throws IOException {
    Gathered adapter = convert(Fixtures.adapter(name).resolve("model.pt"), part(Part.ADAPTER));

    assertEquals(
        StoredTensors.of(Fixtures.adapter(name).resolve("adapter.safetensors")), adapter.tensors());
    assertEquals(
        Map.of(CONFIG, Files.readString(Fixtures.adapter(name).resolve(CONFIG))),
        smallFiles(adapter));
    assertEquals("adapter_model.safetensors", adapter.prepared().plan().shards().get(0).path());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "patterns",
        "stabilised",
        "embeddings",
        "dora",
        "layer-biases",
        "tokens",
        "several",
        "layers",
        "experts",
        "turned-experts"
      })
  void theBaseIsWhatItWasBefore(String name) throws IOException {
    Gathered base = convert(Fixtures.adapter(name).resolve("model.pt"), part(Part.BASE));

    assertEquals(
        StoredTensors.of(Fixtures.adapter(name).resolve("base.safetensors")), base.tensors());
    assertEquals(Map.of(), smallFiles(base));
    assertEquals("model.safetensors", base.prepared().plan().shards().get(0).path());
  }

  /** Runs of DeepSpeed that saved the frozen weights, too; the masters are what counts. */
  @ParameterizedTest
  @ValueSource(strings = {"zero-2", "zero-3"})
  void bothPartsOfARunUnderZero(String name) throws IOException {
    Path input = Fixtures.adapter(name).resolve("checkpoint");
    Gathered adapter = convert(input, part(Part.ADAPTER));
    assertEquals(
        StoredTensors.of(Fixtures.adapter(name).resolve("adapter.safetensors")), adapter.tensors());
    assertEquals(Map.of(CONFIG, Files.readString(input.resolve(CONFIG))), smallFiles(adapter));

    Gathered base =
        Converting.between(input, temp.resolve("out")).reading(part(Part.BASE)).gather();
    assertEquals(
        StoredTensors.of(Fixtures.adapter(name).resolve("base.safetensors")), base.tensors());

    // Without the frozen weights it is an adapter, which nobody has to ask for.
    Gathered trained =
        Converting.between(input, temp.resolve("out")).withoutFrozen().type("keep").gather();
    assertEquals(adapter.tensors(), trained.tensors());
    assertEquals(smallFiles(adapter), smallFiles(trained));
  }

  /** Nothing remembers what they were. */
  @Test
  void trainedBiasesStayInTheBase() throws IOException {
    Gathered base = convert(Fixtures.adapter("biases").resolve("model.pt"), part(Part.BASE));

    Map<String, String> before =
        StoredTensors.of(Fixtures.adapter("biases").resolve("base.safetensors"));
    assertEquals(before.keySet(), base.tensors().keySet());
    before.keySet().stream()
        .filter(name -> !name.endsWith("q_proj.bias"))
        .forEach(name -> assertEquals(before.get(name), base.tensors().get(name), name));
    assertHas(
        base.notes(),
        "the biases are those of after the training: bias=lora_only has trained them");
  }

  @Test
  void oneOfSeveralAdaptersIsTaken() throws IOException {
    Path input = Fixtures.adapter("several").resolve("model.pt");
    Gathered other = convert(input, given("part=adapter", "adapter=other"));

    assertEquals(
        StoredTensors.of(Fixtures.adapter("several/other").resolve("adapter.safetensors")),
        other.tensors());
    assertEquals(
        Map.of(CONFIG, Files.readString(Fixtures.adapter("several/other").resolve(CONFIG))),
        smallFiles(other));
    assertEquals(
        "there is no adapter 'none' here: "
            + uri(input)
            + "; choose one with --adapter: default,"
            + " other",
        refusal(input, "part=adapter", "adapter=none"));
  }

  private static String uri(Path path) {
    return Locations.of(path).uri();
  }

  /** A file with tensors of these names, each of other numbers. */
  private Path model(String... names) throws IOException {
    SafetensorsFile file = new SafetensorsFile();
    for (int i = 0; i < names.length; i++) {
      file.with(names[i], Shape.of(2, 2), i, i + 0.25f, i + 0.5f, i + 0.75f);
    }
    return file.write(Files.createDirectories(temp.resolve("in")).resolve("model.safetensors"));
  }

  private static final String[] LAYERS = {
    "base_model.model.a.q.lora_A.one.weight", "base_model.model.a.q.lora_B.one.weight",
    "base_model.model.a.q.lora_A.two.weight", "base_model.model.a.q.lora_B.two.weight"
  };

  @Test
  void ofSeveralWithoutAUsualOneTheUserChooses() throws IOException {
    Path input = model(LAYERS);

    assertEquals(
        "there are several adapters in this model: "
            + uri(input)
            + "; choose one with --adapter: one, two",
        refusal(input, "part=adapter"));
    // Nobody has asked for a part: as they are.
    Gathered both = convert(input, ReadOptions.defaults());
    assertEquals(List.of(LAYERS).size(), both.tensors().size());
    assertHas(
        both.notes(),
        "there are several adapters here, under the names that PEFT has in memory: --adapter takes"
            + " one of one, two");
    assertEquals(
        List.of("base_model.model.a.q.lora_A.weight", "base_model.model.a.q.lora_B.weight"),
        convert(input, given("adapter=two")).names());
  }

  @Test
  void whatIsNotThereIsSaid() throws IOException {
    Path plain = model("a.q.weight");
    for (String part : List.of("base", "adapter")) {
      String message = refusal(plain, "part=" + part);
      assertTrue(
          message.startsWith(
              "--part "
                  + part
                  + " asks for something of an adapter, and none of the tensors has a name that"
                  + " PEFT has in memory, such as q_proj.lora_A.default.weight: "
                  + uri(plain)),
          message);
    }
    Path alone = model(LAYERS);
    String message = refusal(alone, "part=base");
    assertTrue(
        message.startsWith(
            "--part base asks for the model that the adapter was trained on, which is not in here: "),
        message);
    assertTrue(
        assertThrows(ReweaveException.class, () -> given("part=base", "merge-adapter=true"))
            .getMessage()
            .startsWith("a part is asked for of what is to be merged"));
  }

  /** What a converter, or PEFT itself, has made is an adapter already. */
  @Test
  void anAdaptersFileIsItsAdapter() throws IOException {
    Path input = model("base_model.model.a.q.lora_A.weight", "base_model.model.a.q.lora_B.weight");
    String config = "{\"peft_type\": \"LORA\", \"r\": 2, \"lora_alpha\": 4}";
    Files.writeString(input.resolveSibling(CONFIG), config);
    Gathered adapter = convert(input, part(Part.ADAPTER));
    assertEquals(2, adapter.tensors().size());
    assertEquals(Map.of(CONFIG, config), smallFiles(adapter));
  }

  @Test
  void aConfigIsMadeAsFarAsNamesAndShapesTell() throws IOException {
    Path input =
        model(
            "base_model.model.a.q.lora_A.default.weight",
            "base_model.model.a.q.lora_B.default.weight",
            "base_model.model.b.k.lora_A.default.weight",
            "base_model.model.b.k.lora_B.default.weight",
            "base_model.model.b.k.lora_magnitude_vector.default.weight",
            "base_model.model.head.modules_to_save.default.weight");
    String message = refusal(input, "part=adapter");
    assertEquals(
        "PEFT loads no adapter without its adapter_config.json, and names and shapes do not tell"
            + " lora_alpha: "
            + uri(input)
            + "; name with --adapter-config the file that PEFT saved, or one with what is missing,"
            + " such as {\"lora_alpha\": 16}",
        message);

    // What it says to do.
    Path said = Files.writeString(temp.resolve("said.json"), "{\"lora_alpha\": 16}");
    Gathered made = convert(input, given("part=adapter", "adapter-config=" + said));
    assertEquals(
        """
        {
          "base_model_name_or_path" : null,
          "bias" : "none",
          "fan_in_fan_out" : false,
          "inference_mode" : true,
          "lora_alpha" : 16,
          "lora_bias" : false,
          "lora_dropout" : 0.0,
          "modules_to_save" : [ "head" ],
          "peft_type" : "LORA",
          "r" : 2,
          "rank_pattern" : { },
          "target_modules" : [ "a.q", "b.k" ],
          "task_type" : null,
          "use_dora" : true,
          "use_rslora" : false
        }
        """,
        smallFiles(made).get(CONFIG));

    // Nobody has asked for the adapter alone: it is converted, and what it lacks is told.
    Gathered unasked = convert(input, ReadOptions.defaults());
    assertEquals(Map.of(), smallFiles(unasked));
    assertHas(
        unasked.notes(),
        "no adapter_config.json is written, and PEFT loads no adapter without one: names and"
            + " shapes do not tell lora_alpha; name with --adapter-config a file that does, such as"
            + " {\"lora_alpha\": 16}");
  }

  @Test
  void ranksThatDifferAreAPattern() throws IOException {
    Path input =
        new SafetensorsFile()
            .with("base_model.model.a.lora_A.default.weight", Shape.of(1, 2), 1, 2)
            .with("base_model.model.a.lora_B.default.weight", Shape.of(2, 1), 1, 2)
            .with("base_model.model.b.lora_A.default.weight", Shape.of(1, 2), 1, 2)
            .with("base_model.model.b.lora_B.default.weight", Shape.of(2, 1), 1, 2)
            .with("base_model.model.c.lora_A.default.weight", Shape.of(2, 2), 1, 2, 3, 4)
            .with("base_model.model.c.lora_B.default.weight", Shape.of(2, 2), 1, 2, 3, 4)
            .write(Files.createDirectories(temp.resolve("in")).resolve("model.safetensors"));
    Path said = Files.writeString(temp.resolve("said.json"), "{\"lora_alpha\": 2, \"r\": 1}");
    String config =
        smallFiles(convert(input, given("part=adapter", "adapter-config=" + said))).get(CONFIG);
    assertTrue(config.contains("\"r\" : 1,"), config);
    assertTrue(config.contains("\"rank_pattern\" : {\n    \"c\" : 2\n  },"), config);
  }

  @Test
  void aConfigThatIsNoneIsRefused() throws IOException {
    Path input = model(LAYERS);
    Path missing = temp.resolve("missing.json");
    assertEquals(
        "no config of an adapter is there: "
            + uri(missing)
            + "; name with --adapter-config an adapter_config.json, or the folder that holds it",
        refusal(input, "part=adapter", "adapter=one", "adapter-config=" + missing));
    Path broken = Files.writeString(temp.resolve("broken.json"), "{\"r\": 2,");
    assertTrue(
        refusal(input, "part=adapter", "adapter=one", "adapter-config=" + broken)
            .startsWith("the config of the adapter is no sound JSON ("));
    Path list = Files.writeString(temp.resolve("list.json"), "[1]");
    assertTrue(
        refusal(input, "part=adapter", "adapter=one", "adapter-config=" + list)
            .startsWith("this is no config of an adapter, which is a JSON object: "));
  }
}
