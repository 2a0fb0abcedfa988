package dev.reweave.look.bug;

import java.util.Collection;
import java.util.Comparator;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Finds in a line what could say whose it is: by what is known, and by its form. */
final class Finder {
  /** A line of a stack trace holds names of classes, and of files with Java's ending. */
  private static final Pattern FRAME =
      Pattern.compile(
          "\\s*at (?:[\\w.]+/)?[\\w.$]+\\.(?:[\\w$]+|<init>|<clinit>)"
              + "\\((?:[\\w$]+\\.(?:java|scala)(?::\\d+)?|Native Method|Unknown Source)\\)");

  private static final Pattern CODE =
      Pattern.compile(
          "(?:org[./](?:apache|picocli)|com[./](?:fasterxml|amazonaws)|software[./]amazon|javax?[./]"
              + "|scala[./]|dev[./]reweave|sun[./]|jdk[./]|io[./]netty).*");

  /** Letters, digits and what names of files have between them; neither spaces nor quotes. */
  private static final String PART = "[^\\s/'\"<>|,;:()\\[\\]{}=*]+";

  /** With spaces, as long as more of the path follows, or the ending of a file. */
  private static final String SPACED =
      "(?:(?: "
          + PART
          + ")+(?=/)|(?: "
          + PART
          + ")*? ?"
          + PART
          + "\\.(?:pt|bin|safetensors|json|distcp|pkl|swp)(?![\\w.]))?";

  private static final String NAME = "[^\\s/'\"<>|,;()\\[\\]]*" + SPACED;

  private Finder() {}

  static boolean isFrame(String line) {
    return FRAME.matcher(line).matches();
  }

  /** Whether a text is the name of a class rather than of a machine or file. */
  static boolean isCode(String text) {
    return CODE.matcher(text).matches();
  }

  /**
   * What is to be replaced, as groups by the manner.
   *
   * @param anywhere registered texts that are found even in words
   * @param words registered names
   */
  static Pattern pattern(Collection<String> anywhere, Collection<String> words) {
    return Pattern.compile(
        String.join(
            "|",
            "(?<known>" + anyOf(anywhere) + ")(?:/" + NAME + ")*",
            // Keys of clouds by their form, and what is called a secret.
            "(?<secret>\\b(?:AKIA|ASIA|AROA)[A-Z0-9]{12,}\\b"
                + "|(?<![A-Za-z0-9+/._<-])[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/._-])"
                + "|(?<=(?i:password|passwd|secret|token|access.key|secret.key|signature)[=:])[^\\s,;&]+"
                + "|(?<=(?i:password|passwd|secret|token|access.key|secret.key|signature)(?: = |: |=\"))"
                + "[^\\s,;&\"]+)",
            "(?<address>\\b[A-Za-z][A-Za-z0-9+.-]+:(?://?|///)(?:"
                + NAME
                + "/)*"
                + NAME
                + "(?<![.:]))",
            "(?<path>(?<![\\w./>~-])~?/"
                + NAME
                + "(?:/"
                + NAME
                + ")*(?<![.:])"
                + "|(?<![\\w./>-])"
                + PART
                + "(?:/"
                + PART
                + ")+(?<![.:]))",
            "(?<word>(?<![\\w<-]|\\w[.])(?:" + anyOf(words) + ")(?![\\w-]|[.]\\w(?!\\w*:\\d)))",
            "(?<host>(?<![\\w.])\\d{1,3}(?:\\.\\d{1,3}){3}(?![\\w.])"
                + "|(?<![\\w.:-])(?:[0-9a-fA-F]{1,4}:){3,7}:?[0-9a-fA-F]{1,4}(?![\\w:])"
                + "|(?<![\\w.$-])[A-Za-z0-9](?:[\\w-]*\\.)+(?:com|net|org|io|ai|dev|cloud|internal"
                + "|local|localdomain|lan|corp|intra|edu|gov)(?![\\w.$-]*\\w)"
                + "|(?<=UnknownHostException: )[\\w.-]+\\w|(?<=process \\d{1,10} on )[\\w.-]+\\w"
                + "|(?<=\\()[\\w.-]+(?= executor )"
                + "|(?<![\\w.$/(-])[A-Za-z][\\w-]*(?:\\.[\\w-]+)*(?=:\\d{4,5}(?!\\w)))",
            "(?<names>(?<=(?:tags: |steps: |one of |none of )\\[)[^\\]]+(?=\\]))",
            "(?<name>(?<=tag '|step '|newest step is ')[^']+(?=')|(?<=--tag asks for )[^\\s;]+"
                + "|(?<=it holds )[^:;]+?(?= and \\d+ more|: )"
                + "|[^\\s/'\"<>|,;:()\\[\\]]+\\.(?:pt|bin|safetensors|json|distcp|pkl|swp)(?![\\w.]))"));
  }

  /** The longest first, so that none hides another. */
  private static String anyOf(Collection<String> texts) {
    return texts.isEmpty()
        ? "(?!)"
        : texts.stream()
            .sorted(Comparator.comparingInt(String::length).reversed())
            .map(Pattern::quote)
            .collect(Collectors.joining("|"));
  }
}
