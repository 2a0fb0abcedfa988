package dev.reweave.target.mapping;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** The mappings that come with Reweave; their files are in {@code conf/mappings}. */
public final class Mappings {
  private static final String FOLDER = "/dev/reweave/mappings/";

  private static final List<String> NAMES =
      List.of(
          "cogvideox-sat-lora",
          "cogvideox-sat-transformer",
          "cogvideox-sat-vae",
          "hf-to-megatron-llama",
          "hf-to-torchtitan-llama3",
          "megatron-llama",
          "megatron-mixtral",
          "megatron-qwen2",
          "megatron-qwen3",
          "megatron-qwen3-moe",
          "torchtitan-deepseek-v3",
          "torchtitan-llama3",
          "torchtitan-qwen3",
          "transformers-mixtral",
          "transformers-moe",
          "transformers-qwen2-vl");

  private Mappings() {}

  /** Their names, sorted. */
  public static List<String> names() {
    return NAMES;
  }

  /** The one with this name. */
  public static Optional<Mapping> find(String name) {
    return NAMES.contains(name) ? Optional.of(load(name)) : Optional.empty();
  }

  /** All of them, by name. */
  public static List<Mapping> all() {
    return NAMES.stream().map(Mappings::load).toList();
  }

  /**
   * Those that are for a model with these names; more than one if the names do not decide.
   *
   * @param facts of the model that the result shall look like; asked for only where they can decide
   */
  public static List<Mapping> recognise(Collection<String> names, Supplier<ModelFacts> facts) {
    return all().stream().filter(mapping -> mapping.recognises(names, facts)).toList();
  }

  private static Mapping load(String name) {
    String file = name + ".json";
    try (InputStream in = Mappings.class.getResourceAsStream(FOLDER + file)) {
      return Mapping.parse(in.readAllBytes(), "conf/mappings/" + file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
