package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.AdapterChoice;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.ReweaveException;
import dev.reweave.look.doctor.Depth;
import dev.reweave.look.doctor.Doctor;
import dev.reweave.look.doctor.Finding;
import dev.reweave.look.doctor.Severity;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import dev.reweave.testing.SafetensorsFile;
import dev.reweave.testing.StoredTensors;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where a base does not fit, and what its message says to do: each is done, and works. */
class BaseRemediesTest {
  private static final Path TIED = report("21-tied-head-twice-in-fsdp");
  private static final Path TOKENS = report("23-added-tokens-against-base");
  private static final Path ADAPTER = report("12-zero3-lora-modules-to-save");
  private static final Path WITH_LAYERS = report("25-lora-run-with-base-layers");

  @TempDir Path temp;

  private static Path report(String name) {
    return Fixtures.resource("reports").resolve(name);
  }

  private Path out() {
    return temp.resolve("out");
  }

  private static List<Finding> doctor(Path address, Path base) {
    return new Doctor(TestSpark.stores(), new ThreadScanner(TestSpark.stores()))
        .examine(
            Locations.of(address),
            Optional.of(Locations.of(base)),
            ReadOptions.defaults(),
            Depth.STRUCTURE);
  }

  private static List<String> problems(Path address, Path base) {
    return doctor(address, base).stream()
        .filter(f -> f.severity() == Severity.PROBLEM)
        .map(Finding::text)
        .toList();
  }

  /** Rules of one's own find the names that PEFT has in memory, also where it was saved alone. */
  @Test
  void aMappingOfOnesOwnGivesAnAdapterItsNames() throws IOException {
    Path rules =
        Files.writeString(
            temp.resolve("rules.json"),
            """
            {"name": "own", "description": "as PEFT has them", "rules": [
              {"match": "(.*)\\\\.(lora_A|lora_B)\\\\.default\\\\.weight", "rename": "$1.$2.weight"},
              {"match": "(.*)\\\\.modules_to_save\\\\.default\\\\.(.*)", "rename": "$1.$2"}]}
            """);
    assertEquals(
        StoredTensors.of(ADAPTER.resolve("expected.safetensors")),
        Converting.between(ADAPTER.resolve("run/checkpoint-2"), out())
            .mapping(rules.toString())
            .gather()
            .tensors());
  }

  /** What convert says, which is what doctor says. */
  private String refusal(Path input, Path base) {
    ReweaveException failure =
        assertThrows(
            ReweaveException.class, () -> Converting.between(input, out()).base(base).run());
    assertTrue(
        problems(input, base).stream().anyMatch(p -> p.contains(failure.remedy())),
        () -> problems(input, base) + " without " + failure.remedy());
    assertFalse(Files.exists(out().resolve("reweave.json")));
    return failure.getMessage();
  }

  private static ReadOptions part(AdapterChoice.Part part) {
    return ReadOptions.defaults().with(AdapterChoice.PART, Optional.of(part));
  }

  private static void assertHas(List<String> notes, String expected) {
    assertTrue(notes.contains(expected), () -> expected + " is not in " + notes);
  }

  @ParameterizedTest
  @ValueSource(strings = {"checkpoint-1", "pytorch_model_fsdp.bin"})
  void aTiedHeadThatIsStoredTwiceIsLeftOut(String input) throws IOException {
    assertEquals(List.of(), problems(TIED.resolve(input), TIED.resolve("base")));
    var manifest =
        Converting.between(TIED.resolve(input), out()).base(TIED.resolve("base")).run().manifest();

    assertEquals(
        StoredTensors.of(TIED.resolve("expected.safetensors")),
        StoredTensors.of(out().resolve("model.safetensors")));
    assertEquals("model.embed_tokens.weight", manifest.result().dropped().get("lm_head.weight"));
    assertHas(
        manifest.notes(),
        "lm_head.weight is left out, as the base ties it to model.embed_tokens.weight: that both"
            + " are the same is checked while they are read");
  }

