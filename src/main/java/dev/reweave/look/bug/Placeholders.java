package dev.reweave.look.bug;

import dev.reweave.common.Redacted;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Takes names of stores, machines, people and folders out of texts, and credentials, and puts
 * placeholders in: the same one for the same name, so that what was the same can still be seen to
 * be.
 *
 * <p>What is registered is found wherever it stands; other addresses, paths, host names and keys
 * are found by their form. Names that frameworks give to files stay, as does all else.
 */
public final class Placeholders {
  private enum Sort {
    BUCKET,
    HOST,
    PATH,
    USER,
    CREDENTIAL;

    private final String text = name().toLowerCase(Locale.ROOT);
  }

  private static final Pattern ADDRESS =
      Pattern.compile("(?s)([A-Za-z][A-Za-z0-9+.-]+):(?:(//)([^/]*))?(/?.*)");

  private static final Set<String> SCHEMES_OF_BUCKETS =
      Set.of("s3", "s3a", "s3n", "gs", "oss", "cosn", "obs", "swift", "b2", "hf", "dbfs");

  private static final Set<String> OTHER_SCHEMES =
      Set.of(
          "file",
          "hdfs",
          "viewfs",
          "webhdfs",
          "swebhdfs",
          "http",
          "https",
          "ftp",
          "abfs",
          "abfss",
          "wasb",
          "wasbs",
          "spark",
          "k8s",
          "local",
          "jar");

  /** What Redacted makes of a query. */
  private static final String QUERY = "?***";

  /** Characters of a line that are shown. */
  private static final int LONGEST_LINE = 4_000;

  /** Shorter names say nothing of anybody, and stand in many words. */
  private static final int SHORTEST_WORD = 3;

  private final Map<String, String> placeholders = new HashMap<>();
  private final Map<Sort, Integer> counts = new TreeMap<>();

  /** What stands for each registered text, addresses and credentials. */
  private final Map<String, String> anywhere = new LinkedHashMap<>();

  /** What stands for each registered name, where it is a word of its own. */
  private final Map<String, String> words = new LinkedHashMap<>();

  private Optional<Pattern> finder = Optional.empty();

  /** Registers a text that must never be seen. */
  public void credential(String secret) {
    if (!secret.isBlank()) {
      put(secret.length() < 2 * SHORTEST_WORD ? words : anywhere, secret, Sort.CREDENTIAL);
    }
  }

  /** Registers the name of a machine; those that every machine has stay. */
  public void host(String name) {
    if (!FamiliarNames.isHost(name)) {
      host(name, Sort.HOST);
    }
  }

  /** Registers the name of a person or an account. */
  public void user(String name) {
    if (!name.isBlank()) {
      put(words, name, Sort.USER);
    }
  }

  /** Registers somebody's own folder, which is one thing, however many names are in it. */
  public void home(String folder) {
    if (folder.length() > 1) {
      anywhere.putIfAbsent(folder, "<home>");
      finder = Optional.empty();
    }
  }

  /** Registers an address or a path, with or without a scheme, and gives what stands for it. */
  public String address(String address) {
    String plain = Redacted.text(address);
    Matcher parts = ADDRESS.matcher(plain);
    String shown = parts.matches() ? ofUri(parts) : homePath(plain);
    if (!shown.equals(plain) && plain.length() >= SHORTEST_WORD && plain.contains("/")) {
      anywhere.putIfAbsent(plain, shown);
      finder = Optional.empty();
    }
    return shown;
  }

  private String ofUri(Matcher parts) {
    String scheme = parts.group(1).toLowerCase(Locale.ROOT);
    boolean bucket = SCHEMES_OF_BUCKETS.contains(scheme);
    String known = bucket || OTHER_SCHEMES.contains(scheme) ? scheme : path(scheme);
    String slashes = Optional.ofNullable(parts.group(2)).orElse("");
    String rest = parts.group(4);
    boolean query = rest.endsWith(QUERY);
    String authority = Optional.ofNullable(parts.group(3)).orElse("");
    return known
        + ":"
        + slashes
        + authority(authority, bucket ? Sort.BUCKET : Sort.HOST)
        + homePath(query ? rest.substring(0, rest.length() - QUERY.length()) : rest)
        + (query ? QUERY : "");
  }

