package dev.reweave.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.common.Options;
import dev.reweave.convert.AskedConversion;
import dev.reweave.convert.RepeatedConversion;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.tensor.DType;
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
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What wrappers put into names; the checkpoints are those of DeepSpeed 0.19.8 and torch 2.15. */
class WrapperNamesTest {
  private static final ReadOptions AS_SAVED =
      ReadOptions.defaults().withNames(ReadOptions.Names.AS_SAVED);

  @TempDir Path temp;

  private static Path wrapped(String name) {
    return Fixtures.resource("wrapped").resolve(name);
  }

  private static Checkpoint read(Path address, ReadOptions options) {
    return new CheckpointReader(TestSpark.stores(), new ThreadScanner(TestSpark.stores()))
        .read(Locations.of(address), options);
  }

  /** A model of tensors with these names, each of other values. */
  private Path model(String... names) throws IOException {
    SafetensorsFile file = new SafetensorsFile();
    for (int i = 0; i < names.length; i++) {
      file.with(names[i], Shape.of(2), i, i + 0.5f);
    }
    Path path = temp.resolve("model.safetensors");
    file.write(path);
    return path;
  }

  /** One parameter has one name in the module and another in its shapes, and is one. */
  @ParameterizedTest
  @CsvSource({
    "ckpt-1, ckpt-1, 9 of 14",
    "ckpt-2, ckpt-2, 11 of 14",
    "ckpt-2-tied, ckpt-2-tied, 11 of 14",
    "ckpt-3-tied, ckpt-3-tied, 11 of 14",
    "ckpt-2-u, ckpt-2, 11 of 14",
    "compile-2, compile-2, 14 of 14"
  })
  void areNoPartOfWhatIsConverted(String checkpoint, String expected, String count)
      throws IOException {
    Path output = temp.resolve("out");
    List<String> notes = Converting.between(wrapped(checkpoint), output).run().manifest().notes();

    assertEquals(
        StoredTensors.of(wrapped(expected + ".expected.safetensors")),
        StoredTensors.of(output.resolve("model.safetensors")));
    String part = checkpoint.startsWith("compile") ? "_orig_mod." : "_checkpoint_wrapped_module.";
    String note = part + " of wrappers left off " + count + " names; --names as-saved keeps them";
    assertTrue(notes.contains(note), notes::toString);
    assertTrue(
        notes.stream().noneMatch(n -> n.contains("no weights of their own")), notes::toString);
  }

  /** Without model states, which of two folders has the masters is told by the moments alone. */
  @Test
  void areNoSecondParameterOfAUniversalCheckpointAlone() throws IOException {
    Path copy = Fixtures.copy(wrapped("ckpt-2-u"), temp.resolve("in"));
    Files.delete(copy.resolve("universal/mp_rank_00_model_states.pt"));
    Converting.between(copy, temp.resolve("out")).run();
    Map<String, String> made = StoredTensors.of(temp.resolve("out/model.safetensors"));
    assertEquals(14, made.size(), made::toString);
    Map<String, String> expected =
        new TreeMap<>(StoredTensors.of(wrapped("ckpt-2.expected.safetensors")));
    assertEquals(expected.keySet(), new TreeMap<>(made).keySet());
    assertEquals(expected.get("layers.0.a.weight"), made.get("layers.0.a.weight"));
    assertEquals(expected.get("head.weight"), made.get("head.weight"));
  }

  /** The manifest keeps what was asked for, and says nothing else of what it did before. */
  @Test
  void aRepeatedConversionHasTheSameNames() throws IOException {
    Path output = temp.resolve("out");
    Converting.between(wrapped("compile-2"), output).reading(AS_SAVED).run();
    AskedConversion again =
        RepeatedConversion.read(
            TestSpark.stores(),
            Locations.of(output),
            Options.NONE.parse(AskedConversion.OUTPUT, temp.resolve("again").toString()));
    assertEquals(ReadOptions.Names.AS_SAVED, again.options().reading().names());
    Path manifest = output.resolve("reweave.json");
    Files.writeString(
        manifest,
        Files.readString(manifest).replaceFirst(",?\\s*\"names\"\\s*:\\s*\"as-saved\"", ""));
    assertFalse(Files.readString(manifest).contains("as-saved"));
    assertEquals(
        ReadOptions.Names.AS_SAVED,
        RepeatedConversion.read(TestSpark.stores(), Locations.of(output), Options.NONE)
            .options()
            .reading()
            .names());
  }