  /** An encoder and a decoder that share one table with the head, as FSDP saves a T5. */
  @Test
  void allNamesOfATableThatIsStoredFourTimesAreOne() throws IOException {
    Path base = Files.createDirectories(temp.resolve("base"));
    Files.writeString(base.resolve("config.json"), "{\"model_type\": \"t5\"}");
    float[] table = {1, 2, 3, 4, 5, 6};
    new SafetensorsFile()
        .with("shared.weight", Shape.of(3, 2), new float[6])
        .with("decoder.block.0.w", Shape.of(1), 0)
        .write(base.resolve("model.safetensors"));
    Path input = Files.createDirectories(temp.resolve("in"));
    new SafetensorsFile()
        .with("shared.weight", Shape.of(3, 2), table)
        .with("encoder.embed_tokens.weight", Shape.of(3, 2), table)
        .with("decoder.embed_tokens.weight", Shape.of(3, 2), table)
        .with("lm_head.weight", Shape.of(3, 2), table)
        .with("decoder.block.0.w", Shape.of(1), 7)
        .write(input.resolve("model.safetensors"));

    assertEquals(List.of(), problems(input, base));
    var manifest = Converting.between(input, out()).base(base).run().manifest();

    assertEquals(3, manifest.result().dropped().size());
    SafetensorsFile made = SafetensorsFile.read(out().resolve("model.safetensors"));
    assertEquals(List.of("decoder.block.0.w", "shared.weight"), made.names());
    assertArrayEquals(table, made.floats("shared.weight"));
  }

  /** Nobody says that a model of this base ties its head. */
  @Test
  void aHeadOfItsOwnIsNoTiedOne() throws IOException {
    Path base = Fixtures.copy(TIED.resolve("base"), temp.resolve("base"));
    String config = Files.readString(base.resolve("config.json"));
    Files.writeString(
        base.resolve("config.json"),
        config.replaceAll("\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false"));
    String message = refusal(TIED.resolve("checkpoint-1"), base);
    assertTrue(
        message.endsWith(
            "convert without --base, or name as --base the folder that the training saved"
                + " config.json in, which needs no weights"),
        message);
    Files.delete(base.resolve("model.safetensors"));
    Converting.between(TIED.resolve("checkpoint-1"), out()).base(base).run();
    assertEquals(12, StoredTensors.of(out().resolve("model.safetensors")).size());
  }

  /** The expected weights with a head that is the embedding's copy but for its last number. */
  private Path withOtherHead() throws IOException {
    SafetensorsFile file = SafetensorsFile.read(TIED.resolve("expected.safetensors"));
    float[] head = file.floats("model.embed_tokens.weight");
    head[head.length - 1] += 1;
    Path folder = Files.createDirectories(temp.resolve("in"));
    file.with("lm_head.weight", Shape.of(17, 8), head).write(folder.resolve("model.safetensors"));
    return folder;
  }

  @Test
  void aHeadThatWasTrainedApartIsNot() throws IOException {
    Path input = withOtherHead();
    ReweaveException failure =
        assertThrows(
            ReweaveException.class,
            () -> Converting.between(input, out()).base(TIED.resolve("base")).run());
    assertTrue(
        failure
            .getMessage()
            .startsWith(
                "tensors that the base ties are not the same in the checkpoint; they differ in"
                    + " values of model.embed_tokens.weight (1): "),
        failure::getMessage);
    assertFalse(Files.exists(out().resolve("model.safetensors")));

    // Both of its remedies.
    Converting.between(input, temp.resolve("bare")).run();
    assertEquals(12, StoredTensors.of(temp.resolve("bare/model.safetensors")).size());
    Path base = Files.createDirectories(temp.resolve("untied"));
    String config = Files.readString(TIED.resolve("base/config.json"));
    Files.writeString(
        base.resolve("config.json"),
        config.replaceAll("\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false"));
    Converting.between(input, temp.resolve("with-config")).base(base).run();
    assertEquals(12, StoredTensors.of(temp.resolve("with-config/model.safetensors")).size());
  }

  private Path untied() throws IOException {
    Path base = Files.createDirectories(temp.resolve("untied"));
    String config = Files.readString(TIED.resolve("base/config.json"));
    Files.writeString(
        base.resolve("config.json"),
        config.replaceAll("\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false"));
    return base;
  }

  /** Loaders would make up a head that the config says is one of its own. */
  @Test
  void aHeadThatIsStoredOnceIsWrittenApartWhereTheConfigDoesNotTieIt() throws IOException {
    Path input = Files.createDirectories(temp.resolve("in"));
    SafetensorsFile.read(TIED.resolve("expected.safetensors"))
        .saying(Map.of("format", "pt", "lm_head.weight", "model.embed_tokens.weight"))
        .write(input.resolve("model.safetensors"));

    assertEquals(List.of(), problems(input, untied()));
    List<String> notes = Converting.between(input, out()).base(untied()).run().manifest().notes();

    assertHas(
        notes,
        "lm_head.weight is written by itself, though it is one with model.embed_tokens.weight: the"
            + " config.json of the base does not tie them");
    SafetensorsFile result = SafetensorsFile.read(out().resolve("model.safetensors"));
    assertEquals(12, result.names().size());
    assertEquals(result.content("model.embed_tokens.weight"), result.content("lm_head.weight"));
  }