  private String authority(String text, Sort sort) {
    int at = text.lastIndexOf('@');
    String user = at < 0 ? "" : text.substring(0, at);
    String host = text.substring(at + 1);
    int colon = host.lastIndexOf(':');
    String port = colon < 0 ? "" : host.substring(colon);
    String name = colon < 0 ? host : host.substring(0, colon);
    return (user.isEmpty() ? "" : user.equals("***") ? "***@" : put(words, user, Sort.BUCKET) + "@")
        + (name.isEmpty() ? "" : host(name, sort))
        + (port.matches(":\\d{1,5}") ? port : "");
  }

  private String host(String name, Sort sort) {
    return FamiliarNames.isHost(name) ? name : put(words, name, sort);
  }

  private String homePath(String path) {
    for (Map.Entry<String, String> known : anywhere.entrySet()) {
      if (known.getValue().equals("<home>") && path.startsWith(known.getKey() + "/")) {
        return "<home>" + path(path.substring(known.getKey().length()));
      }
    }
    return anywhere.getOrDefault(path, path(path));
  }

  /** What stands for a path: names that frameworks give stay in it. */
  private String path(String path) {
    return Stream.of(path.split("/", -1)).map(this::name).collect(Collectors.joining("/"));
  }

  /** Registers a name of a file or folder, and gives what stands for it. */
  public String name(String name) {
    if (name.isEmpty() || FamiliarNames.isFile(name)) {
      return name;
    }
    String end = FamiliarNames.end(name);
    String stem = name.substring(0, name.length() - end.length());
    if (stem.isEmpty() || FamiliarNames.isFile(stem)) {
      return name;
    }
    if (stem.length() >= SHORTEST_WORD && !stem.chars().allMatch(Character::isDigit)) {
      return put(words, stem, Sort.PATH) + end;
    }
    return placeholder(stem, Sort.PATH) + end;
  }

  private String put(Map<String, String> where, String text, Sort sort) {
    String placeholder = placeholder(text, sort);
    if (where.putIfAbsent(text, placeholder) == null) {
      finder = Optional.empty();
    }
    return placeholder;
  }

  private String placeholder(String text, Sort sort) {
    return placeholders.computeIfAbsent(
        text, t -> "<" + sort.text + "-" + counts.merge(sort, 1, Integer::sum) + ">");
  }

  /**
   * A text of several lines without any of it; names that it shows for the first time are known on.
   */
  public String text(String text) {
    return text.lines().map(this::line).collect(Collectors.joining("\n"));
  }

  private String line(String line) {
    if (Finder.isFrame(line)) {
      return line;
    }
    // A name may be known by its other places only afterwards.
    String plain = Redacted.text(shortened(line));
    String before;
    String shown;
    do {
      before = words.size() + " " + anywhere.size();
      shown = replaced(plain);
    } while (!before.equals(words.size() + " " + anywhere.size()));
    return shown;
  }

  /** Without what is too long to be read, and without half a name at its end. */
  private static String shortened(String line) {
    return line.length() <= LONGEST_LINE
        ? line
        : line.substring(0, Math.max(0, line.lastIndexOf(' ', LONGEST_LINE))) + " …";
  }

  private String replaced(String line) {
    Pattern pattern = finder.orElseGet(() -> Finder.pattern(anywhere.keySet(), words.keySet()));
    finder = Optional.of(pattern);
    Matcher found = pattern.matcher(line);
    StringBuilder shown = new StringBuilder();
    while (found.find()) {
      found.appendReplacement(shown, Matcher.quoteReplacement(replacement(found)));
    }
    return found.appendTail(shown).toString();
  }

  private String replacement(Matcher found) {
    String text = found.group();
    if (found.group("known") != null) {
      String known = found.group("known");
      return anywhere.get(known) + path(text.substring(known.length()));
    }
    if (found.group("word") != null) {
      return words.get(text);
    }
    if (found.group("address") != null) {
      return address(text);
    }
    if (found.group("path") != null) {
      return Finder.isCode(text) ? text : homePath(text);
    }
    if (found.group("secret") != null) {
      return put(anywhere, text, Sort.CREDENTIAL);
    }
    if (found.group("host") != null) {
      return Finder.isCode(text) ? text : host(text, Sort.HOST);
    }
    if (found.group("names") != null) {
      return Stream.of(text.split(", ", -1)).map(this::name).collect(Collectors.joining(", "));
    }
    return name(text);
  }
}
