package dev.reweave.convert;

import dev.reweave.common.Location;
import dev.reweave.storage.Stores;
import java.time.LocalDate;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Address of an output with placeholders: {@code {tag}} for the saved step and {@code {date}} for
 * the day on which the work began, in UTC, as {@code 2026-01-31}.
 */
public record OutputTemplate(String text) {
  private static final String TAG = "{tag}";
  private static final String DATE = "{date}";
  private static final Pattern BRACES = Pattern.compile("\\{[^{}]*\\}|[{}]");

  /**
   * @throws IllegalArgumentException if there is a brace that belongs to no known placeholder
   */
  public OutputTemplate {
    Matcher matcher = BRACES.matcher(text);
    while (matcher.find()) {
      if (!matcher.group().equals(TAG) && !matcher.group().equals(DATE)) {
        throw new IllegalArgumentException(
            "'" + matcher.group() + "' in --output is no placeholder: {tag} and {date} are");
      }
    }
  }

  /** Whether the address depends on the step. */
  public boolean namesTag() {
    return text.contains(TAG);
  }

  /**
   * The place that it names.
   *
   * @param tag may be empty if it is not needed
   */
  Location fill(Stores stores, Optional<String> tag, LocalDate date) {
    return stores.locate(
        BRACES
            .matcher(text)
            .replaceAll(
                found ->
                    Matcher.quoteReplacement(
                        found.group().equals(DATE) ? date.toString() : tag.orElseThrow())));
  }
}
