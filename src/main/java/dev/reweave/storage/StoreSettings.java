package dev.reweave.storage;

import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** Finds the setting of a store that its connector cannot use, since few say which it is. */
final class StoreSettings {
  private StoreSettings() {}

  /** The first setting of the path's store whose value is what a connector complains of. */
  static Optional<String> meant(Path path, Configuration conf, IllegalArgumentException complaint) {
    String scheme = path.toUri().getScheme();
    String text = String.valueOf(complaint.getMessage());
    if (scheme == null) {
      return Optional.empty();
    }
    TreeMap<String, String> settings = new TreeMap<>();
    conf.iterator().forEachRemaining(s -> settings.put(s.getKey(), s.getValue().strip()));
    String start = "fs." + scheme + ".";
    List<String> named = settings.keySet().stream().filter(k -> k.startsWith(start)).toList();
    Optional<String> byName = named.stream().filter(text::contains).findFirst();
    return byName.isPresent()
        ? byName
        : named.stream().filter(k -> tellsOf(text, settings.get(k))).findFirst();
  }

  private static boolean tellsOf(String text, String value) {
    String quoted = Pattern.quote(value);
    return !value.isEmpty()
        && (text.endsWith(": " + value)
            || Pattern.compile("[\"'`]" + quoted + "[\"'`]").matcher(text).find());
  }
}
