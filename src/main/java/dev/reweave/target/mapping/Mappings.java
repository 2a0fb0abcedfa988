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
          "peft-adapter",
          "peft-base",
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
   * @param base names of the model that the result shall look like, of which there are none without
   *     one; asked for only where they can decide
   */
  public static List<Mapping> recognise(
      Collection<String> names, Supplier<? extends Collection<String>> base) {
    return all().stream().filter(mapping -> mapping.recognises(names, base)).toList();
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
