package dev.reweave.look.report;

import com.fasterxml.jackson.databind.JsonNode;
import dev.reweave.common.Printable;
import java.util.Optional;
import java.util.regex.Pattern;

/** Texts of unknown origin as parts of a Python program that somebody copies from a terminal. */
final class PythonText {
  private static final Pattern IDENTIFIER = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");

  private PythonText() {}

  /** A literal, in one line, whose characters can all be seen. */
  static String quoted(String text) {
    return '"' + Printable.text(text.replace("\\", "\\\\").replace("\"", "\\\"")) + '"';
  }

  /** The name of a class; empty if it is no text or cannot be one. */
  static Optional<String> identifier(JsonNode value) {
    return Optional.of(value.asText("")).filter(IDENTIFIER.asMatchPredicate());
  }
}