  @Test
  void aHeadThatIsNowhereIsMissing() throws IOException {
    Path input = Files.createDirectories(temp.resolve("in"));
    Files.copy(TIED.resolve("expected.safetensors"), input.resolve("model.safetensors"));

    String message = refusal(input, untied());

    assertTrue(
        message.startsWith(
            "config.json of the base does not fit the weights: tie_word_embeddings is false, and"
                + " there is no lm_head.weight: "),
        message);
    // Its remedy: the config that the training saved.
    Path trained = Files.createDirectories(temp.resolve("trained"));
    Files.copy(TIED.resolve("base/config.json"), trained.resolve("config.json"));
    Converting.between(input, out()).base(trained).run();
    assertEquals(11, StoredTensors.of(out().resolve("model.safetensors")).size());
  }

  /** A base that was saved piece by piece has the head twice, whatever its config says. */
  @Test
  void aBaseWithItsTiedHeadStoredTwice() throws IOException {
    Path base = Files.createDirectories(temp.resolve("twice"));
    Files.copy(TIED.resolve("base/config.json"), base.resolve("config.json"));
    SafetensorsFile twice = SafetensorsFile.read(TIED.resolve("base/model.safetensors"));
    twice
        .with("lm_head.weight", Shape.of(17, 8), twice.floats("model.embed_tokens.weight"))
        .write(base.resolve("model.safetensors"));
    Path input = Files.createDirectories(temp.resolve("in"));
    Files.copy(TIED.resolve("expected.safetensors"), input.resolve("model.safetensors"));

    assertEquals(List.of(), problems(input, base));
    Converting.between(input, out()).base(base).run();
    assertEquals(11, StoredTensors.of(out().resolve("model.safetensors")).size());
  }

  @Test
  void addedTokensAreTakenWithTheConfigOfTheTraining() throws IOException {
    Path input = TOKENS.resolve("checkpoint-2");
    String message = refusal(input, TOKENS.resolve("base"));
    assertTrue(
        message.endsWith(
            "if tokens were added, name as --base the folder that the training saved config.json"
                + " and the tokenizer in, which needs no weights"),
        message);

    Path mapping = temp.resolve("cut.json");
    Files.writeString(
        mapping, message.replaceFirst("(?s).*give --mapping a file with (.*); if tokens.*", "$1"));
    List<String> notes =
        Converting.between(input, temp.resolve("cut"))
            .mapping(mapping.toString())
            .base(TOKENS.resolve("base"))
            .run()
            .manifest()
            .notes();
    assertHas(
        notes,
        "cut 2 tensors: model.embed_tokens.weight [37, 8] to [33, 8], lm_head.weight [37, 8] to"
            + " [33, 8]");
    SafetensorsFile whole = SafetensorsFile.read(TOKENS.resolve("expected.safetensors"));
    SafetensorsFile cut = SafetensorsFile.read(temp.resolve("cut/model.safetensors"));
    assertEquals(
        whole.content("lm_head.weight").slice(0, 33 * 8 * Float.BYTES),
        cut.content("lm_head.weight"));

    assertEquals(List.of(), problems(input, TOKENS.resolve("trained")));
    Converting.between(input, out()).base(TOKENS.resolve("trained")).run();
    assertEquals(
        StoredTensors.of(TOKENS.resolve("expected.safetensors")),
        StoredTensors.of(out().resolve("model.safetensors")));
    assertTrue(Files.readString(out().resolve("config.json")).contains("\"vocab_size\": 37"));
  }

