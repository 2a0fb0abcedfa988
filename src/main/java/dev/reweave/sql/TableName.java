package dev.reweave.sql;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The name of a table in a catalog of Spark, as SQL has it: {@code lake.models.tensors}, with
 * backticks around a part that has other signs than letters, digits and underscores.
 *
 * @param parts the catalog, namespaces, and the table's own name: two at least
 */
public record TableName(List<String> parts) {
  private static final Pattern PART =
      Pattern.compile("\\G(?:(\\w[\\w-]*)|`((?:[^`]|``)+)`)(\\.|$)");

  /** Checks that it names a catalog. */
  public TableName {
    parts = List.copyOf(parts);
    if (parts.size() < 2) {
      throw new IllegalArgumentException("a table without its catalog");
    }
  }

  /**
   * Reads a name.
   *
   * @throws IllegalArgumentException if it is none, or has no catalog
   */
  public static TableName of(String text) {
    List<String> parts = new ArrayList<>();
    Matcher part = PART.matcher(text);
    boolean more = true;
    while (more && part.find()) {
      parts.add(part.group(1) == null ? part.group(2).replace("``", "`") : part.group(1));
      more = !part.group(3).isEmpty();
    }
    if (more || parts.size() < 2) {
      throw new IllegalArgumentException(
          "'" + text + "' is not the name of a table with its catalog, as lake.models.tensors");
    }
    return new TableName(parts);
  }

  /** The catalog that has it. */
  String catalog() {
    return parts.get(0);
  }

  /** Where it lies in the catalog, with the catalog's name. */
  String namespace() {
    return text(parts.subList(0, parts.size() - 1));
  }

  /** As SQL takes it, whatever is in it: words of SQL as well. */
  String quoted() {
    return parts.stream().map(TableName::quoted).collect(Collectors.joining("."));
  }

  private static String quoted(String part) {
    return "`" + part.replace("`", "``") + "`";
  }

  private static String text(List<String> parts) {
    return parts.stream()
        .map(part -> part.matches("[A-Za-z_]\\w*") ? part : quoted(part))
        .collect(Collectors.joining("."));
  }

  /** As people write it. */
  @Override
  public String toString() {
    return text(parts);
  }
}
