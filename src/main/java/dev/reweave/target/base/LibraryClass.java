package dev.reweave.target.base;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What loads a component: the pair in {@code model_index.json}.
 *
 * @param library such as {@code diffusers}, {@code transformers}, or a pipeline's own module
 * @param name of the class
 */
public record LibraryClass(String library, String name) {
  private static final Pattern IDENTIFIER = Pattern.compile("[A-Za-z_][A-Za-z0-9_.]*");

  public LibraryClass {
    if (!isIdentifier(library) || !isIdentifier(name)) {
      throw new IllegalArgumentException("no class: " + library + "." + name);
    }
  }

  /** The pair in a model index; empty for {@code [null, null]} and what is no pair at all. */
  public static Optional<LibraryClass> ofPair(JsonNode pair) {
    if (!pair.isArray() || pair.size() != 2 || !pair.get(0).isTextual()) {
      return Optional.empty();
    }
    return of(pair.get(0).asText(), pair.get(1).asText());
  }

  /** Empty if these are no names that Python could have. */
  static Optional<LibraryClass> of(String library, String name) {
    return isIdentifier(library) && isIdentifier(name)
        ? Optional.of(new LibraryClass(library, name))
        : Optional.empty();
  }

  /** Whether this can be the name of a class, a module or a pipeline's component. */
  static boolean isIdentifier(String name) {
    return IDENTIFIER.matcher(name).matches();
  }

  @Override
  public String toString() {
    return library + "." + name;
  }
}