  /** As a trainer leaves it: the checkpoint and all but the weights in one folder. */
  @Test
  void theTrainersOwnFolderIsABase() throws IOException {
    Path folder = Fixtures.copy(TOKENS.resolve("checkpoint-2"), temp.resolve("checkpoint-2"));
    String config = Files.readString(TOKENS.resolve("trained/config.json"));
    Files.writeString(
        folder.resolve("config.json"), config.replaceAll("\"float32\"", "\"bfloat16\""));
    for (String name :
        List.of("tokenizer.json", "chat_template.jinja", "trainer_state.json", "zero_to_fp32.py")) {
      Files.writeString(folder.resolve(name), "{}");
    }
    Files.write(folder.resolve("optimizer.pt"), new byte[] {1, 2, 3});
    new SafetensorsFile()
        .with("lm_head.weight", Shape.of(0))
        .write(folder.resolve("model.safetensors"));

    assertEquals(List.of(), problems(folder, folder));
    Converting.between(folder, out()).base(folder).run();

    try (var files = Files.list(out())) {
      assertEquals(
          List.of(
              "chat_template.jinja",
              "config.json",
              "model.safetensors",
              "reweave.json",
              "tokenizer.json"),
          files.map(f -> f.getFileName().toString()).sorted().toList());
    }
    assertTrue(
        StoredTensors.of(out().resolve("model.safetensors")).values().stream()
            .allMatch(t -> t.startsWith("BF16")),
        "the type that the config states");
  }

  @Test
  void aConfigWithoutWeightsHasToFit() throws IOException {
    Path base = Files.createDirectories(temp.resolve("config"));
    Files.copy(TOKENS.resolve("base/config.json"), base.resolve("config.json"));
    String message = refusal(TOKENS.resolve("checkpoint-2"), base);
    assertTrue(
        message.contains("config.json of the base does not fit the weights: vocab_size is 33, and"),
        message);
    assertTrue(
        message.endsWith(
            "name as --base the folder with the config.json that the training saved, or correct"
                + " that file"),
        message);
  }

  @Test
  void anAdapterBecomesWhatPeftLoads() throws IOException {
    Path input = ADAPTER.resolve("run/checkpoint-2");
    String message = refusal(input, ADAPTER.resolve("base"));
    assertTrue(
        message.endsWith(
            "leave --base out, or name as --base the folder that holds its adapter_config.json, to"
                + " have the adapter alone"),
        message);

    Converting.between(input, temp.resolve("bare")).run();
    Converting.between(input, out()).base(input).run();
    for (Path made : List.of(temp.resolve("bare"), out())) {
      assertEquals(
          StoredTensors.of(ADAPTER.resolve("expected.safetensors")),
          StoredTensors.of(made.resolve("adapter_model.safetensors")));
      assertEquals(
          Files.readString(input.resolve("adapter_config.json")),
          Files.readString(made.resolve("adapter_config.json")));
    }
    assertEquals(List.of(), problems(input, input));

    Converting.between(input, temp.resolve("raw"))
        .reading(ReadOptions.defaults().withNames(ReadOptions.Names.AS_SAVED))
        .run();
    assertEquals(
        StoredTensors.of(ADAPTER.resolve("expected_raw.safetensors")),
        StoredTensors.of(temp.resolve("raw/model.safetensors")));
  }

  @Test
  void aModelWithAnAdaptersLayersIsNoAdapter() throws IOException {
    Path input = WITH_LAYERS.resolve("checkpoint-1");
    Path base = WITH_LAYERS.resolve("base");
    String told =
        "this is a model with the layers of an adapter in it, under the names that PEFT has in"
            + " memory (4 of 16 tensors are the adapter's): --part adapter makes the adapter alone,"
            + " as PEFT loads it, --part base the model without what the adapter trained, and"
            + " --merge-adapter one model of both";
    String message = refusal(input, base);
    assertTrue(message.endsWith(told), message);
    assertHas(Converting.between(input, temp.resolve("bare")).run().manifest().notes(), told);

    Path said = Files.writeString(temp.resolve("said.json"), "{\"lora_alpha\": 4}");
    ReadOptions adapter =
        part(AdapterChoice.Part.ADAPTER)
            .with(AdapterChoice.ADAPTER_CONFIG, Optional.of(said.toString()));
    Converting.between(input, out()).reading(adapter).run();
    assertEquals(
        StoredTensors.of(WITH_LAYERS.resolve("expected_adapter.safetensors")),
        StoredTensors.of(out().resolve("adapter_model.safetensors")));
    Converting.between(input, temp.resolve("model"))
        .reading(part(AdapterChoice.Part.BASE))
        .base(base)
        .run();
    assertEquals(
        StoredTensors.of(base.resolve("model.safetensors")),
        StoredTensors.of(temp.resolve("model/model.safetensors")));
  }
}
