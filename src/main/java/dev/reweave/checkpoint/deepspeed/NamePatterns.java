package dev.reweave.checkpoint.deepspeed;

import dev.reweave.common.BoundedMatch;
import dev.reweave.common.ReweaveException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Regular expressions of Python that match the start of names. Those that AutoTP makes, one for
 * each parameter, are found by the name that they spell: there are as many of them as of names.
 */
final class NamePatterns implements Serializable {
  private static final long serialVersionUID = 1L;

  /** What {@code rf"^{re.escape(name)}$"} gives. */
  private static final Pattern SPELLED =
      Pattern.compile("\\^((?:[^\\\\.\\[\\]{}()*+?^$|]|\\\\[^\\p{Alnum}])*+)\\$");

  private final String place;
  private final Map<String, List<String>> spelled = new LinkedHashMap<>();
  private final List<String> others = new ArrayList<>();

  /**
   * @param place where they stand, for messages
   */
  NamePatterns(Collection<String> patterns, String place) {
    this.place = place;
    for (String pattern : patterns) {
      Matcher name = SPELLED.matcher(pattern);
      if (name.matches()) {
        String plain = name.group(1).replaceAll("\\\\(.)", "$1");
        spelled.computeIfAbsent(plain, p -> new ArrayList<>()).add(pattern);
      } else {
        others.add(pattern);
      }
    }
  }

  /** All that match a name. */
  List<String> matching(String name) {
    List<String> matching = new ArrayList<>(spelled.getOrDefault(name, List.of()));
    for (String pattern : others) {
      if (BoundedMatch.ofStart(compile(pattern), name, place).isPresent()) {
        matching.add(pattern);
      }
    }
    return matching;
  }

  /**
   * The one that matches a name, if any does.
   *
   * @param list of which they are, for messages
   * @throws ReweaveException if several do
   */
  Optional<String> only(String name, String list) {
    List<String> matching = matching(name);
    if (matching.size() > 1) {
      throw SlicingFailures.severalPatterns(list, name, matching, place);
    }
    return matching.stream().findFirst();
  }

  /** Python writes named groups in another way. */
  private Pattern compile(String pattern) {
    try {
      return Pattern.compile(pattern.replace("(?P<", "(?<"));
    } catch (PatternSyntaxException e) {
      throw SlicingFailures.notRegular(e, pattern, place);
    }
  }
}