  @Test
  void areTheSameInTheModulesOwnWeights() {
    ReadOptions module = ReadOptions.defaults().withWeights(Weights.MODEL);
    List<String> own = read(wrapped("ckpt-2"), module).names();
    assertEquals(
        read(wrapped("ckpt-2"), ReadOptions.defaults()).names().stream().sorted().toList(),
        own.stream().sorted().toList());
    assertEquals(14, own.size());
  }

  @Test
  void aFrozenParameterIsLeftOutUnderBothNames() {
    ReadOptions trained =
        new ReadOptions(Optional.empty(), Optional.empty(), ReadOptions.Frozen.EXCLUDE);
    List<String> names = read(wrapped("ckpt-2"), trained).names();
    assertEquals(12, names.size());
    assertTrue(names.stream().noneMatch(n -> n.startsWith("frozen")), names::toString);
    assertTrue(names.contains("layers.0.scale"), names::toString);
  }

  @Test
  void stayWhereThatIsAskedFor() {
    Checkpoint saved = read(wrapped("compile-2"), AS_SAVED);
    assertTrue(saved.names().stream().allMatch(n -> n.startsWith("_orig_mod.")));
    assertTrue(saved.notes().stream().noneMatch(n -> n.contains("wrappers")));
    List<String> both = read(wrapped("ckpt-2"), AS_SAVED).names();
    assertEquals(14, both.size());
    assertTrue(both.contains("layers.0._checkpoint_wrapped_module.a.weight"), both::toString);
  }

  @Test
  void areLeftOffAtAnyDepth() throws IOException {
    Path model =
        model(
            "_forward_module.module.model.embed._orig_mod.weight",
            "_forward_module.module.model.layers.0._fsdp_wrapped_module._fpw_module.w",
            "_forward_module.module.model.layers.0._checkpoint_wrapped_module.module.w2");
    Checkpoint read = read(model, ReadOptions.defaults());
    // A module of that name that not all have may be the model's own.
    assertEquals(
        List.of("model.embed.weight", "model.layers.0.module.w2", "model.layers.0.w"),
        read.names());
    assertTrue(
        read.notes()
            .contains(
                "_checkpoint_wrapped_module., _forward_module., _fpw_module.,"
                    + " _fsdp_wrapped_module., _orig_mod., module. of wrappers left off 3 of 3"
                    + " names; --names as-saved keeps them"),
        () -> read.notes().toString());
  }

  @Test
  void aModuleThatNotAllHaveStays() throws IOException {
    List<String> names = List.of("b.w", "module.a");
    assertEquals(names, read(model("module.a", "b.w"), ReadOptions.defaults()).names());
  }

  @Test
  void areTakenOffEachOfTwoNetworks() throws IOException {
    assertEquals(
        List.of("discriminator.w", "generator.w"),
        read(model("discriminator.module.w", "generator.module.w"), ReadOptions.defaults())
            .names());
  }

  /** Which of two tensors is meant is not known: none is renamed, none is lost. */
  @Test
  void stayWhereTwoTensorsWouldHaveOneName() throws IOException {
    Path model = model("_orig_mod.w", "w", "_orig_mod.b");
    Checkpoint read = read(model, ReadOptions.defaults());
    assertEquals(List.of("_orig_mod.b", "_orig_mod.w", "w"), read.names());
    assertEquals(
        List.of(
            "names keep their wrappers' parts (_orig_mod.), without which two tensors would be"
                + " called w: _orig_mod.w, w"),
        read.notes());
  }

  /** A name that is left out as another of the same tensor is no second tensor. */
  @Test
  void twoNamesOfOneTensorBecomeOne() throws IOException {
    Checkpoint saved = read(model("_orig_mod.w", "_orig_mod.b"), AS_SAVED);
    Map<String, String> aliases = new TreeMap<>(Map.of("w", "_orig_mod.w", "c", "_orig_mod.b"));
    Checkpoint tied =
        new Checkpoint(
            saved.source(), saved.files(), saved.tensors(), aliases, Map.of(), saved.remarks());
    Checkpoint plain = WrapperNames.without(tied);
    assertEquals(List.of("b", "w", "c"), plain.names());
    assertEquals(Map.of("c", "b"), plain.aliases());
  }

  @Test
  void theLastPartOfANameIsItsOwn() throws IOException {
    assertEquals(
        List.of("_orig_mod", "a.module"),
        read(model("_orig_mod", "a.module"), ReadOptions.defaults()).names());
    assertEquals(DType.F32, read(model("module.w"), AS_SAVED).tensors().get(0).spec().dtype());
  }
}
